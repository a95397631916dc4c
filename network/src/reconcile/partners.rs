//! With whom pools are compared: what is known of each peer as a partner, and the choice.

use std::collections::BTreeMap;

use hearsay_chain::TxId;
use libp2p::PeerId;

use super::memory::Memory;
use crate::choice::{Choice, Chooser, Strategy};
use crate::members::Load;
use crate::members::choose::{ease, spared};

/// What a partner is taken to give until it was tried: one transaction for each KiB. Pools are mostly
/// alike, so one that was not tried goes before those that had nothing.
const UNTRIED: f64 = 1.0;

/// The share of the last exchange in the running mean.
const SHARE: f64 = 0.3;

/// What the least useful partner still counts for: it may have something next time, and with nobody
/// else it is chosen all the same.
const LEAST_USE: f64 = 0.05;

/// What the most useful one counts for. One that lacks much for a while, or makes it look so, is not
/// the only one that is asked.
const MOST_USE: f64 = 20.0;

/// Milliseconds added to each latency: below that the way makes no difference to a round.
const NEAR_MS: f64 = 20.0;

/// The latency of a partner that was not measured, in milliseconds: across a continent.
const UNKNOWN_MS: f64 = 100.0;

/// By how much being busy is forgotten with each answer.
const CALM: f64 = 0.5;

/// How long a partner rests that did not answer in time, in microseconds.
const SILENT_US: u64 = 30_000_000;

/// How long it rests when it would not answer: it has had enough for now.
const REFUSED_US: u64 = 5_000_000;

/// How long a peer is not chosen after it began a comparison itself, which served both.
const SERVED_US: u64 = 2_000_000;

/// Bytes a second that may go into comparisons with one partner that change nothing, when pools keep
/// different things (another least fee, another size): beyond them, it rests.
const IDLE_BYTES_A_SECOND: u64 = 1_024;

/// The longest rest for that, in microseconds.
const IDLE_REST_US: u64 = 60_000_000;

#[derive(Clone, Debug)]
struct Partner {
    useful: f64,
    /// Transactions that came of it and were taken since the last exchange was weighed.
    credit: u64,
    rtt_ms: Option<f64>,
    answer_ms: Option<f64>,
    busy: f64,
    load: Load,
    rest_until: u64,
    handed: Memory,
    refused: Memory,
}

impl Partner {
    /// Its weight: what it is worth over what it costs.
    ///
    /// `useful / (latency + 20 ms) / (1 + busy) × ease`
    ///
    /// * `useful`: transactions that moved, either way, for each KiB of symbols and names, as a
    ///   running mean over exchanges, within bounds; what it gave counts only if it was taken.
    /// * `latency`: the measured round trip or the time that it took to answer, whichever is longer.
    ///   The latter has its load in it.
    /// * `busy`: how often it refused or did not answer lately, halved with each answer.
    /// * `ease`: 1 if it says that it is idle, less the busier it says it is. The overloaded are left
    ///   out beside that, unless all are.
    fn weight(&self) -> f64 {
        let latency = match (self.rtt_ms, self.answer_ms) {
            (Some(rtt), Some(answer)) => rtt.max(answer),
            (one, other) => one.or(other).unwrap_or(UNKNOWN_MS),
        };
        self.useful.clamp(LEAST_USE, MOST_USE) / (latency + NEAR_MS) / (1.0 + self.busy)
            * ease(&self.load)
    }
}

/// Every peer of this network that is connected; bounded by the connection limits.
#[derive(Debug)]
pub struct Partners {
    by_id: BTreeMap<PeerId, Partner>,
    chooser: Chooser,
}

impl Partners {
    /// Nobody yet.
    #[must_use]
    pub fn new(strategy: Strategy, seed: u64) -> Self {
        Self { by_id: BTreeMap::new(), chooser: Chooser::new(strategy, seed) }
    }

    /// A peer is there.
    pub fn joined(&mut self, peer: PeerId) {
        self.by_id.entry(peer).or_insert_with(|| Partner {
            useful: UNTRIED,
            credit: 0,
            rtt_ms: None,
            answer_ms: None,
            busy: 0.0,
            load: Load::default(),
            rest_until: 0,
            handed: Memory::default(),
            refused: Memory::default(),
        });
    }

    /// A peer is gone.
    pub fn left(&mut self, peer: &PeerId) {
        self.by_id.remove(peer);
    }

    /// Whether it is there and does not rest.
    #[must_use]
    pub fn may_ask(&self, peer: &PeerId, now: u64) -> bool {
        self.by_id.get(peer).is_some_and(|partner| partner.rest_until <= now)
    }

