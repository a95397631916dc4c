//! How long a suspicion lasts, and how far we trust ourselves: what Lifeguard adds to SWIM.
//!
//! Dadgar, Phillips and Currey, "Lifeguard: Local Health Awareness for More Accurate Failure
//! Detection" (2018, arXiv 1707.00788). A suspicion lasts long while one member alone holds it, and
//! shorter with each that confirms it independently. A member whose own probes go wrong suspects
//! that the fault is its own, and waits longer.
//!
//! To that comes what only an overlay knows. A connection that broke, and whose other end does not
//! answer by another way either, says more than a probe that went unanswered on a path of several
//! hops; such accusations end a suspicion sooner.

use std::collections::BTreeMap;
use std::time::Duration;

use super::profile::Key;

/// Confirmations after which a suspicion is at its shortest: three independent ones, as in the
/// paper (K = 3).
const CONFIRMATIONS: f64 = 3.0;
/// Those of broken connections: two, as the first few neighbours of a dead member notice at once,
/// and on a sparse graph it has no more.
const LINK_CONFIRMATIONS: f64 = 2.0;

/// The shortest suspicion, in probe periods times the decimal logarithm of the members: four, as
/// memberlist has it (`SuspicionMult`). A member whose every message waits two seconds still
/// refutes within it.
const SHORTEST: f64 = 4.0;
/// The longest, in times the shortest. The paper's is 6; with 2 the death of a machine that breaks
/// no connection is known within some 11 s among 20, and neighbours ask before they confirm.
const LONGEST: f64 = 2.0;
/// The shortest after broken connections: one period, in which the news crosses the network and a
/// refutation comes back.
const LINK_SHORTEST: f64 = 1.0;
/// The longest after broken connections, in times that.
const LINK_LONGEST: f64 = 3.0;

/// How many accusers are kept: more than count.
const MAX_ACCUSERS: usize = 8;

/// A member is suspected, by us too.
#[derive(Clone, Debug)]
pub(crate) struct Suspicion {
    /// Which incarnation of it.
    pub(crate) incarnation: u16,
    /// Since when.
    pub(crate) since: Duration,
    /// Somebody told its death. It still has the time in which it could have heard of it.
    pub(crate) told: bool,
    /// We asked it ourselves already.
    pub(crate) asked: bool,
    answered: bool,
    accusers: BTreeMap<Key, bool>,
}

impl Suspicion {
    pub(crate) const fn new(incarnation: u16, since: Duration) -> Self {
        let accusers = BTreeMap::new();
        Self { incarnation, since, told: false, asked: false, answered: false, accusers }
    }

    /// Whether a profile with this number is the first to bear out an incarnation that refutes this.
    pub(crate) fn answer(&mut self, number: u32) -> bool {
        number > u32::from(self.incarnation) && !std::mem::replace(&mut self.answered, true)
    }

    /// One more member suspects it. Whether that is news.
    pub(crate) fn accuse(&mut self, accuser: Key, lost_link: bool) -> bool {
        let news = !self.counts(&accuser, lost_link);
        if news {
            self.accusers.insert(accuser, lost_link);
        }
        news
    }

    /// Whether this accuser with this reason would be no news, or one more than count.
    pub(crate) fn counts(&self, accuser: &Key, lost_link: bool) -> bool {
        match self.accusers.get(accuser) {
            Some(known) => *known || !lost_link,
            None => self.accusers.len() >= MAX_ACCUSERS,
        }
    }

    /// Whether broken connections are among the reasons.
    pub(crate) fn link_lost(&self) -> bool {
        self.accusers.values().any(|lost| *lost)
    }

    /// When it turns into certainty, with so many members and such a probe period.
    pub(crate) fn lasts(&self, members: usize, period: Duration) -> Duration {
        let scale = (members.max(1) as f64).log10().max(1.0);
        let unit = period.mul_f64(scale);
        let all = self.accusers.len();
        let lost = self.accusers.values().filter(|lost| **lost).count();
        let weak = shrink(unit.mul_f64(SHORTEST), LONGEST, all, CONFIRMATIONS);
        let strong = match lost {
            0 if !self.told => return weak,
            0 => unit.mul_f64(LINK_SHORTEST),
            _ => shrink(unit.mul_f64(LINK_SHORTEST), LINK_LONGEST, lost, LINK_CONFIRMATIONS),
        };
        weak.min(strong)
    }
}

