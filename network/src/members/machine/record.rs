//! What is kept of a member beside the state machine's three fields.

use std::time::Duration;

use super::super::codec::Standing;
use super::super::guard::{ALARMS, Allowance, FORGERIES, PROFILES, RENEWALS, View, Window};
use super::super::identity::Id;
use super::super::load::Load;
use super::super::profile::SignedProfile;
use super::output::Cause;

/// A member.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The newest profile that it signed.
    pub(super) signed: SignedProfile,
    /// Which of its datagrams came, of this generation.
    pub(super) window: Window,
    /// It has not been shown yet.
    pub(super) fresh: bool,
    /// What the list said when we last looked.
    pub(super) shown: Shown,
    /// Its load, and when it came.
    pub(super) load: Option<(Load, Duration)>,
    /// The counter of the datagram that brought the load, so that an old one does not replace it.
    pub(super) load_counter: u64,
    /// The counter of its last alarm.
    pub(super) alarm_counter: u64,
    pub(super) rtt: Option<Duration>,
    /// When it last was told how we hold it.
    pub(super) told: Option<Duration>,
    /// It said goodbye in this generation.
    pub(super) left: bool,
    /// How many more profiles of it are taken in.
    pub(super) profiles: Allowance,
    /// How many more new generations beyond those.
    pub(super) renewals: Allowance,
    /// How many more changes of its load are passed on.
    pub(super) alarms: Allowance,
    /// How many more signatures that do not hold it may bring.
    pub(super) forgeries: Allowance,
}

/// The state machine's view, as it was last shown to the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) generation: u64,
    pub(super) incarnation: u16,
    pub(super) standing: Standing,
    pub(super) cause: Cause,
    pub(super) since: Duration,
}

impl Record {
    pub(super) fn new(signed: SignedProfile, now: Duration) -> Self {
        let shown = Shown {
            generation: signed.profile.generation,
            incarnation: 0,
            standing: Standing::Alive,
            cause: Cause::Probe,
            since: now,
        };
        Self {
            signed,
            window: Window::default(),
            fresh: true,
            shown,
            load: None,
            load_counter: 0,
            alarm_counter: 0,
            rtt: None,
            told: None,
            left: false,
            profiles: Allowance::new(PROFILES, now),
            renewals: Allowance::new(RENEWALS, now),
            alarms: Allowance::new(ALARMS, now),
            forgeries: Allowance::new(FORGERIES, now),
        }
    }

    pub(super) const fn id(&self) -> Id {
        Id { key: self.signed.profile.peer, generation: self.signed.profile.generation }
    }

    pub(super) fn is_down(&self) -> bool {
        self.shown.standing == Standing::Down
    }

    pub(super) fn view(&self, now: Duration) -> View {
        View {
            generation: self.signed.profile.generation,
            number: self.signed.profile.number,
            incarnation: self.shown.incarnation,
            standing: self.shown.standing,
            held: now.saturating_sub(self.shown.since),
        }
    }

    /// Puts a newer profile in place of the old one. Whether it begins a new generation.
    pub(super) fn replace(&mut self, signed: SignedProfile) -> bool {
        let renewed = signed.profile.generation > self.signed.profile.generation;
        if renewed {
            self.window = Window::default();
            self.load_counter = 0;
            self.alarm_counter = 0;
            self.told = None;
            self.left = false;
        }
        self.signed = signed;
        renewed
    }
}
