//! What each node's list said of each other node, at every moment: the `member` events played back.
//!
//! A list is empty when its node starts, and a node says nothing of itself. What a list says of a
//! node may be of an earlier run of its process: the generation tells, since nobody can have told of
//! one before the run that it is of had started.

use std::collections::HashMap;

use hearsay_node::trace::event::{MemberCause, MemberChange, MemberState};

use super::super::run::{NodeIx, Run, Word};

/// One `member` line of a node's log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemberLine {
    /// When.
    pub(crate) at: i64,
    /// The member.
    pub(crate) peer: Word,
    /// What changed about it.
    pub(crate) change: MemberChange,
    /// What the list says of it after that.
    pub(crate) state: MemberState,
    /// Why it is held to be down.
    pub(crate) cause: Option<MemberCause>,
    /// When it started, by its own account; one more for each renewal.
    pub(crate) generation: u64,
}

/// What a list says of a node from one moment on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) at: i64,
    /// Nothing when it is not on the list.
    pub(super) state: Option<MemberState>,
    pub(super) cause: Option<MemberCause>,
    pub(super) generation: u64,
}

impl Said {
    fn is_down(&self) -> bool {
        self.state == Some(MemberState::Down)
    }
}

/// All lists, at every moment.
#[derive(Debug)]
pub(super) struct Lists<'a> {
    run: &'a Run,
    /// By the node that holds the list, then by the node that it speaks of; in the order of time.
    said: Vec<Vec<Vec<Said>>>,
    /// When the first line about a node named this generation.
    named: HashMap<(NodeIx, u64), i64>,
}

impl<'a> Lists<'a> {
    pub(super) fn of(run: &'a Run) -> Self {
        let nodes = run.nodes.len();
        let mut said = Vec::with_capacity(nodes);
        let mut named = HashMap::new();
        for (holder, log) in run.nodes.iter().enumerate() {
            let nothing = |at: i64| Said { at, state: None, cause: None, generation: 0 };
            let starts: Vec<_> = log.lives.iter().map(|life| nothing(life.start)).collect();
            let mut of_each = vec![starts; nodes];
            for line in &log.members {
                let Some(subject) = run.node_of(line.peer) else { continue };
                let first = named.entry((subject, line.generation)).or_insert(line.at);
                *first = line.at.min(*first);
                if subject == holder {
                    continue;
                }
                let MemberLine { at, cause, generation, .. } = *line;
                let state = (line.change != MemberChange::Forgotten).then_some(line.state);
                of_each[subject].push(Said { at, state, cause, generation });
            }
            // A stable sort: a start comes before what is said in the same microsecond, as in the log.
            of_each.iter_mut().for_each(|said| said.sort_by_key(|said| said.at));
            said.push(of_each);
        }
        Lists { run, said, named }
    }

    /// What `holder`'s list says of `subject` at `at`.
    fn at(&self, holder: NodeIx, subject: NodeIx, at: i64) -> Option<&Said> {
        let said = &self.said[holder][subject];
        said[..said.partition_point(|said| said.at <= at)].last()
    }

    /// What it says later than `after` and before `until`.
    pub(super) fn between(
        &self,
        holder: NodeIx,
        subject: NodeIx,
        after: i64,
        until: i64,
    ) -> &[Said] {
        let said = &self.said[holder][subject];
        let from = said.partition_point(|said| said.at <= after);
        let to = said.partition_point(|said| said.at < until);
        said.get(from..to).unwrap_or_default()
    }

    /// Whether a list that says this at `at` holds the node to be there: it is on it, is not held to be
    /// down, and it is the run of its process at that time that is meant. One that is suspected
    /// still counts as there.
    pub(super) fn means_there(&self, subject: NodeIx, said: &Said, at: i64) -> bool {
        said.state.is_some()
            && !said.is_down()
            && !self.is_of_an_earlier_life(subject, said.generation, at)
    }

    /// Whether `holder` holds `subject` to be there at `at`.
    pub(super) fn holds(&self, holder: NodeIx, subject: NodeIx, at: i64) -> bool {
        self.at(holder, subject, at).is_some_and(|said| self.means_there(subject, said, at))
    }

    /// From when on, at `from` or later and before `until`, `holder` holds `subject` to be there.
    pub(super) fn holds_from(
        &self,
        holder: NodeIx,
        subject: NodeIx,
        from: i64,
        until: i64,
    ) -> Option<i64> {
        if self.holds(holder, subject, from) {
            return Some(from);
        }
        let mut later = self.between(holder, subject, from, until).iter();
        later.find(|said| self.means_there(subject, said, said.at)).map(|said| said.at)
    }

    /// The first time that `holder` takes `subject` for down, later than `from` and before `until`, and
    /// means the run of its process that was the latest at `from`.
    pub(super) fn learns_of_the_end(
        &self,
        holder: NodeIx,
        subject: NodeIx,
        from: i64,
        until: i64,
    ) -> Option<&Said> {
        let is_this_end = |said: &&Said| {
            said.is_down() && !self.is_of_an_earlier_life(subject, said.generation, from)
        };
        self.between(holder, subject, from, until).iter().find(is_this_end)
    }

    /// Whether the generation was told of before the run of `subject`'s process that was the one before
    /// the latest at `at` had ended. When the latest itself began does not matter: a node can be heard of
    /// before it writes its first line.
    pub(super) fn is_of_an_earlier_life(&self, subject: NodeIx, generation: u64, at: i64) -> bool {
        let mut before = self.run.nodes[subject].lives.iter().rev().skip_while(|it| it.start > at);
        let Some(earlier) = before.nth(1) else { return false };
        let ended = earlier.end.unwrap_or(earlier.last);
        self.named.get(&(subject, generation)).is_some_and(|&named| named < ended)
    }
}
