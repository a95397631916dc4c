//! What peers have done that nobody does by mistake, and who is kept away for it. Pure: time is given.
//!
//! Each offence costs points, and half of them are forgotten in [`HALF_LIFE_US`]. A peer that comes to
//! [`BAN_AT`] is kept away: for two minutes at first, and twice as long each time it comes again within
//! an hour. What is merely of no use (known, stale, early, cheap) costs nothing.

use std::collections::BTreeMap;

use libp2p::PeerId;

/// Points at which a peer is kept away.
pub const BAN_AT: f64 = 100.0;

/// In this time half of a peer's points are forgotten: a node that a bug makes send an invalid message
/// every ten seconds stays below the bar (it comes to 91), and a flood does not.
pub const HALF_LIFE_US: u64 = 60_000_000;

/// How long the first ban lasts: long enough to make a peer useless for an attack, short enough that a
/// repaired node is soon back.
const FIRST_BAN_US: u64 = 120_000_000;

/// How often the time of a ban doubles at most: the longest that scores bring is 64 minutes.
const MAX_DOUBLINGS: u32 = 5;

/// A peer that was not kept away for so long has its next ban as its first.
const FORGIVEN_US: u64 = 3_600_000_000;

/// Peers whose points are kept. An id costs nothing to make, so a longer list would find no more; the
/// connection limits bound what those beyond it can do.
const MAX_PEERS: usize = 4_096;

/// What a peer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Offence {
    /// It sent a message that can never be valid: ten within a minute are too many.
    Invalid,
    /// It used a protocol as it is not meant to be used: four times within a minute are too many.
    Misuse,
    /// It gave a false answer to a question, which takes intent.
    Lie,
}

impl Offence {
    /// What it costs.
    #[must_use]
    pub fn points(self) -> f64 {
        match self {
            // A little more than a tenth and a quarter of the bar, as some is forgotten meanwhile.
            Offence::Invalid => 10.5,
            Offence::Misuse => 26.0,
            Offence::Lie => BAN_AT,
        }
    }
}

/// A peer that is kept away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Until when, in microseconds of the clock that is given.
    pub until_us: u64,
    /// Why: a stable word.
    pub reason: &'static str,
}

/// What is kept of a peer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    points: f64,
    /// When that was, or will be, true.
    at_us: u64,
    /// Offences so far.
    pub offences: u64,
    /// Why it was charged last.
    pub last: Option<&'static str>,
    bans: u32,
    /// Whether and how long it is kept away.
    pub ban: Option<Ban>,
}

impl Score {
    /// Its points now.
    #[must_use]
    pub fn points(&self, now_us: u64) -> f64 {
        let halves = now_us.saturating_sub(self.at_us) as f64 / HALF_LIFE_US as f64;
        self.points * (-halves).exp2()
    }

    fn add(&mut self, points: f64, now_us: u64) {
        (self.points, self.at_us) = (self.points(now_us) + points, now_us);
    }
}

/// The scores of all peers that have any.
#[derive(Debug, Default)]
pub struct Scores {
    by_peer: BTreeMap<PeerId, Score>,
}

impl Scores {
    /// Charges a peer. If that makes it too much, the peer is to be kept away for so many microseconds.
    pub fn charge(
        &mut self,
        peer: &PeerId,
        offence: Offence,
        reason: &'static str,
        now_us: u64,
    ) -> Option<u64> {
        let score = self.entry(peer, now_us);
        score.offences = score.offences.saturating_add(1);
        score.last = Some(reason);
        // What was on its way when it was sent off changes nothing.
        if score.ban.is_some() {
            return None;
        }
        score.add(offence.points(), now_us);
        if score.points(now_us) < BAN_AT {
            return None;
        }
        let bans = score.bans;
        let us = FIRST_BAN_US << bans.min(MAX_DOUBLINGS);
        score.bans = bans.saturating_add(1);
        score.ban = Some(Ban { until_us: now_us.saturating_add(us), reason });
        // It comes back on probation: half as much brings the next one. Time counts from then on.
        (score.points, score.at_us) = (BAN_AT / 2.0, now_us.saturating_add(us));
        Some(us)
    }

    /// Keeps a peer away because somebody says so.
    pub fn ban(&mut self, peer: &PeerId, us: u64, now_us: u64) {
        let until_us = now_us.saturating_add(us);
        self.entry(peer, now_us).ban = Some(Ban { until_us, reason: "by-hand" });
    }

    /// Lets a peer come back, and forgets what it has done. Says whether there was anything.
    pub fn forgive(&mut self, peer: &PeerId) -> bool {
        self.by_peer.remove(peer).is_some()
    }

