//! A transaction's way into the pool, from gossip or from the RPC.

mod verdicts;

use hearsay_chain::{BlockId, Store, StoreError, TxError, TxId, UnverifiedTx, VerifiedTx};
use hearsay_mempool::{self as mempool, Refusal, State};
use hearsay_network::{Ticket, Topic, Traffic};

use super::halt::disk_full;
use super::input::{Copy, Time, Token};
use super::jobs::{Job, JobId, Offering, Owner};
use super::work::{Done, Work};
use super::{Effect, Engine};
use crate::api::{Submitted, Taker};
use crate::trace::event::{Event, Kind, Origin, Via};
pub(super) use verdicts::{Objection, busy};

impl<S: Store> Engine<S> {
    pub(super) fn on_copy(&mut self, copy: &Copy, out: &mut Vec<Effect>) {
        match copy.topic {
            // A peer sends on what it took.
            Topic::Tx => {
                self.has_been_taken(&TxId(copy.id));
                self.has_come(&TxId(copy.id), out);
            }
            Topic::Block => self.compact.was_sent(BlockId(copy.id), copy.from),
        }
        let (kind, id) = (Kind::from(copy.topic), hex::encode(copy.id));
        let from = self.names.of(&copy.from);
        let via = match copy.traffic {
            Traffic::Eager if copy.compact => Via::Compact,
            Traffic::Eager => Via::Gossip,
            Traffic::Lazy => Via::Lazy,
        };
        let bytes = copy.bytes;
        out.push(Effect::TraceAt(
            copy.at,
            match self.sightings.count(copy.id, Some(via)) {
                1 => {
                    let message = Some(hex::encode(copy.message));
                    Event::Received { kind, id, from, via, bytes, message }
                }
                copy => Event::Duplicate { kind, id, from, via, bytes, copy },
            },
        ));
    }

    pub(super) fn on_gossip(
        &mut self,
        now: Time,
        topic: Topic,
        data: &[u8],
        ticket: Ticket,
        at: Time,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let owner = Owner::Gossip { ticket, at, taken: now };
        match topic {
            Topic::Tx if owner.bundled() => self.on_bundle(now, data, &owner, out),
            Topic::Tx => self.on_gossiped_transaction(now, data, owner, out),
            Topic::Block => self.on_gossiped_block(now, data, owner, out),
        }
    }

    pub(super) fn on_gossiped_transaction(
        &mut self,
        now: Time,
        data: &[u8],
        owner: Owner,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        match UnverifiedTx::decode(data) {
            Ok(tx) => self.take_transaction(now, tx, owner, out),
            Err(error) => {
                let id = UnverifiedTx::id_of(data);
                self.judge(now, Kind::Tx, id.0, &owner, Err(&error.into()), out);
                Ok(())
            }
        }
    }

    pub(super) fn on_submit(
        &mut self,
        now: Time,
        token: Token,
        tx: UnverifiedTx,
        via: Option<&Taker>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let id = tx.id();
        if let Some(state) = self.pool.state(&id) {
            // Handing in twice is not an error: whoever lost our answer may ask again.
            let queued = !matches!(state, State::Ready);
            let known = Submitted { id, queued, known: true, taken_by: None };
            out.push(Effect::Submitted { token, result: Ok(known) });
            return Ok(());
        }
        if self.joins_forward(&id, token) {
            return Ok(());
        }
        match self.destination(via) {
            Ok(to) => self.take_transaction(now, tx, Owner::Submit { token, to }, out),
            Err(refused) => {
                out.push(Effect::Submitted { token, result: Err(refused) });
                Ok(())
            }
        }
    }

    /// Refuses what can be refused without looking at the signature, and has that checked else.
    pub(super) fn take_transaction(
        &mut self,
        now: Time,
        tx: UnverifiedTx,
        owner: Owner,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let id = tx.id();
        if self.jobs.join(&id, &owner) {
            return Ok(());
        }
        if let Some(objection) = self.early_objection(now, &tx, owner.origin())? {
            self.answer_owner(now, id, &owner, Err(objection), out);
            return Ok(());
        }
        let job = self.jobs.start(Job::Tx { id, owners: vec![owner] });
        out.push(Effect::Check { job, work: Work::Tx(tx) });
        Ok(())
    }

    fn early_objection(
        &self,
        now: Time,
        tx: &UnverifiedTx,
        origin: mempool::Origin,
    ) -> Result<Option<Objection>, StoreError> {
        if let Some(objection) = self.form_objection(tx) {
            return Ok(Some(objection));
        }
        let account = self.chain.account(&tx.transfer().sender.address())?;
        let checked = self.pool.check(tx, origin, account, self.pool_now(now));
        Ok(checked.err().map(Objection::from))
    }

    /// What can be said against a transaction by itself, or because there is no room to check it.
    pub(super) fn form_objection(&self, tx: &UnverifiedTx) -> Option<Objection> {
        let rules = self.chain.rules();
        let max_payload = rules.genesis().limits.payload_bytes as usize;
        if let Err(error) = tx.check_form(rules.chain(), max_payload) {
            return Some(error.into());
        }
        self.jobs.is_full().then(busy)
    }

