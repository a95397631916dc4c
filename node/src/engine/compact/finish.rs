//! A block that is whole: its root, its signatures, and its way into the chain; and what an authority
//! has to answer for.

use hearsay_chain::chain::Import;
use hearsay_chain::codec::DecodeError;
use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::{
    BlockError, BlockId, Judged, Store, StoreError, UnverifiedBlock, UnverifiedTx, Verdict,
    VerifiedBlock, VerifiedTx,
};
use hearsay_network::PeerId;

use super::super::blocks::known;
use super::super::brought::Brought;
use super::super::input::Time;
use super::super::jobs::{Job, Owner};
use super::super::work::Work;
use super::super::{Effect, Engine};
use super::rebuilding::Rebuilding;
use crate::trace::event::{Event, Kind, Via};

impl Rebuilding {
    /// How each of the block's transactions came that the pool did not have: carried by the message,
    /// or given by a peer; or all of them with the body, which `body` gave.
    fn brought(&self, transactions: &[UnverifiedTx], body: Option<PeerId>) -> Vec<Brought> {
        let one = |(place, tx): (u32, &UnverifiedTx)| {
            let (from, via) = match (body, self.givers.get(&place)) {
                (Some(from), _) | (None, Some(&from)) => (from, Via::Fetch),
                (None, None) if self.rebuild.is_carried(place) => (self.from, Via::Compact),
                (None, None) => return None,
            };
            Some(Brought { id: tx.id(), bytes: tx.size(), from, via })
        };
        (0..).zip(transactions).filter_map(one).collect()
    }
}

impl<S: Store> Engine<S> {
    /// Checks a block that lacks nothing, and has those signatures checked that are not known.
    pub(super) fn finish(
        &mut self,
        now: Time,
        id: BlockId,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Some(rebuilding) = self.compact.rebuilding.get(&id) else { return Ok(()) };
        let Some(block) = rebuilding.rebuild.block() else { return Ok(()) };
        let (bytes, from) = (block.size(), rebuilding.from);
        let checked = block.check_form(self.chain.rules(), |id| self.known_tx(id));
        let wrong_root = match &checked {
            Err(BlockError::WrongRoot) => true,
            // The size is looked at before the root is.
            Err(BlockError::Decode(DecodeError::TooLarge { .. })) => {
                !rebuilding.rebuild.root_holds()
            }
            _ => false,
        };
        match checked {
            Ok(block) => {
                let block = block.with_header(&rebuilding.header);
                self.tell_rebuilt(now, id, None, out);
                let job = self.jobs.start(Job::Rebuilt { id, from, bytes });
                out.push(Effect::Check { job, work: Work::Blocks(vec![block]) });
                Ok(())
            }
            Err(error) if wrong_root => {
                let Some(rebuilding) = self.compact.rebuilding.get_mut(&id) else { return Ok(()) };
                if rebuilding.rebuild.doubt_names() {
                    // Two share a name, which is nobody's fault.
                    rebuilding.asked_parts.clear();
                    return self.advance_rebuilding(now, id, out);
                }
                // All of it came by the names that the authority signed.
                self.on_bad_body(id, &error, out);
                Ok(())
            }
            Err(error) => {
                self.on_bad_body(id, &error, out);
                Ok(())
            }
        }
    }

    /// A block is whole and has its root: that is written down, those who lied about it are known now,
    /// and those who wait for it are answered. With a body that came as such nothing was of use before.
    fn tell_rebuilt(
        &mut self,
        now: Time,
        id: BlockId,
        body: Option<(&VerifiedBlock, PeerId)>,
        out: &mut Vec<Effect>,
    ) {
        let Some(rebuilding) = self.compact.rebuilding.get_mut(&id) else { return };
        rebuilding.checking = true;
        let rebuild = &rebuilding.rebuild;
        let transactions: Vec<UnverifiedTx> = match body {
            Some((block, _)) => {
                block.transactions().iter().map(VerifiedTx::to_unverified).collect()
            }
            None => (0..).map_while(|place| rebuild.at(place).cloned()).collect(),
        };
        let (from_pool, carried) = match body {
            Some(_) => (0, 0),
            None => (rebuild.from_pool(), rebuild.carried()),
        };
        let fetched = transactions.len().saturating_sub(from_pool).saturating_sub(carried);
        let body_bytes: usize = transactions.iter().map(UnverifiedTx::size).sum();
        let overhead =
            hearsay_chain::block::HEADER_BYTES + hearsay_chain::block::BODY_OVERHEAD_BYTES;
        out.push(Effect::Trace(Event::Rebuilt {
            kind: Kind::Block,
            id: id.to_string(),
            from_pool: from_pool as u64,
            carried: carried as u64,
            fetched: fetched as u64,
            compact_bytes: rebuilding.message_bytes as u64,
            full_bytes: (overhead + body_bytes) as u64,
            took_us: now.since(rebuilding.since),
        }));
        let named_rightly = rebuild.names_hold(transactions.iter().map(UnverifiedTx::id));
        let header = rebuilding.header.header().clone();
        let brought = rebuilding.brought(&transactions, body.map(|(_, from)| from));
        let misnaming = std::mem::take(&mut rebuilding.misnaming);
        let waiting = std::mem::take(&mut rebuilding.waiting);
        for peer in misnaming.into_iter().filter(|_| named_rightly) {
            self.penalise(now, peer, "wrong-answer", out);
        }
        self.serve_waiting(now, waiting, &transactions, out);
        self.trace_brought(now, &header, brought, out);
    }