/// Section IV.B of the paper: from the longest to the shortest by the logarithm of the
/// confirmations, where the first accuser is none.
fn shrink(shortest: Duration, longest: f64, accusers: usize, enough: f64) -> Duration {
    let confirmed = accusers.saturating_sub(1) as f64;
    let share = ((confirmed + 1.0).ln() / (enough + 1.0).ln()).min(1.0);
    shortest.mul_f64((longest - 1.0).mul_add(-share, longest))
}

/// How well we ourselves do: the paper's local health multiplier.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Health(u8);

/// The worst score: the paper's S = 8.
const WORST: u8 = 8;

impl Health {
    /// A probe went unanswered, we were late, or others suspected us.
    pub(crate) fn worse(&mut self) {
        self.0 = self.0.saturating_add(1).min(WORST);
    }

    /// A probe was answered.
    pub(crate) fn better(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }

    pub(crate) const fn score(self) -> u8 {
        self.0
    }

    /// A time of the probe cycle, stretched by our own slowness.
    pub(crate) fn probe(self, time: Duration) -> Duration {
        time * (u32::from(self.0) + 1)
    }

    /// The time of a suspicion, stretched. One bad probe is the fault of whom we probed, so it
    /// stretches nothing: else each member would wait twice as long for a death that it saw.
    pub(crate) fn suspicion(self, time: Duration) -> Duration {
        time * u32::from(self.0).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn lasts(weak: u8, lost: u8, members: usize) -> f64 {
        let mut suspicion = Suspicion::new(0, Duration::ZERO);
        (0..weak).for_each(|n| assert!(suspicion.accuse(Key([n; 32]), false)));
        (0..lost).for_each(|n| assert!(suspicion.accuse(Key([100 + n; 32]), true)));
        (suspicion.lasts(members, SECOND).as_secs_f64() * 1e3).round() / 1e3
    }

    #[test]
    fn a_suspicion_shortens_with_the_logarithm_of_its_confirmations() {
        // 4 s at ten members, 8 s if nobody confirms it; ln 2 / ln 4 is a half.
        assert_eq!([1, 2, 4, 8].map(|n| lasts(n, 0, 10)), [8.0, 6.0, 4.0, 4.0]);
        assert_eq!(lasts(4, 0, 100), 8.0, "twice the logarithm");
        assert_eq!(lasts(4, 0, 2), 4.0, "never below a logarithm of one");
    }

    #[test]
    fn broken_connections_shorten_it_more() {
        assert_eq!([1, 3, 5].map(|n| lasts(0, n, 10)), [3.0, 1.0, 1.0]);
        assert_eq!(lasts(3, 1, 10), 3.0);
    }

    #[test]
    fn nobody_counts_twice_and_a_stronger_reason_is_news() {
        let mut suspicion = Suspicion::new(0, Duration::ZERO);
        assert!(suspicion.accuse(Key([1; 32]), false));
        assert!(!suspicion.accuse(Key([1; 32]), false));
        assert!(suspicion.accuse(Key([1; 32]), true));
        assert!(!suspicion.accuse(Key([1; 32]), true));
        assert!(!suspicion.accuse(Key([1; 32]), false));
        assert!(suspicion.link_lost());
        assert!(suspicion.counts(&Key([1; 32]), true));
        assert!(!suspicion.counts(&Key([2; 32]), false));
        let more = (0..20u8).filter(|n| suspicion.accuse(Key([50 + n; 32]), false)).count();
        assert_eq!(more, MAX_ACCUSERS - 1);
    }

    #[test]
    fn one_profile_that_refutes_it_answers_a_suspicion() {
        let mut suspicion = Suspicion::new(3, Duration::ZERO);
        let answers = [2, 3, 4, 5].map(|number| suspicion.answer(number));
        assert_eq!(answers, [false, false, true, false]);
    }

    #[test]
    fn bad_health_stretches_and_has_an_end() {
        let mut health = Health::default();
        assert_eq!((health.probe(SECOND), health.suspicion(SECOND)), (SECOND, SECOND));
        health.worse();
        assert_eq!((health.probe(SECOND), health.suspicion(SECOND)), (2 * SECOND, SECOND));
        (0..20).for_each(|_| health.worse());
        assert_eq!((health.probe(SECOND), health.suspicion(SECOND)), (9 * SECOND, 8 * SECOND));
        (0..20).for_each(|_| health.better());
        assert_eq!(health.score(), 0);
    }
}
