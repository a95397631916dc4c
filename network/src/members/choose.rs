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
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::choice::{Chooser, Strategy};
    use crate::members::profile::Key;

    fn candidate(n: u8, busy: f64, queue: u16) -> Candidate {
        let load = Load { busy: Load::busy_of(busy), queue, ..Load::default() };
        let rtt = Some(Duration::from_millis(20));
        Candidate { peer: Key([n; 32]).to_peer_id(), load, rtt }
    }

    #[test]
    fn the_overloaded_are_spared_unless_all_are() {
        let (idle, full) = (candidate(1, 0.1, 0), candidate(2, 1.0, 0));
        let peers = |candidates: &[Candidate], spare| {
            choices(candidates, spare).iter().map(|choice| choice.peer).collect::<Vec<_>>()
        };
        assert_eq!(peers(&[idle, full], true), [idle.peer]);
        assert_eq!(peers(&[idle, full], false), [idle.peer, full.peer]);
        assert_eq!(peers(&[full], true), [full.peer]);
        assert_eq!(peers(&[], true), []);
    }

    #[test]
    fn an_idle_peer_counts_in_full_and_a_busy_one_for_less() {
        let ease_of = |busy, queue| ease(&candidate(1, busy, queue).load);
        assert!((ease_of(0.0, 0) - 1.0).abs() < 1e-9);
        assert!((ease_of(0.5, 0) - 0.5).abs() < 1e-9);
        assert!(ease_of(0.5, 30) < 0.5 && ease_of(1.0, u16::MAX) > 0.0);
    }

    #[test]
    fn an_overloaded_peer_is_left_out_while_there_is_another() {
        let option = |n, busy| {
            let Candidate { peer, load, .. } = candidate(n, busy, 0);
            (Choice { peer, weight: 1.0 }, load)
        };
        let left = |options| spared(options).iter().map(|it| it.peer).collect::<Vec<_>>();
        let (idle, full) = (option(1, 0.1), option(2, 1.0));
        assert_eq!(left(vec![idle, full]), [idle.0.peer]);
        assert_eq!(left(vec![full]), [full.0.peer]);
    }

    #[test]
    fn a_busy_node_gets_less_work_the_busier_it_is() {
        let candidates = [candidate(1, 0.0, 0), candidate(2, 0.5, 0), candidate(3, 0.5, 30)];
        let mut chooser = Chooser::new(Strategy::Weighted, 1);
        let mut counts: BTreeMap<PeerId, usize> = BTreeMap::new();
        for _ in 0..3_000 {
            let chosen = chooser.choose(&choices(&candidates, true)).unwrap();
            *counts.entry(chosen).or_default() += 1;
        }
        let counts = candidates.map(|candidate| counts[&candidate.peer]);
        assert!(counts[0] > counts[1] * 3 / 2 && counts[1] > counts[2] * 3 / 2, "{counts:?}");
    }
}
