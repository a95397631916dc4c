//! Verdicts: whoever waits for one is answered, and it is written down.
//!
//! A transaction may have come from gossip, from a peer that hands it over, or from the RPC, and each
//! is told in its own way. Gossiped blocks get their verdicts here too.

use hearsay_chain::{Judged, Store, TxId, Verdict};

use super::super::input::Time;
use super::super::jobs::{Offering, Owner};
use super::super::{Effect, Engine, verdict_name};
use crate::api::{Refused, Submitted};
use crate::trace::event::{Event, Kind};

/// Why a transaction was not taken, as a verdict, a stable word and a sentence.
pub(in crate::engine) struct Objection {
    pub(in crate::engine) verdict: Verdict,
    pub(in crate::engine) reason: &'static str,
    pub(in crate::engine) message: String,
}

impl<E: Judged + std::fmt::Display> From<E> for Objection {
    fn from(error: E) -> Self {
        Self { verdict: error.verdict(), reason: error.reason(), message: error.to_string() }
    }
}

impl From<Objection> for Refused {
    fn from(objection: Objection) -> Self {
        Self {
            invalid: objection.verdict == Verdict::Reject,
            reason: objection.reason.to_owned(),
            message: objection.message,
        }
    }
}

/// Too much is being checked already. Nobody's fault.
pub(in crate::engine) fn busy() -> Objection {
    Objection {
        verdict: Verdict::Ignore,
        reason: "busy",
        message: "too many signatures wait to be checked; try again in a moment".to_owned(),
    }
}

impl<S: Store> Engine<S> {
    pub(super) fn answer_owner(
        &mut self,
        now: Time,
        id: TxId,
        owner: &Owner,
        answer: Result<bool, Objection>,
        out: &mut Vec<Effect>,
    ) {
        self.judged = self.judged.saturating_add(1);
        match owner {
            Owner::Submit { token, .. } => {
                let taken = |queued| Submitted { id, queued, known: false, taken_by: None };
                let result = answer.map(taken).map_err(Refused::from);
                out.push(Effect::Submitted { token: *token, result });
            }
            Owner::Offer { from, taken, offering } => {
                let answer = answer.as_ref().map(drop);
                if *offering == Offering::Asked {
                    self.reconcile.judged(now, from, id, answer.err().map(|it| it.reason));
                }
                self.note_verdict(now, Kind::Tx, id.0, (*taken, *taken), answer, out);
                if let Err(Objection { verdict: Verdict::Reject, reason, .. }) = answer {
                    self.penalise(now, *from, reason, out);
                }
            }
            gossip @ Owner::Gossip { .. } => {
                self.judge(now, Kind::Tx, id.0, gossip, answer.as_ref().map(drop), out);
            }
        }
    }

    /// Gives gossip its verdict and writes it down.
    pub(in crate::engine) fn judge(
        &mut self,
        now: Time,
        kind: Kind,
        id: [u8; 32],
        owner: &Owner,
        answer: Result<(), &Objection>,
        out: &mut Vec<Effect>,
    ) {
        let Owner::Gossip { ticket, at, taken } = owner else { return };
        let (verdict, reason) = said(answer);
        if owner.bundled() && kind == Kind::Tx {
            self.judge_part(now, ticket, TxId(id), (verdict, reason), out);
        } else {
            self.give_verdict(now, ticket, (verdict, reason), kind, out);
        }
        self.note_verdict(now, kind, id, (*at, *taken), answer, out);
    }

    /// Writes a verdict down: of a message that came at one moment and was taken up at another.
    fn note_verdict(
        &mut self,
        now: Time,
        kind: Kind,
        id: [u8; 32],
        (at, taken): (Time, Time),
        answer: Result<(), &Objection>,
        out: &mut Vec<Effect>,
    ) {
        let (verdict, reason) = said(answer);
        self.count(verdict);
        out.push(Effect::Trace(Event::Verdict {
            kind,
            id: hex::encode(id),
            verdict: verdict_name(verdict),
            reason: reason.map(str::to_owned),
            queue_us: taken.since(at),
            check_us: now.since(taken),
        }));
    }
}

/// A verdict and its reason.
fn said(answer: Result<(), &Objection>) -> (Verdict, Option<&'static str>) {
    match answer {
        Ok(()) => (Verdict::Accept, None),
        Err(objection) => (objection.verdict, Some(objection.reason)),
    }
}