    /// A block that is being put together came whole by gossip: nothing need be asked for any more.
    /// As for its verdict, it is known: its compact form was judged and relayed.
    pub(in crate::engine) fn take_whole(
        &mut self,
        now: Time,
        block: &UnverifiedBlock,
        owner: &Owner,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let id = block.id();
        let Owner::Gossip { ticket, .. } = owner else { return Ok(()) };
        let Some(rebuilding) = self.compact.rebuilding.get(&id) else { return Ok(()) };
        if rebuilding.checking || self.jobs.is_full() {
            self.judge(now, Kind::Block, id.0, owner, Err(&known()), out);
            return Ok(());
        }
        match block.clone().check_form(self.chain.rules(), |id| self.known_tx(id)) {
            Ok(checked) => {
                let checked = checked.with_header(&rebuilding.header);
                if let Some(rebuilding) = self.compact.rebuilding.get_mut(&id) {
                    rebuilding.checking = true;
                }
                let (from, bytes) = (ticket.from, block.size());
                let job = self.jobs.start(Job::Body { id, from, bytes });
                self.judge(now, Kind::Block, id.0, owner, Err(&known()), out);
                out.push(Effect::Check { job, work: Work::Blocks(vec![checked]) });
            }
            Err(error) => self.judge(now, Kind::Block, id.0, owner, Err(&error.into()), out),
        }
        Ok(())
    }

    /// All of a block came, and was checked.
    pub(super) fn finish_with_body(
        &mut self,
        now: Time,
        block: VerifiedBlock,
        giver: PeerId,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let id = block.id();
        let from = self.compact.rebuilding.get(&id).map(|it| it.from);
        self.tell_rebuilt(now, id, Some((&block, giver)), out);
        match from {
            Some(from) => self.take_rebuilt(now, from, block, out),
            None => Ok(()),
        }
    }

    /// The signatures of a block that was put together were checked.
    pub(in crate::engine) fn on_checked_rebuilt(
        &mut self,
        now: Time,
        (id, from): (BlockId, PeerId),
        blocks: Vec<VerifiedBlock>,
        error: Option<BlockError>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        match (blocks.into_iter().next(), error) {
            (Some(block), _) => self.take_rebuilt(now, from, block, out),
            (None, Some(error)) => {
                self.on_bad_body(id, &error, out);
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    /// Takes a block into the chain. It was relayed long ago, so nobody waits for what comes of it.
    fn take_rebuilt(
        &mut self,
        now: Time,
        from: PeerId,
        block: VerifiedBlock,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let id = block.id();
        if let Some(rebuilding) = self.compact.rebuilding.remove(&id) {
            Self::let_go(rebuilding, out);
        }
        let kept = block.clone();
        match self.import_block(now, block, out)? {
            Import::Tip(_) | Import::Side | Import::Known => Ok(()),
            Import::Orphan { missing } => {
                // By now its deliverer has put it together as well.
                if !self.compact.is_rebuilding(&missing) {
                    let claim = Candidate { height: kept.height(), id };
                    self.sync.heard_of(&from, claim);
                }
                self.orphans.keep(kept.to_block().into(), from, now.mono_us);
                self.advance_sync(now, out)
            }
            Import::Refused(unfit) => {
                if unfit.verdict() == Verdict::Reject {
                    self.tell_bad_body(&kept, unfit.reason(), out);
                }
                Ok(())
            }
        }
    }

    /// The header of a block is signed for what never holds, or its names are for what is not in it.
    /// Nobody but its authority could make it so.
    pub(super) fn on_bad_body(&mut self, id: BlockId, error: &BlockError, out: &mut Vec<Effect>) {
        // What it was named by is no part of the block: another body may hold.
        if !matches!(error, BlockError::WrongRoot) {
            self.chain.condemn(id);
        }
        let Some(rebuilding) = self.compact.rebuilding.remove(&id) else { return };
        let proposer = rebuilding.header.header().fields.proposer.to_string();
        let (kind, reason) = (Kind::Block, error.reason().to_owned());
        out.push(Effect::Trace(Event::BadBody { kind, id: id.to_string(), proposer, reason }));
        self.compact.given_up.put(id, ());
        Self::let_go(rebuilding, out);
    }

    fn tell_bad_body(&self, block: &VerifiedBlock, reason: &str, out: &mut Vec<Effect>) {
        let proposer = block.header().fields.proposer.to_string();
        let (kind, id, reason) = (Kind::Block, block.id().to_string(), reason.to_owned());
        out.push(Effect::Trace(Event::BadBody { kind, id, proposer, reason }));
    }
}
