//! Bundles that wait for a verdict: it is one for all of their transactions.
//!
//! * *Reject* if any of them is never valid: good ones carry no bad ones. The good ones are kept.
//! * *Accept* if those that were taken make up half of its bytes or more.
//! * *Ignore* else: mostly known, stale or early. So nobody can have much of no use relayed by adding
//!   a little of use.
//!
//! Whatever was taken from a bundle that is not relayed is introduced by this node, so that nothing
//! is lost with the company it came in.

use std::collections::BTreeMap;

use hearsay_chain::codec::DecodeError;
use hearsay_chain::{Store, StoreError, TxId, UnverifiedTx, Verdict};
use hearsay_network::{Ticket, Topic, bundle};

use super::input::Time;
use super::jobs::Owner;
use super::{Effect, Engine};
use crate::trace::event::Kind;

/// A bundle some of whose transactions are being checked.
#[derive(Clone, Debug, Default)]
struct Open {
    left: usize,
    bytes: usize,
    taken: Vec<TxId>,
    taken_bytes: usize,
    sizes: BTreeMap<TxId, usize>,
    /// Why one of them is never valid.
    bad: Option<&'static str>,
    /// Why the last one that was not taken was not.
    idle: Option<&'static str>,
}

/// All of them: one for each message that is owed a verdict, which the queues before bound.
#[derive(Debug, Default)]
pub(super) struct Bundles {
    open: BTreeMap<[u8; 20], Open>,
}

impl Bundles {
    /// A bundle has come, of so many parts; each will be judged.
    pub(super) fn open(&mut self, owner: &Owner, parts: &[Vec<u8>]) {
        let Owner::Gossip { ticket, .. } = owner else { return };
        let sizes = parts.iter().map(|part| (UnverifiedTx::id_of(part), part.len())).collect();
        let bytes = parts.iter().map(Vec::len).sum();
        let open = Open { left: parts.len(), bytes, sizes, ..Open::default() };
        self.open.insert(ticket.message, open);
    }

    /// One part was judged; the bundle, if that was the last one.
    fn judged(
        &mut self,
        message: &[u8; 20],
        id: TxId,
        verdict: Verdict,
        reason: Option<&'static str>,
    ) -> Option<Open> {
        let open = self.open.get_mut(message)?;
        open.left = open.left.saturating_sub(1);
        match verdict {
            Verdict::Accept => {
                open.taken_bytes += open.sizes.get(&id).copied().unwrap_or(0);
                open.taken.push(id);
            }
            Verdict::Ignore => open.idle = reason,
            Verdict::Reject => open.bad = reason,
        }
        if open.left == 0 { self.open.remove(message) } else { None }
    }
}

impl Open {
    fn verdict(&self) -> (Verdict, Option<&'static str>) {
        match self.bad {
            Some(reason) => (Verdict::Reject, Some(reason)),
            None if !self.taken.is_empty() && self.taken_bytes.saturating_mul(2) >= self.bytes => {
                (Verdict::Accept, None)
            }
            None => (Verdict::Ignore, self.idle),
        }
    }
}

impl<S: Store> Engine<S> {
    /// A bundle came: its transactions are checked one by one.
    pub(super) fn on_bundle(
        &mut self,
        now: Time,
        data: &[u8],
        owner: &Owner,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Owner::Gossip { ticket, .. } = owner else { return Ok(()) };
        let parts = match distinct(data) {
            Ok(parts) => parts,
            Err(error) => {
                let reason = hearsay_chain::Judged::reason(&error);
                self.give_verdict(now, ticket, (Verdict::Reject, Some(reason)), Kind::Tx, out);
                return Ok(());
            }
        };
        self.bundles.open(owner, &parts);
        for part in parts {
            self.on_gossiped_transaction(now, &part, owner.clone(), out)?;
        }
        Ok(())
    }

    /// One transaction of a bundle was judged.
    pub(super) fn judge_part(
        &mut self,
        now: Time,
        ticket: &Ticket,
        id: TxId,
        (verdict, reason): (Verdict, Option<&'static str>),
        out: &mut Vec<Effect>,
    ) {
        let Some(open) = self.bundles.judged(&ticket.message, id, verdict, reason) else { return };
        let (verdict, reason) = open.verdict();
        self.give_verdict(now, ticket, (verdict, reason), Kind::Tx, out);
        if verdict == Verdict::Accept {
            return;
        }
        for id in open.taken {
            if let Some(tx) = self.pool.get(&id) {
                let (topic, data) = (Topic::Tx, tx.encode());
                out.push(Effect::Publish { topic, data, known: false });
            }
        }
    }
}

/// The parts of a bundle; one that names the same transaction twice is malformed.
fn distinct(data: &[u8]) -> Result<Vec<Vec<u8>>, DecodeError> {
    let parts = bundle::decode_parts(data)?;
    let mut ids: Vec<TxId> = parts.iter().map(|part| UnverifiedTx::id_of(part)).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() < parts.len() {
        return Err(DecodeError::Malformed("a transaction twice in a bundle".to_owned()));
    }
    Ok(parts)
}