    /// The next partner, if there is any that does not rest.
    pub fn choose(&mut self, now: u64) -> Option<PeerId> {
        let rested = self.by_id.iter().filter(|(_, partner)| partner.rest_until <= now);
        let choices =
            rested.map(|(peer, it)| (Choice { peer: *peer, weight: it.weight() }, it.load));
        self.chooser.choose(&spared(choices.collect()))
    }

    fn change(&mut self, peer: &PeerId, change: impl FnOnce(&mut Partner)) {
        if let Some(partner) = self.by_id.get_mut(peer) {
            change(partner);
        }
    }

    /// A round trip was measured, in microseconds.
    pub fn measured(&mut self, peer: &PeerId, rtt_us: u64) {
        self.change(peer, |partner| partner.rtt_ms = Some(rtt_us as f64 / 1e3));
    }

    /// It says how busy it is.
    pub fn loaded(&mut self, peer: &PeerId, load: Load) {
        self.change(peer, |partner| partner.load = load);
    }

    /// It answered after so many microseconds.
    pub fn answered(&mut self, peer: &PeerId, us: u64) {
        self.change(peer, |partner| {
            let ms = us as f64 / 1e3;
            let mean = partner.answer_ms.unwrap_or(ms);
            partner.answer_ms = Some(mean + SHARE * (ms - mean));
            partner.busy *= CALM;
        });
    }

    /// It did not answer in time.
    pub fn silent(&mut self, peer: &PeerId, now: u64) {
        self.passed_over(peer, now.saturating_add(SILENT_US));
    }

    /// It would not answer.
    pub fn refused_to_answer(&mut self, peer: &PeerId, now: u64) {
        self.passed_over(peer, now.saturating_add(REFUSED_US));
    }

    fn passed_over(&mut self, peer: &PeerId, until: u64) {
        self.change(peer, |partner| {
            partner.busy += 1.0;
            partner.rest_until = partner.rest_until.max(until);
        });
    }

    /// It compares its pool with ours.
    pub fn served(&mut self, peer: &PeerId, now: u64) {
        self.change(peer, |partner| {
            partner.rest_until = partner.rest_until.max(now.saturating_add(SERVED_US));
        });
    }

    /// A transaction that it gave was taken.
    pub fn credit(&mut self, peer: &PeerId) {
        self.change(peer, |partner| partner.credit = partner.credit.saturating_add(1));
    }

    /// An exchange is over in which it was given so many transactions, and which took so many bytes
    /// beside them; `moved` says whether any transaction went either way.
    pub fn ended(&mut self, peer: &PeerId, now: u64, given: u64, bytes: u64, moved: bool) {
        self.change(peer, |partner| {
            let worth = given.saturating_add(std::mem::take(&mut partner.credit));
            let found = worth as f64 * 1_024.0 / bytes.max(1_024) as f64;
            partner.useful += SHARE * (found.min(MOST_USE) - partner.useful);
            if !moved {
                let rest = bytes.saturating_mul(1_000_000) / IDLE_BYTES_A_SECOND;
                let until = now.saturating_add(rest.min(IDLE_REST_US));
                partner.rest_until = partner.rest_until.max(until);
            }
        });
    }

    /// It was handed a transaction: it is not to be offered to it again before `until`.
    pub fn note_handed(&mut self, peer: &PeerId, id: TxId, until: u64, now: u64) {
        self.change(peer, |partner| partner.handed.note(id, until, now));
    }

    /// A transaction that it gave was not taken: it is not to be asked for one again before `until`.
    pub fn note_refused(&mut self, peer: &PeerId, id: TxId, until: u64, now: u64) {
        self.change(peer, |partner| partner.refused.note(id, until, now));
    }

    /// Whether it was handed a transaction lately.
    #[must_use]
    pub fn was_handed(&self, peer: &PeerId, id: &TxId, now: u64) -> bool {
        self.by_id.get(peer).is_some_and(|partner| partner.handed.has(id, now))
    }