    pub(super) fn on_checked(
        &mut self,
        now: Time,
        job: JobId,
        done: Done,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        match (self.jobs.finish(job), done) {
            (Some(Job::Tx { id, owners }), Done::Tx(result)) => {
                self.on_checked_transaction(now, id, &owners, result, out)
            }
            (Some(Job::Restored), Done::Restored(checked)) => {
                self.on_restore_checked(now, job, checked, out)
            }
            (Some(Job::Test { token, tx }), Done::Tx(result)) => {
                self.on_checked_test(now, token, &tx, result.err(), out)
            }
            (Some(Job::Block { id, owner, .. }), Done::Blocks(blocks, error)) => {
                let done = self.on_checked_block(now, id, &owner, blocks, error, out);
                if let Err(StoreError::Full(_)) = &done {
                    self.judge(now, Kind::Block, id.0, &owner, Err(&disk_full()), out);
                }
                done
            }
            (Some(Job::Orphan { block, owner }), Done::Headers(_, error)) => {
                self.on_checked_orphan(now, *block, &owner, error, out)
            }
            (Some(Job::Compact(arrived)), Done::Compact(checked)) => {
                self.on_checked_compact(now, arrived, checked, out)
            }
            (Some(Job::Rebuilt { id, from, .. }), Done::Blocks(blocks, error)) => {
                self.on_checked_rebuilt(now, (id, from), blocks, error, out)
            }
            (Some(Job::Body { id, from, .. }), Done::Blocks(blocks, error)) => {
                self.on_checked_body(now, (id, from), blocks, error, out)
            }
            (Some(Job::Adopted { .. }), Done::Blocks(blocks, _)) => {
                self.on_adopted(now, blocks, out)
            }
            (Some(Job::Headers { generation, peer, full }), Done::Headers(headers, error)) => {
                self.on_checked_headers(now, (generation, peer), headers, (full, error), out)
            }
            (
                Some(Job::Bodies { generation, first, peer, ids, gift }),
                Done::Blocks(blocks, error),
            ) => {
                self.sync.gave(&peer, gift, error.is_none());
                self.on_checked_bodies(now, (generation, first, peer), ids, (blocks, error), out)
            }
            // A driver that answers with another kind of work, or twice, is not to be believed.
            _ => Ok(()),
        }
    }

    fn on_checked_transaction(
        &mut self,
        now: Time,
        id: TxId,
        owners: &[Owner],
        result: Result<VerifiedTx, TxError>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let tx = match result {
            Ok(tx) => tx,
            Err(error) => {
                for owner in owners {
                    self.answer_owner(now, id, owner, Err(error.clone().into()), out);
                }
                return Ok(());
            }
        };
        if self.hand_on(now, &tx, owners, out) {
            return Ok(());
        }
        // If gossip brought it too, the Accept below spreads it; else this node introduces it, or
        // publishes what a peer had no luck with.
        let gossiped = owners.iter().any(|owner| matches!(owner, Owner::Gossip { .. }));
        let offered = owners.iter().any(|owner| matches!(owner, Owner::Offer { .. }));
        // Nobody was told of it, not even the pool of the node that handed it on.
        let handed_on = owners
            .iter()
            .any(|owner| matches!(owner, Owner::Offer { offering: Offering::HandedOn, .. }));
        let data = (!gossiped).then(|| tx.encode());
        let local = owners.iter().map(Owner::origin).max().unwrap_or(mempool::Origin::Remote);
        let pooled = self.pool_transaction(now, tx, local, out)?;
        match data.filter(|_| pooled.is_ok()) {
            Some(data) if offered => {
                out.push(Effect::Publish { topic: Topic::Tx, data, known: !handed_on });
            }
            Some(data) => self.publish(Topic::Tx, id.0, data, Origin::Rpc, out),
            None => {}
        }
        // Whoever sent it has it.
        if local == mempool::Origin::Local && pooled.is_ok() && !gossiped && !offered {
            self.unbroadcast.note(id, now);
        }
        for owner in owners {
            let answer = pooled.clone().map_err(Objection::from);
            self.answer_owner(now, id, owner, answer, out);
        }
        Ok(())
    }

    /// Puts a transaction in the pool; says whether it waits behind a gap.
    pub(super) fn pool_transaction(
        &mut self,
        now: Time,
        tx: VerifiedTx,
        origin: mempool::Origin,
        out: &mut Vec<Effect>,
    ) -> Result<Result<bool, Refusal>, StoreError> {
        let account = self.chain.account(&tx.sender())?;
        let moment = self.pool_now(now);
        let inserted = match self.pool.insert(tx.clone(), origin, account, moment) {
            Ok(inserted) => inserted,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let ready = inserted.ready;
        self.came_in(tx, origin, now.unix_us, &inserted, out);
        Ok(Ok(!ready))
    }

    /// Introduces a message of this node's own.
    pub(super) fn publish(
        &mut self,
        topic: Topic,
        id: [u8; 32],
        data: Vec<u8>,
        origin: Origin,
        out: &mut Vec<Effect>,
    ) {
        self.introduces(topic.into(), id, data.len(), origin, out);
        out.push(Effect::Publish { topic, data, known: false });
    }
}
