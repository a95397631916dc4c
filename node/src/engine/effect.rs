//! What an engine wants done.

use hearsay_chain::Verdict;
use hearsay_network::wire::{Request, Response};
use hearsay_network::{PeerId, RequestId, Ticket, Topic};

use super::input::Token;
use super::jobs::JobId;
use super::keep::Kept;
use super::restore::RestoreTally;
use super::work::Work;
use crate::api::{Answer, Refused, Submitted};
use crate::trace::event::{Event, Kind};

/// What an engine wants done.
#[derive(Debug)]
pub enum Effect {
    /// Gossip a message of this node's own.
    Publish {
        /// On which topic.
        topic: Topic,
        /// One encoded transaction, or a block as gossip carries it.
        data: Vec<u8>,
        /// Whether most nodes are likely to have it.
        known: bool,
    },
    /// Answer for a gossiped message.
    Judge {
        /// Which one.
        ticket: Ticket,
        /// The answer.
        verdict: Verdict,
        /// What it carried, for the counters.
        kind: Kind,
        /// Why, for anything but Accept: a stable word.
        reason: Option<&'static str>,
    },
    /// Check signatures, on any thread, and come back with [`super::Input::Checked`].
    Check {
        /// The name to come back with.
        job: JobId,
        /// What to check.
        work: Work,
    },
    /// Ask a peer; one [`super::Input::Response`] follows.
    Ask {
        /// Whom.
        peer: PeerId,
        /// The engine's name for the request.
        id: RequestId,
        /// What.
        request: Request,
    },
    /// Answer a peer's request.
    Respond {
        /// Whom.
        token: Token,
        /// What.
        response: Response,
    },
    /// Leave a peer's request unanswered: it asks too much.
    Ignore {
        /// Whose.
        token: Token,
    },
    /// Disconnect a peer and keep it away for a while.
    Ban {
        /// Whom.
        peer: PeerId,
        /// How long, in microseconds.
        us: u64,
    },
    /// Let a peer come back.
    Unban {
        /// Whom.
        peer: PeerId,
    },
    /// Answer a submission.
    Submitted {
        /// Whom.
        token: Token,
        /// What.
        result: Result<Submitted, Refused>,
    },
    /// Answer a question.
    Answer {
        /// Whom.
        token: Token,
        /// What.
        answer: Answer,
    },
    /// Keep a change of the pool over a restart.
    Keep(Kept),
    /// All that waited before this process started has come back, or cannot.
    RestoreDone(RestoreTally),
    /// Write down what happened.
    Trace(Event),
    /// Write down what happened at an earlier moment: when bytes were read.
    TraceAt(super::Time, Event),
}