    /// What it gave lately and was not taken.
    pub fn refused(&self, peer: &PeerId, now: u64) -> impl Iterator<Item = &TxId> {
        self.by_id.get(peer).into_iter().flat_map(move |partner| partner.refused.ids(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000_000;

    fn peer(number: u8) -> PeerId {
        crate::peer_id(&[number; 32])
    }

    fn partners(strategy: Strategy) -> Partners {
        let mut partners = Partners::new(strategy, 1);
        for number in 1..=3 {
            partners.joined(peer(number));
        }
        partners
    }

    fn shares(partners: &mut Partners) -> [usize; 3] {
        let mut counts = [0; 3];
        for _ in 0..3_000 {
            let chosen = partners.choose(NOW).unwrap();
            let number = (0..3).find(|number| peer(*number as u8 + 1) == chosen).unwrap();
            counts[number] += 1;
        }
        counts
    }

    #[test]
    fn weighted_prefers_whoever_is_useful_near_and_not_busy() {
        let mut useful = partners(Strategy::Weighted);
        for _ in 0..10 {
            useful.ended(&peer(1), NOW - 70_000_000, 3, 1_024, true);
            useful.ended(&peer(2), NOW - 70_000_000, 0, 100, false);
        }
        let [often, seldom, untried] = shares(&mut useful);
        assert!(
            often > untried && untried > 3 * seldom && seldom > 0,
            "{often} {seldom} {untried}"
        );

        let mut near = partners(Strategy::Weighted);
        for (number, ms) in [(1, 10), (2, 70), (3, 280)] {
            near.measured(&peer(number), ms * 1_000);
        }
        let [one, two, three] = shares(&mut near);
        // 30, 90 and 300 ms: 10/30 to 10/90 to 10/300 of the whole.
        assert!(one > 2 * two && two > 2 * three && three > 0, "{one} {two} {three}");

        let mut busy = partners(Strategy::Weighted);
        busy.silent(&peer(1), NOW - 40_000_000);
        busy.refused_to_answer(&peer(1), NOW - 40_000_000);
        let [least, one, two] = shares(&mut busy);
        assert!(2 * least < one && 2 * least < two, "{least} {one} {two}");
    }

    #[test]
    fn whoever_says_that_it_is_busy_is_asked_less_and_the_overloaded_only_if_all_are() {
        let mut weighted = partners(Strategy::Weighted);
        let busy = |share| Load { busy: Load::busy_of(share), ..Load::default() };
        weighted.loaded(&peer(1), busy(0.8));
        weighted.loaded(&peer(2), busy(1.0));
        let [less, never, idle] = shares(&mut weighted);
        assert!(idle > 4 * less && less > 0 && never == 0, "{less} {never} {idle}");
        let mut all = partners(Strategy::RoundRobin);
        (1..=3).for_each(|number| all.loaded(&peer(number), busy(1.0)));
        assert_eq!(shares(&mut all), [1_000; 3]);
    }

    #[test]
    fn an_answer_that_takes_long_counts_as_distance() {
        let mut partners = partners(Strategy::Weighted);
        for number in 1..=3 {
            partners.measured(&peer(number), 10_000);
        }
        partners.answered(&peer(2), 500_000);
        let [one, slow, two] = shares(&mut partners);
        assert!(one > 8 * slow && two > 8 * slow && slow > 0, "{one} {slow} {two}");
    }

    #[test]
    fn whoever_is_silent_refuses_was_served_or_has_nothing_for_much_rests() {
        let mut partners = partners(Strategy::RoundRobin);
        partners.silent(&peer(1), NOW);
        partners.refused_to_answer(&peer(2), NOW);
        partners.served(&peer(3), NOW);
        assert_eq!(partners.choose(NOW), None);
        assert_eq!(partners.choose(NOW + SERVED_US), Some(peer(3)));
        assert!(partners.may_ask(&peer(2), NOW + REFUSED_US));
        assert!(!partners.may_ask(&peer(1), NOW + SILENT_US - 1));
        assert!(partners.may_ask(&peer(1), NOW + SILENT_US));
        // 10 KiB for nothing: ten seconds. For something: none.
        partners.ended(&peer(1), NOW + SILENT_US, 0, 10 << 10, false);
        assert!(!partners.may_ask(&peer(1), NOW + SILENT_US + 9_999_999));
        assert!(partners.may_ask(&peer(1), NOW + SILENT_US + 10_000_000));
        partners.ended(&peer(2), NOW + SILENT_US, 1, 10 << 10, true);
        assert!(partners.may_ask(&peer(2), NOW + SILENT_US));
    }

    #[test]
    fn each_strategy_finds_everybody() {
        for strategy in [Strategy::Random, Strategy::RoundRobin, Strategy::Weighted] {
            assert!(shares(&mut partners(strategy)).iter().all(|share| *share > 800));
        }
        let mut nobody = Partners::new(Strategy::Weighted, 1);
        assert_eq!(nobody.choose(NOW), None);
        nobody.credit(&peer(1));
        assert!(!nobody.may_ask(&peer(1), NOW), "who is not there stays unknown");
    }
}
