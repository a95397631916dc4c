//! Suspicions, and nodes that were held to be down and were not.

use hearsay_node::trace::event::MemberChange;

use super::super::run::{NodeIx, Run};
use super::lists::{Lists, MemberLine};
use super::presence::Presence;
use super::{EXCUSED_US, MISTAKES_KEPT, Members, Mistake, Why};

impl Members {
    pub(super) fn count_mistakes(&mut self, run: &Run, lists: &Lists<'_>, presence: &Presence<'_>) {
        for (holder, log) in run.nodes.iter().enumerate() {
            for line in log.members.iter().filter(|line| line.at < presence.end) {
                let node = run.node_of(line.peer).filter(|node| *node != holder);
                let is_wrong =
                    || node.filter(|&node| was_there(run, (holder, node), line, lists, presence));
                match line.change {
                    MemberChange::Suspected => {
                        self.suspicions += 1;
                        self.suspicions_of_living += u64::from(is_wrong().is_some());
                    }
                    MemberChange::Refuted => self.refuted += 1,
                    MemberChange::Down => {
                        self.mistakes.extend(is_wrong().map(|node| Mistake {
                            at_us: line.at,
                            node: run.nodes[node].name.clone(),
                            by: log.name.clone(),
                            cause: line.cause,
                        }));
                    }
                    MemberChange::Joined
                    | MemberChange::Renewed
                    | MemberChange::Updated
                    | MemberChange::Forgotten => {}
                }
            }
        }
        self.false_positives = self.mistakes.len() as u64;
        // By time; of the same moment, by the nodes that said so.
        self.mistakes.sort_by_key(|mistake| mistake.at_us);
        self.mistakes.truncate(MISTAKES_KEPT);
    }
}

/// Whether `node` was there when `holder` said something against it, and nothing excuses that.
fn was_there(
    run: &Run,
    (holder, node): (NodeIx, NodeIx),
    line: &MemberLine,
    lists: &Lists<'_>,
    presence: &Presence<'_>,
) -> bool {
    let (at, since) = (line.at, line.at.saturating_sub(EXCUSED_US));
    let ran = run.nodes[node].lives.iter().any(|life| life.covers(at, at));
    let still = presence.absences.iter().any(|absence| {
        absence.node == node
            && absence.why == Why::Paused
            && absence.from <= at
            && absence.until.is_none_or(|until| since <= until)
    });
    ran && !still
        && !lists.is_of_an_earlier_life(node, line.generation, at)
        && !presence.were_apart(holder, node, since, at)
}
