//! What a node tells of the members of the network.

use std::time::Duration;

use hearsay_network::PeerId;
use hearsay_network::members::slots::Kind;
use hearsay_network::members::{Load, MemberView, News, Role, Stats, Traffic};
use serde::{Deserialize, Serialize};

use crate::trace::event::{MemberCause, MemberChange, MemberState};

/// What a member is for. Its own claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// It makes blocks.
    Authority,
    /// It passes on what others make.
    Relay,
}

/// What a connection to a member is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberSlot {
    /// Speed.
    Near,
    /// Robustness.
    Random,
    /// A short way across.
    Far,
}

impl From<Kind> for MemberSlot {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Near => Self::Near,
            Kind::Random => Self::Random,
            Kind::Far => Self::Far,
        }
    }
}

/// How much is going on at a member, as it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberLoad {
    /// The transactions in its pool, in bytes, to the next 1,024.
    pub pool_bytes: u64,
    /// Transactions that it judged a second, lately; 65,535 stands for that many or more.
    pub tx_per_s: u16,
    /// Messages that wait there for a check or a verdict; 65,535 stands for that many or more.
    pub queue: u16,
    /// The share of the processor time it may use that it uses, from 0 to 1.
    pub busy: f64,
    /// The height of its tip.
    pub height: u64,
    /// How long ago it said so, in milliseconds.
    pub age_ms: u64,
}

impl MemberLoad {
    fn new(load: Load, age: Duration) -> Self {
        Self {
            pool_bytes: u64::from(load.pool_kib).saturating_mul(1_024),
            tx_per_s: load.tx_per_s,
            queue: load.queue,
            busy: load.busy_share(),
            height: load.height,
            age_ms: ms(age),
        }
    }
}

/// One member of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberInfo {
    /// The name it goes by; empty if it has none. Anybody may take any name: the peer id tells who is
    /// who.
    pub name: String,
    /// Its peer id.
    pub peer: String,
    /// What it is for.
    pub role: MemberRole,
    /// The version of its program.
    pub version: String,
    /// Where it says that it can be reached.
    pub addresses: Vec<String>,
    /// Whether it is there.
    pub state: MemberState,
    /// Why it is held to be down, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<MemberCause>,
    /// For how long it has been in this state, in milliseconds.
    pub since_ms: u64,
    /// Milliseconds since the Unix epoch at its start, rounded down to a multiple of 256, and one
    /// more for each time that it came back after it was held to be down.
    pub generation: u64,
    /// Rises by 65,536 with each such return, and by one with each suspicion that it refuted.
    pub incarnation: u32,
    /// Its load, if it has told any.
    pub load: Option<MemberLoad>,
    /// The round trip of the last probe to it, over as many hops as it took, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Whether a connection to it stands.
    pub neighbour: bool,
    /// What that connection is for, if this node wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<MemberSlot>,
    /// Whether it is the node that was asked.
    pub own: bool,
}

impl MemberInfo {
    /// A member as the network side describes it at a moment of the same clock.
    #[must_use]
    pub fn new(view: &MemberView, now: Duration, slots: &[(PeerId, Kind)]) -> Self {
        let slot = slots.iter().find(|(peer, _)| *peer == view.peer).map(|(_, kind)| *kind);
        Self {
            name: view.name.clone(),
            peer: view.peer.to_string(),
            role: match view.role {
                Role::Authority => MemberRole::Authority,
                Role::Relay => MemberRole::Relay,
            },
            version: view.version.clone(),
            addresses: view.addresses.iter().map(ToString::to_string).collect(),
            state: view.state.into(),
            cause: MemberCause::of(view.state),
            since_ms: ms(now.saturating_sub(view.since)),
            generation: view.generation,
            incarnation: view.incarnation,
            load: view.load.map(|(load, age)| MemberLoad::new(load, age)),
            rtt_ms: view.rtt.map(|rtt| rtt.as_micros() as f64 / 1e3),
            neighbour: view.neighbour,
            slot: slot.map(MemberSlot::from),
            own: view.own,
        }
    }
}

/// Puts a list in the order in which it is told: the own node first, the others by name.
pub fn sort_members(members: &mut [MemberInfo]) {
    members.sort_by(|a, b| {
        b.own.cmp(&a.own).then_with(|| (&a.name, &a.peer).cmp(&(&b.name, &b.peer)))
    });
}

