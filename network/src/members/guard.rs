//! What is believed of what others say, before the state machine hears of it.
//!
//! SWIM trusts every member. Here a member is heard for itself, and of others it may only say what
//! SWIM itself allows: that they are suspected, or that it heard so. A claim is believed if the
//! member that it is about has signed a profile that bears it out; a death that one other tells is
//! at first a suspicion, which its subject can refute.

use std::time::Duration;

use super::codec::{Claim, Standing};

/// What we hold of a member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// The generation of the newest profile it signed.
    pub(crate) generation: u64,
    /// The number of that profile. A member raises it with each incarnation, so that nobody can
    /// claim an incarnation for it that it did not reach.
    pub(crate) number: u32,
    /// What the list says of this generation.
    pub(crate) incarnation: u16,
    /// The same.
    pub(crate) standing: Standing,
    /// How long it has said so.
    pub(crate) held: Duration,
}

/// What to do with a claim about another member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The state machine may hear it.
    Believe,
    /// It is old news, or none.
    Stale,
    /// A death that nobody suspected: suspect it, and see.
    Doubt,
    /// Said to be alive, but down with us: tell it, so that it takes a new generation.
    Revive,
    /// Nothing that the member signed bears it out: ask for its profile.
    Unproved,
}

/// How long a member must have been suspected before the word of one other is enough for its death.
/// One probe period: time for the suspicion to reach it and for its refutation to come back.
pub(crate) const DOUBT: Duration = Duration::from_secs(1);

/// Judges a claim about a member on the list.
pub(crate) fn judge(claim: &Claim, view: &View) -> Verdict {
    let Claim { id, incarnation, standing } = *claim;
    if id.generation < view.generation {
        return Verdict::Stale;
    }
    if id.generation > view.generation || u32::from(incarnation) > view.number {
        return Verdict::Unproved;
    }
    match (view.standing, standing) {
        (Standing::Down, Standing::Down) => Verdict::Stale,
        (Standing::Down, Standing::Alive | Standing::Suspect) => Verdict::Revive,
        // It has refuted whatever this death came from.
        (_, Standing::Down) if incarnation < view.incarnation => Verdict::Stale,
        (Standing::Suspect, Standing::Down) if view.held >= DOUBT => Verdict::Believe,
        (Standing::Suspect | Standing::Alive, Standing::Down) => Verdict::Doubt,
        (Standing::Alive, Standing::Suspect) if incarnation >= view.incarnation => Verdict::Believe,
        _ if incarnation > view.incarnation => Verdict::Believe,
        _ => Verdict::Stale,
    }
}

/// Which of a member's datagrams came already: the highest counter, and the 64 below it.
///
/// Datagrams overtake each other on their way, by far less than 64 at a few a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    highest: u64,
    /// Bit `i` stands for `highest - i`.
    seen: u64,
}

impl Window {
    /// Whether a counter is new. Counters begin at 1.
    pub(crate) fn accept(&mut self, counter: u64) -> bool {
        if counter > self.highest {
            let ahead = u32::try_from(counter - self.highest).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = counter;
            return true;
        }
        let bit = u32::try_from(self.highest - counter).ok().and_then(|b| 1u64.checked_shl(b));
        match bit {
            Some(bit) if counter > 0 && self.seen & bit == 0 => {
                self.seen |= bit;
                true
            }
            _ => false,
        }
    }
}

/// So many a second, and so many at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    a_second: f64,
    at_once: f64,
}

/// How many frames one neighbour may hand us.
///
/// An idle node of a hundred hands its neighbours fewer than one a second each; when many join or
/// go at once, tens. A joining node is greeted by every member within a second or two.
pub(crate) const FRAMES: Terms = Terms { a_second: 64.0, at_once: 256.0 };

/// How many new profiles of one member are taken in and passed on. An honest one signs one every
/// three seconds at most, beside those with which it refutes and renews.
pub(crate) const PROFILES: Terms = Terms { a_second: 0.34, at_once: 4.0 };

/// How many new generations of one member are taken in beyond that: a restart, or a return after it
/// was held to be down, must not wait for what was said before. An honest member takes a new one at
/// each start, and once a minute for each that holds it to be down.
pub(crate) const RENEWALS: Terms = Terms { a_second: 0.1, at_once: 2.0 };

/// How many changes of its load one member may spread to all.
pub(crate) const ALARMS: Terms = Terms { a_second: 0.2, at_once: 2.0 };

