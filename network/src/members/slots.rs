//! Whom to be connected to: a few near members, a few at random, a few far ones.
//!
//! Near neighbours make messages travel fast, those at random keep the network in one piece whoever
//! fails, the far ones shorten the way across. A connection serves both its ends, so one that
//! somebody else made fills a near or far slot just as well; the random slots, though, are filled by
//! this node's own choice among all members, whoever told of them, and therefore nobody can surround
//! it by connecting to it often.
//!
//! Pure: the shell tells what there is and carries out what [`Slots::decide`] answers. A decision
//! needs no answer but [`Slots::failed`]: what came of it is seen in the next list of connections.

mod close;
mod open;
mod pick;
mod view;
mod waits;

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::load::Load;
use view::View;
use waits::Waits;

/// A dial of which nothing was heard for so long has failed: longer than the transport's own limit.
const DIAL_LIMIT: Duration = Duration::from_secs(20);

/// So long passes between two attempts to better the near slots, or the far ones, at first.
const TRIAL_EVERY: Duration = Duration::from_secs(10);

/// Each attempt doubles that, up to this, until somebody comes or goes: round trips hardly change, and
/// every connection that does is news to all members.
const TRIAL_RARELY: Duration = Duration::from_secs(640);

/// How many connections of each kind, and when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotsConfig {
    /// Slots for members with a short round trip.
    pub near: usize,
    /// Slots for members chosen at random.
    pub random: usize,
    /// Slots for members with a long round trip.
    pub far: usize,
    /// Connections that this node made itself, at least.
    pub min_outbound: usize,
    /// Connections at most: beyond them, those that others made and no slot holds are closed.
    pub most: usize,
    /// Dials at once, at most.
    pub max_dials: usize,
    /// How often one random slot changes hands, so that what the slots once were does not matter.
    pub rotation: Duration,
}

impl Default for SlotsConfig {
    fn default() -> Self {
        Self {
            near: 3,
            random: 3,
            far: 2,
            min_outbound: 3,
            most: 16,
            max_dials: 4,
            rotation: Duration::from_secs(180),
        }
    }
}

impl SlotsConfig {
    /// The slots in all: no connection is closed that leaves fewer.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.near.saturating_add(self.random).saturating_add(self.far)
    }
}

/// A member that is not down.
#[derive(Clone, Debug)]
pub struct Known {
    /// Who.
    pub peer: PeerId,
    /// Where: only what is worth dialling.
    pub addresses: Vec<Multiaddr>,
    /// Whether it is alive and nobody suspects otherwise. Only such are dialled.
    pub alive: bool,
    /// The round trip of a probe, perhaps over others.
    pub rtt: Option<Duration>,
    /// What it says of its load.
    pub load: Load,
    /// Which member told of it first.
    pub introducer: Option<PeerId>,
}

/// A peer to which a connection stands.
#[derive(Clone, Debug)]
pub struct Connected {
    /// Who.
    pub peer: PeerId,
    /// Whether this node made the connection.
    pub outbound: bool,
    /// The round trip, if it was measured.
    pub rtt: Option<Duration>,
    /// Since when.
    pub since: Duration,
    /// Never to be closed: somebody asked for it by name.
    pub protected: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Connect to a member. A failure is told by [`Slots::failed`].
    Dial(PeerId, Vec<Multiaddr>),
    /// Close the connection: nothing needs it.
    Drop(PeerId),
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Speed.
    Near,
    /// Robustness.
    Random,
    /// A short way across.
    Far,
}

/// A peer in a slot, or on the way into one.
#[derive(Clone, Copy, Debug)]
struct Held {
    kind: Kind,
    since: Duration,
}

/// When something is attempted that rarely succeeds: ever more rarely.
#[derive(Clone, Copy, Debug)]
struct Trials {
    next: Duration,
    wait: Duration,
}

impl Default for Trials {
    fn default() -> Self {
        Self { next: Duration::ZERO, wait: TRIAL_EVERY }
    }
}

impl Trials {
    fn is_due(&self, now: Duration) -> bool {
        now >= self.next
    }

    /// One is made.
    fn made(&mut self, now: Duration) {
        self.next = now.saturating_add(self.wait);
        self.wait = self.wait.saturating_mul(2).min(TRIAL_RARELY);
    }

    /// There is reason for one: the next comes after the first wait, or when it was due if that is sooner.
    fn soon(&mut self, now: Duration) {
        self.wait = TRIAL_EVERY;
        self.next = self.next.min(now.saturating_add(TRIAL_EVERY));
    }
}

