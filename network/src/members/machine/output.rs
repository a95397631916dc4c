//! What the machine gives out: frames to send, news, and what it holds of each member.

use std::time::Duration;

use libp2p::{Multiaddr, PeerId};

use super::super::load::Load;
use super::super::profile::Role;

/// Something for the shell to do or to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send a frame over the connection to a neighbour.
    Send {
        /// Whom.
        neighbour: PeerId,
        /// The frame, at most [`super::super::MAX_FRAME`] bytes.
        bytes: Vec<u8>,
    },
    /// Something changed about a member.
    News(News),
    /// Try to connect: to see whether a member whose connection broke is there, or whether one that
    /// is down came back. Failing is no news.
    Dial {
        /// Whom.
        peer: PeerId,
        /// What it said of where it is, as it said it.
        addresses: Vec<Multiaddr>,
    },
    /// A neighbour broke the protocol, provably itself.
    Offence {
        /// Who.
        neighbour: PeerId,
        /// What it did, in a few words without spaces at the ends.
        what: &'static str,
    },
}

/// Why a member is held to be down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Probes went unanswered.
    Probe,
    /// Connections to it broke, and it did not answer by another way.
    Link,
    /// It said goodbye.
    Left,
}

/// What changed about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is on the list for the first time.
    Joined,
    /// It is suspected.
    Suspected,
    /// It refuted a suspicion.
    Refuted,
    /// It is down.
    Down(Cause),
    /// It has a new generation: it restarted, or came back after it was held to be down. With
    /// `mistaken` it had been held to be down and was not: a confirmed false positive.
    Renewed {
        /// See above.
        mistaken: bool,
    },
    /// It signed a new profile: other neighbours, addresses, name or version.
    Updated,
    /// It has been down for so long that it is taken off the list.
    Forgotten,
}

/// A change and what the list says after it.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// What changed.
    pub change: Change,
    /// The member, after the change. For our own renewal it is ourselves.
    pub member: MemberView,
}

/// Whether a member is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// As far as anybody knows.
    Alive,
    /// Somebody doubts it; it still counts as there.
    Suspect,
    /// No longer.
    Down(Cause),
}

/// What the list says of one member.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberView {
    /// Who.
    pub peer: PeerId,
    /// The name it goes by, if it gave one.
    pub name: String,
    /// Authority or plain node.
    pub role: Role,
    /// The version of its software.
    pub version: String,
    /// Where it says that it can be reached; not judged by any policy.
    pub addresses: Vec<Multiaddr>,
    /// Milliseconds since the Unix epoch when it started, rounded down to a multiple of 256, and one
    /// more for each time that it came back after it was held to be down.
    pub generation: u64,
    /// Rises by 65,536 with each such return, and by one with each suspicion that it refuted.
    pub incarnation: u32,
    /// Whether it is there.
    pub state: State,
    /// Since when it is in this state, on the machine's clock.
    pub since: Duration,
    /// Its load as it last said, and how old that is.
    pub load: Option<(Load, Duration)>,
    /// The round trip of the last probe to it, over as many hops as it took.
    pub rtt: Option<Duration>,
    /// Whether a connection to it stands.
    pub neighbour: bool,
    /// Whether it is ourselves.
    pub own: bool,
}

/// What happened so far, in numbers that only rise, unless they say otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Datagrams of our own that went out, and bytes of frames.
    pub sent: Traffic,
    /// Datagrams of others that we carried on.
    pub carried: Traffic,
    /// Everything that came in.
    pub received: Traffic,
    /// Probes begun.
    pub probes: u64,
    /// Probes that neither the member nor a helper answered.
    pub probes_failed: u64,
    /// Members that came under suspicion with us.
    pub suspicions: u64,
    /// Suspicions of others that were refuted.
    pub refuted: u64,
    /// Suspicions of ourselves that we refuted.
    pub refutations: u64,
    /// Members held to be down, without those that left.
    pub downs: u64,
    /// Of those, members that came back without having restarted.
    pub false_positives: u64,
    /// How often we renewed ourselves.
    pub renewals: u64,
    /// Lists exchanged because the digests differed.
    pub exchanges: u64,
    /// Datagrams dropped for want of a way to their destination.
    pub unroutable: u64,
    /// Frames dropped because a neighbour sent too many, profiles because a member signed too many,
    /// and what a member brought after too much that was forged.
    pub excess: u64,
    /// Frames that were no frames, or too long.
    pub malformed: u64,
    /// Datagrams not signed by their source.
    pub forged: u64,
    /// Datagrams that had come before: replayed, or sent over several ways.
    pub repeated: u64,
    /// Datagrams from an earlier generation of a member.
    pub outdated: u64,
    /// Claims about a member that nothing which it signed bears out: incarnations and generations.
    pub unproved: u64,
    /// Deaths that were told, and taken for suspicions.
    pub doubted: u64,
    /// Loads out of range.
    pub bad_loads: u64,
    /// Keys that were named, greeted, and never answered.
    pub never_answered: u64,
    /// Wake-ups that came so late that we must have been stopped.
    pub pauses: u64,
    /// The state machine refused something: a fault of ours.
    pub faults: u64,
    /// Candidates now.
    pub candidates: usize,
    /// How badly we do ourselves now: 0 to 8.
    pub health: u8,
}

/// Frames and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// How many.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Traffic {
    pub(super) const fn add(&mut self, bytes: usize) {
        self.frames = self.frames.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }
}
