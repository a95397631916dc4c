//! From the joined logs to one message's [`Whereabouts`].

use std::collections::BTreeMap;

use hearsay_node::trace::event::Kind;
use jiff::Timestamp;

use super::{
    Eviction, Included, Judgement, Last, Missed, Outcome, Sender, Span, Visit, Whereabouts,
};
use crate::report::run::{AtNode, Judged, Message, NodeIx, NodeLog, Run};
use crate::report::{Journey, Tree, ms};

/// One message in its run, and the instant from which its times count.
struct Tracing<'a> {
    run: &'a Run,
    message: &'a Message,
    tree: Tree,
    zero: i64,
}

/// Where the message went. It has to be one of `run`.
pub(super) fn whereabouts(run: &Run, kind: Kind, id: &str) -> Whereabouts {
    let message = &run.messages(kind)[id];
    let origin = message.origin();
    let first = message.at.iter().filter_map(had_at).min();
    let tracing = Tracing {
        run,
        message,
        tree: Tree::of(run, message),
        zero: origin.map(|(_, at)| at).or(first).unwrap_or_default(),
    };
    let introduced = origin.and_then(|(node, _)| message.at[node].introduced);
    Whereabouts {
        kind,
        id: id.to_owned(),
        bytes: message.bytes,
        origin: origin.map(|(node, _)| run.nodes[node].name.clone()),
        introduced: introduced.map(|(_, origin)| origin),
        published: instant(tracing.zero),
        nodes: tracing.visits(),
        missed: tracing.missed(),
        last: tracing.last(),
        outcome: tracing.outcome(),
    }
}

/// When a node had the message, one way or the other.
fn had_at(seen: &AtNode) -> Option<i64> {
    seen.root_at().or_else(|| Some(seen.delivered()?.at))
}

fn instant(us: i64) -> String {
    Timestamp::from_microsecond(us).map_or_else(|_| us.to_string(), |at| format!("{at:.6}"))
}