/// How many signatures of others that do not hold one member may bring: the honest pass on nothing
/// that they did not check, so this is for faults. Whoever brought more is not heard about others.
pub(crate) const FORGERIES: Terms = Terms { a_second: 1.0, at_once: 8.0 };

/// What is left of something that comes back with time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    terms: Terms,
    left: f64,
    at: Duration,
}

impl Allowance {
    pub(crate) const fn new(terms: Terms, now: Duration) -> Self {
        Self { terms, left: terms.at_once, at: now }
    }

    /// Takes one, if it may come.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let may = self.may(now);
        if may {
            self.left -= 1.0;
        }
        may
    }

    /// Whether one may come. Nothing is taken.
    pub(crate) fn may(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.left = passed.mul_add(self.terms.a_second, self.left).min(self.terms.at_once);
        self.at = self.at.max(now);
        self.left >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::identity::Id;
    use super::super::profile::Key;
    use super::*;

    fn claim(generation: u64, incarnation: u16, standing: Standing) -> Claim {
        Claim { id: Id { key: Key([1; 32]), generation }, incarnation, standing }
    }

    fn view(standing: Standing) -> View {
        let held = Duration::from_millis(500);
        View { generation: 5, number: 9, incarnation: 3, standing, held }
    }

    #[test]
    fn an_incarnation_that_the_member_never_signed_is_not_believed() {
        let alive = view(Standing::Alive);
        assert_eq!(judge(&claim(5, 9, Standing::Alive), &alive), Verdict::Believe);
        for incarnation in [10, u16::MAX - 1, u16::MAX] {
            for standing in [Standing::Alive, Standing::Suspect, Standing::Down] {
                let verdict = judge(&claim(5, incarnation, standing), &alive);
                assert_eq!(verdict, Verdict::Unproved);
            }
        }
        assert_eq!(judge(&claim(6, 0, Standing::Alive), &alive), Verdict::Unproved);
        assert_eq!(judge(&claim(4, 9, Standing::Alive), &alive), Verdict::Stale);
    }

    #[test]
    fn a_death_told_by_another_is_doubted_until_it_was_suspected_for_a_period() {
        let down = claim(5, 3, Standing::Down);
        assert_eq!(judge(&down, &view(Standing::Alive)), Verdict::Doubt);
        let suspect = view(Standing::Suspect);
        assert_eq!(judge(&down, &suspect), Verdict::Doubt);
        assert_eq!(judge(&down, &View { held: DOUBT, ..suspect }), Verdict::Believe);
        assert_eq!(judge(&claim(5, 2, Standing::Down), &suspect), Verdict::Stale);
    }

    #[test]
    fn whoever_is_down_with_us_and_alive_elsewhere_is_told() {
        let down = view(Standing::Down);
        assert_eq!(judge(&claim(5, 4, Standing::Alive), &down), Verdict::Revive);
        assert_eq!(judge(&claim(5, 4, Standing::Down), &down), Verdict::Stale);
    }

    #[test]
    fn suspicion_needs_the_same_incarnation_and_refutation_a_higher_one() {
        let (alive, suspect) = (view(Standing::Alive), view(Standing::Suspect));
        assert_eq!(judge(&claim(5, 3, Standing::Suspect), &alive), Verdict::Believe);
        assert_eq!(judge(&claim(5, 2, Standing::Suspect), &alive), Verdict::Stale);
        assert_eq!(judge(&claim(5, 3, Standing::Alive), &suspect), Verdict::Stale);
        assert_eq!(judge(&claim(5, 4, Standing::Alive), &suspect), Verdict::Believe);
    }

    #[test]
    fn a_datagram_counts_once_in_whatever_order_they_come() {
        let mut window = Window::default();
        assert!(!window.accept(0), "counters begin at 1");
        for counter in [3, 1, 2, 70, 69, 200] {
            assert!(window.accept(counter), "{counter}");
            assert!(!window.accept(counter), "{counter} again");
        }
        assert!(!window.accept(136), "too old to tell");
        assert!(window.accept(137));
        assert!(window.accept(u64::MAX));
        assert!(!window.accept(200));
    }

    #[test]
    fn a_neighbour_has_a_burst_and_then_a_rate() {
        let mut allowance = Allowance::new(FRAMES, Duration::ZERO);
        assert_eq!((0..300).filter(|_| allowance.take(Duration::ZERO)).count(), 256);
        let later = Duration::from_secs(1);
        assert_eq!((0..300).filter(|_| allowance.take(later)).count(), 64);
    }
}
