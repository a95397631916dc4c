//! When pools are compared: now and then, and soon after somebody joined or something was lost.

use std::collections::VecDeque;

use libp2p::PeerId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::part::Part;

/// How soon after a peer joined, or after a loss, in microseconds: not at the moment at which all
/// others begin too.
const SOON_US: std::ops::Range<u64> = 100_000..500_000;

/// How soon it is tried again where tips differed: blocks take less to spread, and a branch takes
/// longer to fetch.
const AGAIN_US: std::ops::Range<u64> = 500_000..1_500_000;

/// The least time between two that losses bring about: losses come in bursts.
const LEAST_US: u64 = 1_000_000;

/// Peers that wait for their first: more than a node is connected to.
const MAX_WAITING: usize = 1_024;

/// A comparison to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// With whom; none: with whoever the strategy chooses.
    pub peer: Option<PeerId>,
    /// Which part; none: as the size of the pool has it.
    pub part: Option<Part>,
    /// Whether this side only asks for what it lacks. A peer that has just come does so with each that
    /// it came to, one after the other; if each of them offered it what it lacks, it would have
    /// everything from each.
    pub asks_only: bool,
    /// How often it was put off.
    pub tries: u8,
}

/// The parts that are left to compare with a peer whose pool lies far from ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Who.
    pub peer: PeerId,
    /// How fine the parts are.
    pub bits: u8,
    /// The number of the next one.
    pub next: u64,
}

/// The times of comparisons.
#[derive(Debug)]
pub struct Rounds {
    every_us: u64,
    due: Option<u64>,
    begun: u64,
    waiting: VecDeque<(u64, Start)>,
    random: StdRng,
}

impl Rounds {
    /// One every so many microseconds, a quarter more or less; none if 0.
    #[must_use]
    pub fn new(every_us: u64, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self { every_us, due: None, begun: 0, waiting: VecDeque::new(), random }
    }

    fn wait(&mut self, at: u64, start: Start) {
        if self.every_us > 0 && self.waiting.len() < MAX_WAITING {
            self.waiting.push_back((at, start));
        }
    }

    fn within(&mut self, now: u64, span: std::ops::Range<u64>) -> u64 {
        now.saturating_add(self.random.random_range(span))
    }

    /// A peer is there: it may have what came while it was not, or lack it.
    pub fn joined(&mut self, now: u64, peer: PeerId) {
        let at = self.within(now, SOON_US);
        self.wait(at, Start { peer: Some(peer), part: None, asks_only: true, tries: 0 });
    }

    /// A peer is gone.
    pub fn forget(&mut self, peer: &PeerId) {
        self.waiting.retain(|(_, start)| start.peer.as_ref() != Some(peer));
    }

    /// Messages were lost.
    pub fn lost(&mut self, now: u64) {
        let at = self.within(now, SOON_US).max(self.begun.saturating_add(LEAST_US));
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// One that was begun is put off.
    pub fn again(&mut self, now: u64, start: Start) {
        let at = self.within(now, AGAIN_US);
        self.wait(at, Start { tries: start.tries.saturating_add(1), ..start });
    }

    /// Other parts are to be compared with a peer, up to the last one of this fineness.
    pub fn go_on(&mut self, now: u64, sweep: Sweep) {
        if sweep.next < 1 << sweep.bits {
            let part = Some(Part::new(sweep.bits, sweep.next));
            let at = self.within(now, AGAIN_US);
            self.wait(at, Start { peer: Some(sweep.peer), part, asks_only: true, tries: 0 });
        }
    }

    /// The comparison to begin now, if any is due.
    pub fn next(&mut self, now: u64) -> Option<Start> {
        if self.every_us == 0 {
            return None;
        }
        let quarter = self.every_us / 4;
        let pause = self.every_us - quarter;
        if self.due.is_none() {
            self.due = Some(self.within(now, pause..pause + 2 * quarter + 1));
        }
        let waits = self.waiting.iter().position(|(at, _)| *at <= now);
        let start = match waits.and_then(|at| self.waiting.remove(at)) {
            Some((_, start)) => start,
            None if self.due.is_some_and(|due| due <= now) => {
                self.due = Some(self.within(now, pause..pause + 2 * quarter + 1));
                Start { peer: None, part: None, asks_only: false, tries: 0 }
            }
            None => return None,
        };
        self.begun = now;
        Some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn starts(rounds: &mut Rounds, span: std::ops::Range<u64>) -> Vec<(u64, Start)> {
        let ticks = span.step_by(100_000);
        ticks.filter_map(|now| rounds.next(now).map(|start| (now, start))).collect()
    }

    #[test]
    fn rounds_come_at_the_interval_a_quarter_more_or_less() {
        let mut rounds = Rounds::new(5 * SECOND, 1);
        let times: Vec<u64> =
            starts(&mut rounds, 0..500 * SECOND).into_iter().map(|(at, _)| at).collect();
        assert!((95..=105).contains(&times.len()), "{}", times.len());
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        let (least, most) = (gaps.clone().min().unwrap(), gaps.max().unwrap());
        assert!(least >= 3_700_000 && least < 4_200_000, "{least}");
        assert!(most <= 6_400_000 && most > 5_800_000, "{most}");
    }

    #[test]
    fn a_peer_that_joined_is_compared_with_at_once_and_one_that_left_is_not() {
        let mut rounds = Rounds::new(60 * SECOND, 1);
        let peers: Vec<PeerId> = (1..=3).map(|seed| crate::peer_id(&[seed; 32])).collect();
        for peer in &peers {
            rounds.joined(0, *peer);
        }
        rounds.forget(&peers[1]);
        let begun = starts(&mut rounds, 0..10 * SECOND);
        assert_eq!(begun.len(), 2);
        for (at, start) in begun {
            assert!((100_000..=500_000).contains(&at));
            assert!(start.peer == Some(peers[0]) || start.peer == Some(peers[2]));
        }
    }

    #[test]
    fn losses_bring_one_on_but_not_more_than_one_a_second() {
        let mut rounds = Rounds::new(60 * SECOND, 1);
        rounds.next(0);
        let mut begun = 0;
        for now in (0..10 * SECOND).step_by(100_000) {
            rounds.lost(now);
            begun += usize::from(rounds.next(now).is_some());
        }
        assert!((8..=10).contains(&begun), "{begun}");
    }

    #[test]
    fn all_parts_of_a_pool_that_lies_far_away_have_their_turn() {
        let mut rounds = Rounds::new(600 * SECOND, 1);
        let peer = crate::peer_id(&[1; 32]);
        rounds.go_on(0, Sweep { peer, bits: 2, next: 1 });
        let mut parts = Vec::new();
        for now in (0..10 * SECOND).step_by(100_000) {
            if let Some(start) = rounds.next(now) {
                parts.push(start.part.unwrap());
                rounds.go_on(now, Sweep { peer, bits: 2, next: 1 + parts.len() as u64 });
            }
        }
        assert_eq!(parts, [1, 2, 3].map(|index| Part::new(2, index)));
    }

    #[test]
    fn an_interval_of_nothing_is_none_at_all() {
        let mut rounds = Rounds::new(0, 1);
        rounds.joined(0, crate::peer_id(&[1; 32]));
        rounds.lost(0);
        assert_eq!(rounds.next(1 << 60), None);
    }
}