/// A change, and what the list says after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberNews {
    /// What changed.
    pub change: MemberChange,
    /// With [`MemberChange::Renewed`]: whether it had been held to be down and was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mistaken: Option<bool>,
    /// The member after the change.
    pub member: MemberInfo,
}

impl MemberNews {
    /// What the network side tells at the moment of the change.
    #[must_use]
    pub fn new(news: &News) -> Self {
        // It is told at once, so that what the member came to it came to now.
        let member = MemberInfo::new(&news.member, news.member.since, &[]);
        Self { change: news.change.into(), mistaken: mistaken(news), member }
    }
}

/// Whether a member that renewed itself had been held to be down and was not.
pub(crate) fn mistaken(news: &News) -> Option<bool> {
    match news.change {
        hearsay_network::members::Change::Renewed { mistaken } => Some(mistaken),
        _ => None,
    }
}

/// Frames of the membership protocol, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberTraffic {
    /// How many.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl From<Traffic> for MemberTraffic {
    fn from(Traffic { frames, bytes }: Traffic) -> Self {
        Self { frames, bytes }
    }
}

/// What happened with the membership since this node started, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberStats {
    /// What this node sent of its own.
    pub sent: MemberTraffic,
    /// What it carried on for others.
    pub carried: MemberTraffic,
    /// Everything that came in.
    pub received: MemberTraffic,
    /// Probes begun.
    pub probes: u64,
    /// Probes that neither the member nor a helper answered.
    pub probes_failed: u64,
    /// Members that came under suspicion here.
    pub suspicions: u64,
    /// Suspicions of others that were refuted.
    pub refuted: u64,
    /// Suspicions of this node that it refuted.
    pub refutations: u64,
    /// Members that were held to be down, without those that left.
    pub downs: u64,
    /// Of those, members that came back without having restarted.
    pub false_positives: u64,
    /// How often this node had been held to be down and came back.
    pub renewals: u64,
    /// Lists exchanged because they differed.
    pub exchanges: u64,
    /// Input that was refused or dropped.
    pub refused: MemberRefusals,
    /// Deaths that others told and that this node takes for suspicions.
    pub doubted: u64,
    /// Keys that were named, greeted, and never answered.
    pub never_answered: u64,
    /// How often this node must have been stopped for a while.
    pub pauses: u64,
    /// Keys that were named and are being greeted now.
    pub candidates: u64,
    /// How badly this node keeps its own times now: 0 to 8. So many times longer it waits for others.
    pub health: u8,
}

/// What came in and was refused or dropped, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRefusals {
    /// No frame, or too long.
    pub malformed: u64,
    /// Not signed by whom it names.
    pub forged: u64,
    /// It had come before.
    pub repeated: u64,
    /// From an earlier generation.
    pub outdated: u64,
    /// Claims that nothing which the member signed bears out.
    pub unproved: u64,
    /// A neighbour sent too much.
    pub excess: u64,
    /// Loads out of range.
    pub bad_load: u64,
    /// No way to its destination.
    pub unroutable: u64,
}

impl MemberRefusals {
    /// The counts, each with its word.
    #[must_use]
    pub const fn words(&self) -> [(&'static str, u64); 8] {
        [
            ("malformed", self.malformed),
            ("forged", self.forged),
            ("repeated", self.repeated),
            ("outdated", self.outdated),
            ("unproved", self.unproved),
            ("excess", self.excess),
            ("bad-load", self.bad_load),
            ("unroutable", self.unroutable),
        ]
    }
}

impl From<&Stats> for MemberStats {
    fn from(stats: &Stats) -> Self {
        Self {
            sent: stats.sent.into(),
            carried: stats.carried.into(),
            received: stats.received.into(),
            probes: stats.probes,
            probes_failed: stats.probes_failed,
            suspicions: stats.suspicions,
            refuted: stats.refuted,
            refutations: stats.refutations,
            downs: stats.downs,
            false_positives: stats.false_positives,
            renewals: stats.renewals,
            exchanges: stats.exchanges,
            refused: MemberRefusals {
                malformed: stats.malformed,
                forged: stats.forged,
                repeated: stats.repeated,
                outdated: stats.outdated,
                unproved: stats.unproved,
                excess: stats.excess,
                bad_load: stats.bad_loads,
                unroutable: stats.unroutable,
            },
            doubted: stats.doubted,
            never_answered: stats.never_answered,
            pauses: stats.pauses,
            candidates: stats.candidates as u64,
            health: stats.health,
        }
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
