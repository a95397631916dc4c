//! Deaths and leaves: who learned of them when, and who learned that a node was back.

use super::super::run::{NodeIx, Run};
use super::super::stats::{Summary, ms};
use super::lists::{Lists, Said};
use super::presence::{Absence, Presence};
use super::{End, LONG_PAUSE_US, Members, Why};

/// Who learned of something, and when.
#[derive(Debug, Default)]
struct Learned<'a> {
    aware: Vec<(NodeIx, &'a Said)>,
    unaware: u64,
}

/// Times over several ends of nodes, in microseconds.
#[derive(Debug, Default)]
struct Times {
    ends: u64,
    undetected: u64,
    detected: Vec<i64>,
    all_know: Vec<i64>,
    unaware: u64,
}

impl Members {
    pub(super) fn count_ends(&mut self, run: &Run, lists: &Lists<'_>, presence: &Presence<'_>) {
        let (mut deaths, mut leaves, mut returned) = (Times::default(), Times::default(), vec![]);
        for absence in &presence.absences {
            let back = absence.until.map(|_| comes_back(run, absence, lists, presence));
            if let Some(back) = back {
                self.returns += 1;
                self.unreturned += u64::from(back == Back::Unknown);
                returned.extend(back.after());
            }
            let until = absence.until.unwrap_or(presence.end);
            if absence.why == Why::Paused && until - absence.from < LONG_PAUSE_US {
                continue;
            }
            let times = if absence.why == Why::Left { &mut leaves } else { &mut deaths };
            let end = times.add(run, absence, &learned(absence, until, lists, presence));
            self.ends.push(End { returned_ms: back.and_then(Back::after).map(ms), ..end });
        }
        self.returned_ms = Summary::of_us(returned);
        self.deaths = deaths.ends;
        self.undetected = deaths.undetected;
        self.unaware = deaths.unaware;
        self.detected_ms = Summary::of_us(deaths.detected);
        self.all_know_ms = Summary::of_us(deaths.all_know);
        self.leaves = leaves.ends;
        self.left_undetected = leaves.undetected;
        self.left_unaware = leaves.unaware;
        self.left_detected_ms = Summary::of_us(leaves.detected);
        self.left_all_know_ms = Summary::of_us(leaves.all_know);
    }
}

impl Times {
    /// Adds an end, and returns what is listed of it.
    fn add(&mut self, run: &Run, absence: &Absence, learned: &Learned<'_>) -> End {
        let name = |node: NodeIx| run.nodes[node].name.clone();
        // Of those who knew at the same moment, the first by name.
        let first = learned.aware.iter().min_by_key(|(node, said)| (said.at, *node));
        let last = learned.aware.iter().map(|(_, said)| said.at).max();
        let all_know = first.zip(last).map(|((_, first), last)| last - first.at);
        let all_know = all_know.filter(|_| learned.unaware == 0);
        let detected = first.map(|(_, said)| said.at - absence.from);
        self.ends += 1;
        self.undetected += u64::from(first.is_none());
        self.unaware += learned.unaware;
        self.detected.extend(detected);
        self.all_know.extend(all_know);
        End {
            node: name(absence.node),
            at_us: absence.from,
            why: absence.why,
            detected_ms: detected.map(ms),
            by: first.map(|(node, _)| name(*node)),
            cause: first.and_then(|(_, said)| said.cause),
            all_know_ms: all_know.map(ms),
            aware: learned.aware.len() as u64,
            unaware: learned.unaware,
            back_us: absence.until,
            returned_ms: None,
        }
    }
}

/// Who learned that a node was gone, before `until`. Whoever did not hold it to be there, for having
/// been wrong about it before or for not knowing it, had nothing to learn.
fn learned<'a>(
    absence: &Absence,
    until: i64,
    lists: &'a Lists<'_>,
    presence: &Presence<'_>,
) -> Learned<'a> {
    let Absence { node, from, .. } = *absence;
    let knew = |&other: &NodeIx| lists.holds(other, node, from);
    let reached = |&other: &NodeIx| !presence.were_apart(other, node, from - 1, from - 1);
    let expected: Vec<_> = presence.others(node, from).filter(knew).filter(reached).collect();
    let mut learned = Learned::default();
    let mut never = Vec::new();
    for other in expected {
        match lists.learns_of_the_end(other, node, from, until) {
            Some(said) if presence.was_there(other, from, said.at) => {
                learned.aware.push((other, said));
            }
            Some(_) => {}
            None => never.push(other),
        }
    }
    let first = learned.aware.iter().min_by_key(|(_, said)| said.at);
    let could_know = |other: &NodeIx| {
        presence.was_there(*other, from, until)
            && first
                .is_none_or(|(teller, said)| !presence.were_apart(*other, *teller, said.at, until))
    };
    learned.unaware = never.iter().filter(|other| could_know(other)).count() as u64;
    learned
}

/// What the others made of a node that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Back {
    /// All held it to be there so long after.
    After(i64),
    /// One that is expected to know never did.
    Unknown,
    /// There was nobody to know.
    Alone,
}

impl Back {
    fn after(self) -> Option<i64> {
        match self {
            Back::After(us) => Some(us),
            Back::Unknown | Back::Alone => None,
        }
    }
}

fn comes_back(run: &Run, absence: &Absence, lists: &Lists<'_>, presence: &Presence<'_>) -> Back {
    let (node, Some(at)) = (absence.node, absence.until) else { return Back::Alone };
    // Until it goes again there is something to learn. A pause ends with its last moment, and a
    // process is there from its first line on.
    let from = if absence.restarted { at } else { at + 1 };
    let until = presence.stays_until(node, from);
    let mut back = Back::Alone;
    for other in 0..run.nodes.len() {
        if other == node || !presence.is_there(other, from) {
            continue;
        }
        match lists.holds_from(other, node, from, until) {
            Some(when) if presence.was_there(other, from, when) => {
                let before = back.after().unwrap_or(0);
                if back != Back::Unknown {
                    back = Back::After(before.max(when - at));
                }
            }
            None if presence.was_there(other, from, until)
                && !presence.were_apart(other, node, from, until) =>
            {
                back = Back::Unknown;
            }
            _ => {}
        }
    }
    back
}