/// The plan.
#[derive(Debug)]
pub struct Slots {
    config: SlotsConfig,
    own: PeerId,
    random: StdRng,
    held: BTreeMap<PeerId, Held>,
    dialling: BTreeMap<PeerId, Held>,
    waits: Waits,
    /// Round trips measured on connections, also on those that are gone.
    measured: BTreeMap<PeerId, Duration>,
    near_trials: Trials,
    far_trials: Trials,
    /// How many there were at the last look.
    members: usize,
    next_rotation: Duration,
}

impl Slots {
    /// For the node `own`. The same seed and the same lists give the same decisions.
    #[must_use]
    pub fn new(config: SlotsConfig, own: PeerId, seed: u64) -> Self {
        Self {
            config,
            own,
            random: StdRng::seed_from_u64(seed),
            held: BTreeMap::new(),
            dialling: BTreeMap::new(),
            waits: Waits::default(),
            measured: BTreeMap::new(),
            near_trials: Trials::default(),
            far_trials: Trials::default(),
            members: 0,
            next_rotation: Duration::ZERO,
        }
    }

    /// A dial that was decided on came to nothing.
    pub fn failed(&mut self, peer: &PeerId, now: Duration) {
        if self.dialling.remove(peer).is_some() {
            self.waits.failed(*peer, now);
        }
    }

    /// What a connection is for; none if it only serves the other end.
    #[must_use]
    pub fn kind(&self, peer: &PeerId) -> Option<Kind> {
        self.held.get(peer).map(|held| held.kind)
    }

    /// Whether any slot is neither filled nor about to be.
    #[must_use]
    pub fn has_room(&self) -> bool {
        [Kind::Near, Kind::Random, Kind::Far].iter().any(|kind| self.free(*kind) > 0)
    }

    /// What to do now, given all members that are not down and all connections. To be asked whenever
    /// one of the lists changed, and about once a second.
    pub fn decide(
        &mut self,
        now: Duration,
        known: &[Known],
        connected: &[Connected],
    ) -> Vec<Decision> {
        if std::mem::replace(&mut self.members, known.len()) != known.len() {
            self.near_trials.soon(now);
            self.far_trials.soon(now);
        }
        let measured = std::mem::take(&mut self.measured);
        let view = View::new(self.own, &self.config, known, connected, measured);
        self.settle(now, &view);
        self.adopt(now, &view);
        self.release(now, &view);
        let mut decisions = self.drops(now, &view);
        self.dials(now, &view, &mut decisions);
        self.measured = view.measured;
        decisions
    }

    /// Moves what was dialled into its slot, and empties the slots of those that are gone.
    fn settle(&mut self, now: Duration, view: &View<'_>) {
        let (held, waits) = (&mut self.held, &mut self.waits);
        self.dialling.retain(|peer, dial| {
            if view.connected.contains_key(peer) {
                held.insert(*peer, Held { kind: dial.kind, since: now });
                return false;
            }
            let lost = now.saturating_sub(dial.since) >= DIAL_LIMIT;
            if lost {
                waits.failed(*peer, now);
            }
            !lost
        });
        held.retain(|peer, slot| {
            let (connected, known) =
                (view.connected.contains_key(peer), view.known.contains_key(peer));
            if !connected && known {
                waits.closed(*peer, now.saturating_sub(slot.since), now);
            }
            connected && known
        });
    }

    /// Gives free slots to connections that stand anyway.
    fn adopt(&mut self, now: Duration, view: &View<'_>) {
        for (peer, rtt) in view.connected_by_rtt() {
            if self.held.contains_key(&peer) {
                continue;
            }
            let kind = if rtt <= view.near_bar && self.free(Kind::Near) > 0 {
                Kind::Near
            } else if rtt >= view.far_bar && self.free(Kind::Far) > 0 {
                Kind::Far
            } else {
                continue;
            };
            self.held.insert(peer, Held { kind, since: now });
        }
    }

    fn count(&self, kind: Kind) -> usize {
        self.held.values().filter(|held| held.kind == kind).count()
    }

    /// Slots of a kind that are neither filled nor about to be.
    fn free(&self, kind: Kind) -> usize {
        let most = match kind {
            Kind::Near => self.config.near,
            Kind::Random => self.config.random,
            Kind::Far => self.config.far,
        };
        let dialling = self.dialling.values().filter(|held| held.kind == kind).count();
        most.saturating_sub(self.count(kind)).saturating_sub(dialling)
    }
}

#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
