//! Whom to give work to: [`crate::choice`] by what members say of their load.
//!
//! What a member says is some seconds old when it arrives, and everybody hears the same. If each took
//! the least loaded, all would run to it together; chances in proportion to the weights spread them.

use std::time::Duration;

use libp2p::PeerId;

use super::load::Load;
use crate::choice::Choice;

/// A member that could do the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub peer: PeerId,
    /// What it said last of its load.
    pub load: Load,
    /// The round trip to it, if this node measured one.
    pub rtt: Option<Duration>,
}

/// The options among `candidates` for a [`crate::choice::Chooser`], each weighed by its speed over
/// its load. With `spare`, the overloaded are left out unless all are: a strategy that does not look
/// at weights is then kept from the worst as well.
#[must_use]
pub fn choices(candidates: &[Candidate], spare: bool) -> Vec<Choice> {
    let weighed = |candidate: &Candidate| Choice {
        peer: candidate.peer,
        weight: candidate.load.weight(candidate.rtt),
    };
    let with_room: Vec<Choice> =
        candidates.iter().filter(|c| !(spare && c.load.overloaded())).map(weighed).collect();
    if with_room.is_empty() { candidates.iter().map(weighed).collect() } else { with_room }
}

/// What a peer that does other work for this node counts for because of its load: 1 for an idle one,
/// less for a busy one. Whoever uses it has a measure of its own for speed and distance.
#[must_use]
pub fn ease(load: &Load) -> f64 {
    let here = Some(Duration::ZERO);
    load.weight(here) / Load::default().weight(here)
}

/// Leaves the overloaded out, unless all are. Each option comes with its load.
#[must_use]
pub fn spared(options: Vec<(Choice, Load)>) -> Vec<Choice> {
    let all_are = options.iter().all(|(_, load)| load.overloaded());
    let has_room = |(_, load): &(Choice, Load)| all_are || !load.overloaded();
    options.into_iter().filter(has_room).map(|(choice, _)| choice).collect()
}

#[cfg(test)]
mod tests;
