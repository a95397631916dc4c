//! What an engine is told.

use hearsay_chain::UnverifiedTx;
use hearsay_network::wire::{Request, Response};
use hearsay_network::{PeerId, PublishFailure, RequestId, Ticket, Topic, Traffic};

use super::jobs::JobId;
use super::restore::Restored;
use super::surroundings::Surroundings;
use super::work::Done;
use crate::api::{Query, Taker};

/// A moment, on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time {
    /// Microseconds since the Unix epoch.
    pub unix_us: u64,
    /// Microseconds since the process started; never steps back.
    pub mono_us: u64,
}

impl Time {
    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn unix_ms(self) -> u64 {
        self.unix_us / 1_000
    }

    /// Microseconds from an earlier moment to this one.
    #[must_use]
    pub fn since(self, earlier: Time) -> u64 {
        self.mono_us.saturating_sub(earlier.mono_us)
    }
}

/// The driver's name for whoever waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// A copy of a gossiped message, the first or a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// What it carries.
    pub topic: Topic,
    /// The transaction's or block's id.
    pub id: [u8; 32],
    /// Who sent this copy.
    pub from: PeerId,
    /// Payload size in bytes.
    pub bytes: u64,
    /// The gossip message.
    pub message: [u8; 20],
    /// What made the peer send it.
    pub traffic: Traffic,
    /// Whether it is a compact block.
    pub compact: bool,
    /// When it was read.
    pub at: Time,
}

/// What an engine is told.
#[derive(Debug)]
pub enum Input {
    /// A copy of a gossiped message came in. Comes before the message's own [`Input::Gossip`].
    Copy(Copy),
    /// The first copy of a gossiped message; it is owed one [`super::Effect::Judge`].
    Gossip {
        /// On which topic.
        topic: Topic,
        /// Its payload.
        data: Vec<u8>,
        /// What the verdict must name.
        ticket: Ticket,
        /// When it was read.
        at: Time,
    },
    /// Signatures were checked.
    Checked {
        /// The job of the [`super::Effect::Check`].
        job: JobId,
        /// What came of it.
        done: Done,
    },
    /// What became of an [`super::Effect::Publish`].
    Published {
        /// On which topic.
        topic: Topic,
        /// The id of the content.
        id: [u8; 32],
        /// Why it did not leave, if it did not.
        failure: Option<PublishFailure>,
    },
    /// A peer is known to have a message of this node's own.
    Taken {
        /// On which topic.
        topic: Topic,
        /// The id of the content.
        id: [u8; 32],
    },
    /// A peer did what nobody does by mistake.
    Offence {
        /// Which.
        peer: PeerId,
        /// What: a stable word.
        what: &'static str,
    },
    /// A peer of our network is there.
    Joined(PeerId),
    /// A peer listens to one of our topics.
    Listening(PeerId),
    /// A peer is gone.
    Left(PeerId),
    /// A peer of another network was turned away.
    Foreign(PeerId),
    /// Messages were lost: some place was full on their way in or out.
    Dropped {
        /// How many.
        count: u64,
    },
    /// What the members around this node say of themselves now.
    Surroundings(Surroundings),
    /// A round trip was measured, in microseconds.
    RoundTrip(PeerId, u64),
    /// A peer asks; it is owed one [`super::Effect::Respond`].
    Request {
        /// Who.
        from: PeerId,
        /// What.
        request: Request,
        /// Whom to answer.
        token: Token,
    },
    /// A peer answered, or did not.
    Response {
        /// Who.
        from: PeerId,
        /// Which request.
        id: RequestId,
        /// The answer, or why there is none.
        result: Result<Response, String>,
    },
    /// Somebody hands in a transaction; owed one [`super::Effect::Submitted`].
    Submit {
        /// Whom to answer.
        token: Token,
        /// The transaction.
        tx: UnverifiedTx,
        /// Which member is to take it; none: as the settings say.
        via: Option<Taker>,
    },
    /// Somebody asks; owed one [`super::Effect::Answer`].
    Ask {
        /// Whom to answer.
        token: Token,
        /// What.
        query: Query,
    },
    /// Transactions that waited before this process started, those that came first before the others,
    /// [`super::RESTORE_BATCH`] at most. Only while [`super::Engine::may_restore`].
    Restore(Vec<Restored>),
    /// There are no more of them; owed one [`super::Effect::RestoreDone`].
    RestoreEnd,
    /// Time has passed.
    Tick,
}