    /// Ends bans whose time is over, and forgets peers of which nothing is left to be known.
    pub fn tick(&mut self, now_us: u64) {
        self.by_peer.retain(|_, score| {
            score.ban.take_if(|ban| ban.until_us <= now_us);
            let quiet = now_us.saturating_sub(score.at_us);
            score.ban.is_some()
                || score.points(now_us) >= 0.5
                || quiet < FORGIVEN_US && score.bans > 0
        });
    }

    /// Whether a peer is kept away now.
    #[must_use]
    pub fn is_banned(&self, peer: &PeerId, now_us: u64) -> bool {
        let ban = self.by_peer.get(peer).and_then(|score| score.ban.as_ref());
        ban.is_some_and(|ban| now_us < ban.until_us)
    }

    /// What is known of each peer that has done anything, by id.
    pub fn all(&self) -> impl Iterator<Item = (&PeerId, &Score)> {
        self.by_peer.iter()
    }

    fn entry(&mut self, peer: &PeerId, now_us: u64) -> &mut Score {
        if self.by_peer.len() >= MAX_PEERS && !self.by_peer.contains_key(peer) {
            // The one that has done least, and is not kept away if any is not.
            let rank = |score: &Score| (score.ban.is_some(), score.points(now_us));
            let least = self.by_peer.iter().min_by(|(_, a), (_, b)| {
                let (a, b) = (rank(a), rank(b));
                a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
            });
            if let Some(least) = least.map(|(peer, _)| *peer) {
                self.by_peer.remove(&least);
            }
        }
        self.by_peer.entry(*peer).or_insert_with(|| Score { at_us: now_us, ..Score::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn peer(number: u64) -> PeerId {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        crate::peer_id(&seed)
    }

    fn flood(scores: &mut Scores, every: u64, from: u64) -> Option<(u64, u64)> {
        (0..600).find_map(|n| {
            let now = from + n * every;
            scores.tick(now);
            let us = scores.charge(&peer(1), Offence::Invalid, "malformed", now)?;
            Some((n, us))
        })
    }

    #[test]
    fn ten_invalid_messages_in_a_moment_are_too_many_and_one_every_ten_seconds_is_not() {
        assert_eq!(flood(&mut Scores::default(), 1_000, 0), Some((9, FIRST_BAN_US)));
        assert_eq!(flood(&mut Scores::default(), 10 * SECOND, 0), None);
    }

    #[test]
    fn a_lie_is_one_too_many_and_four_misuses_are() {
        let mut scores = Scores::default();
        assert!(scores.charge(&peer(1), Offence::Lie, "false-bodies", 0).is_some());
        let misuse = |scores: &mut Scores, n| scores.charge(&peer(2), Offence::Misuse, "flood", n);
        let bans: Vec<bool> = (0..4).map(|n| misuse(&mut scores, n).is_some()).collect();
        assert_eq!(bans, [false, false, false, true]);
    }

    #[test]
    fn each_ban_is_twice_as_long_as_the_one_before_and_ends() {
        let mut scores = Scores::default();
        let (mut now, mut lengths) = (0, Vec::new());
        for _ in 0..8 {
            let (n, us) = flood(&mut scores, 1_000, now).unwrap();
            now += n * 1_000;
            assert!(scores.is_banned(&peer(1), now));
            assert_eq!(scores.charge(&peer(1), Offence::Lie, "lie", now), None, "it is away");
            now += us;
            assert!(!scores.is_banned(&peer(1), now));
            lengths.push(us / FIRST_BAN_US);
        }
        assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 32, 32]);
        scores.tick(now + 2 * FORGIVEN_US);
        assert_eq!(scores.all().count(), 0, "it is forgotten");
    }

    #[test]
    fn who_was_banned_by_hand_stays_away_until_its_time_is_over_or_it_is_forgiven() {
        let mut scores = Scores::default();
        scores.ban(&peer(1), 10 * SECOND, 0);
        scores.tick(9 * SECOND);
        assert!(scores.is_banned(&peer(1), 9 * SECOND));
        assert!(scores.forgive(&peer(1)) && !scores.forgive(&peer(1)));
        assert!(!scores.is_banned(&peer(1), 9 * SECOND));
    }

    #[test]
    fn a_full_list_forgets_who_has_done_least_and_keeps_the_banned() {
        let mut scores = Scores::default();
        scores.ban(&peer(0), SECOND, 0);
        for number in 1..=MAX_PEERS as u64 {
            scores.charge(&peer(number), Offence::Invalid, "malformed", number);
        }
        assert_eq!(scores.all().count(), MAX_PEERS);
        assert!(scores.is_banned(&peer(0), 5));
        assert!(!scores.by_peer.contains_key(&peer(1)), "the oldest has the fewest points left");
    }
}