impl Tracing<'_> {
    fn name(&self, node: NodeIx) -> String {
        self.run.nodes[node].name.clone()
    }

    fn since(&self, at: i64) -> f64 {
        ms(at - self.zero)
    }

    /// The nodes that had the message, along the tree.
    fn visits(&self) -> Vec<Visit> {
        let mut children: BTreeMap<Option<NodeIx>, Vec<(i64, NodeIx)>> = BTreeMap::new();
        for (node, seen) in self.message.at.iter().enumerate() {
            let Some(at) = had_at(seen) else { continue };
            // A parent that is on no known way itself would hide the node in a circle.
            let parent = self.tree.parent(node).filter(|_| self.rooted(node));
            children.entry(parent).or_default().push((at, node));
        }
        for siblings in children.values_mut() {
            // The next one is taken from the end.
            siblings.sort_unstable_by(|one, other| other.cmp(one));
        }
        let mut visits = Vec::new();
        let mut waiting: Vec<(u32, NodeIx)> = Vec::new();
        let of = |parent, indent| {
            let siblings = children.get(&parent).into_iter().flatten();
            siblings.map(move |&(_, node)| (indent, node))
        };
        waiting.extend(of(None, 0));
        while let Some((indent, node)) = waiting.pop() {
            visits.push(self.visit(node, indent));
            waiting.extend(of(Some(node), indent + 1));
        }
        visits
    }

    /// Whether climbing from `node` comes to an end: at a node that introduced the message, or at
    /// one that had it from a stranger.
    fn rooted(&self, node: NodeIx) -> bool {
        let climb = std::iter::successors(Some(node), |&node| self.tree.parent(node));
        climb.take(self.message.at.len() + 1).count() <= self.message.at.len()
    }

    fn visit(&self, node: NodeIx, indent: u32) -> Visit {
        let seen = &self.message.at[node];
        let delivered = seen.delivered();
        let since = |at: i64| self.since(at);
        Visit {
            node: self.name(node),
            region: self.run.nodes[node].region.clone(),
            ms: had_at(seen).map(since).unwrap_or_default(),
            from: delivered.map(|first| self.run.peer_name(first.from).to_owned()),
            via: delivered.map(|first| first.via),
            hop: self.tree.depth(node),
            indent,
            copies: seen.copies(),
            copies_from: self.senders(seen),
            verdict: seen.verdicts.first().map(|judged| self.judgement(judged)),
            pooled_ms: seen.pooled.map(since),
            included_ms: seen.included.map(|inclusion| since(inclusion.at)),
            tip_ms: seen.tip.map(since),
            late_start: !self.ran_until_it_came(node),
        }
    }

    fn senders(&self, seen: &AtNode) -> Vec<Sender> {
        let mut senders: Vec<Sender> = Vec::new();
        let first = seen.first.map(|first| first.from);
        for from in first.into_iter().chain(seen.again.iter().map(|copy| copy.from)) {
            let name = self.run.peer_name(from);
            match senders.iter_mut().find(|sender| sender.node == name) {
                Some(sender) => sender.copies += 1,
                None => senders.push(Sender { node: name.to_owned(), copies: 1 }),
            }
        }
        senders
    }

    fn judgement(&self, judged: &Judged) -> Judgement {
        let reason = judged.reason.map(|reason| self.run.words.get(reason));
        let ms = |us: u64| us as f64 / 1000.0;
        Judgement {
            verdict: judged.verdict,
            reason: reason.map(str::to_owned),
            queue_ms: ms(judged.queue_us),
            check_ms: ms(judged.check_us),
        }
    }

    /// Whether one process of the node ran from the publication until the node had the message.
    fn ran_until_it_came(&self, node: NodeIx) -> bool {
        let Some(at) = had_at(&self.message.at[node]) else {
            return false;
        };
        let lives = &self.run.nodes[node].lives;
        lives.iter().any(|life| life.covers(self.zero.min(at), at))
    }

    fn missed(&self) -> Vec<Missed> {
        let nodes = self.message.at.iter().enumerate();
        let missed = nodes.filter(|(_, seen)| had_at(seen).is_none());
        missed.map(|(node, _)| Missed { node: self.name(node), why: self.absence(node) }).collect()
    }

    /// What a node was doing that never had the message.
    fn absence(&self, node: NodeIx) -> String {
        let NodeLog { lives, pauses, .. } = &self.run.nodes[node];
        if pauses.iter().any(|&(held, resumed)| held <= self.zero && self.zero <= resumed) {
            return "was held still when it was published".to_owned();
        }
        let running = lives.iter().find(|life| life.covers(self.zero, self.zero));
        let next = lives.iter().find(|life| self.zero < life.start);
        let started = next.map(|life| format!("it started {:.3} ms later", self.since(life.start)));
        match (running, started) {
            (None, None) => "was not running any more".to_owned(),
            (None, Some(started)) => format!("was not running; {started}"),
            (Some(life), _) if self.run.reaches_the_end(life) => "ran all the time".to_owned(),
            (Some(life), started) => match (life.end, started) {
                (None, _) => "ran all the time".to_owned(),
                (Some(end), None) => format!("ran until {:.3} ms after it", self.since(end)),
                (Some(end), Some(started)) => {
                    format!("ran until {:.3} ms after it; {started}", self.since(end))
                }
            },
        }
    }

    fn last(&self) -> Option<Last> {
        let nodes = 0..self.message.at.len();
        let arrived = nodes.filter_map(|node| Some((self.message.at[node].delivered()?.at, node)));
        let arrived: Vec<_> = arrived.collect();
        let in_time = arrived.iter().filter(|(_, node)| self.ran_until_it_came(*node));
        let &(at, node) = in_time.max().or_else(|| arrived.iter().max())?;
        Some(Last {
            node: self.name(node),
            ms: self.since(at),
            journey: Journey::to(self.run, self.message, &self.tree, node),
        })
    }

    fn outcome(&self) -> Option<Outcome> {
        let nodes = || self.message.at.iter().enumerate();
        let evicted = nodes().filter_map(|(node, seen)| {
            let (at, reason) = seen.evicted?;
            Some(Eviction {
                node: self.name(node),
                ms: self.since(at),
                reason: self.run.words.get(reason).to_owned(),
            })
        });
        let mut blocks: BTreeMap<(u64, &str), Vec<i64>> = BTreeMap::new();
        for inclusion in nodes().filter_map(|(_, seen)| seen.included) {
            let block = (inclusion.height, self.run.words.get(inclusion.block));
            blocks.entry(block).or_default().push(inclusion.at);
        }
        let included = blocks.into_iter().filter_map(|((height, block), times)| {
            Some(Included {
                block: block.to_owned(),
                height,
                nodes: times.len() as u64,
                ms: self.span(&times)?,
            })
        });
        let tips: Vec<i64> = nodes().filter_map(|(_, seen)| seen.tip).collect();
        let outcome = Outcome {
            pooled: nodes().filter(|(_, seen)| seen.pooled.is_some()).count() as u64,
            evicted: evicted.collect(),
            included: included.collect(),
            tip: tips.len() as u64,
            tip_ms: self.span(&tips),
        };
        let told = outcome.pooled + outcome.tip > 0
            || !outcome.evicted.is_empty()
            || !outcome.included.is_empty();
        told.then_some(outcome)
    }

    fn span(&self, times: &[i64]) -> Option<Span> {
        Some(Span {
            first: self.since(*times.iter().min()?),
            last: self.since(*times.iter().max()?),
        })
    }
}
