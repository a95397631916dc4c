//! Answers to questions about the chain and the pool.

use hearsay_chain::ids::Address;
use hearsay_chain::{BlockId, Evidence, Store, StoreError, TxId, VerifiedBlock, VerifiedTx, codec};
use hearsay_mempool::State;

use super::Engine;
use super::input::Time;
use super::transactions::busy;
use crate::api::{
    AccountView, Answer, BlockRef, BlockView, EvidenceView, MAX_EVIDENCE, NodeStatus, Query,
    TxStatus, TxView,
};

impl<S: Store> Engine<S> {
    pub(super) fn answer(&self, now: Time, query: &Query) -> Result<Answer, StoreError> {
        Ok(match query {
            Query::Status => Answer::Status(Box::new(self.status(now))),
            Query::Mempool => Answer::Mempool(self.mempool(now)),
            Query::Senders(filter) => Answer::Senders(self.pool_senders(now, filter)),
            Query::Transactions(filter) => {
                Answer::Transactions(self.pool_transactions(now, filter))
            }
            Query::Export => Answer::Export(self.chain.rules().id(), self.export(now)),
            Query::Fees => Answer::Fees(self.pool_fees(now)),
            Query::Estimate { bytes, blocks } => {
                Answer::Estimate(self.estimate(now, *bytes, *blocks))
            }
            Query::Scores => Answer::Scores(self.scores(now)),
            // These change something, and were not asked in the right way.
            Query::Ban { .. } | Query::Unban { .. } => Answer::Done(false),
            // Its signature must be checked first; this one was not asked in the right way.
            Query::Test(tx) => Answer::Test(self.tested(now, tx, Some(busy()))?),
            Query::Account(address) => Answer::Account(self.account(*address)?),
            Query::Block(block) => Answer::Block(self.block(*block)?.map(Box::new)),
            Query::Tx(id) => Answer::Tx(self.transaction(*id)?),
            Query::Evidence { from_slot, max } => {
                let max = (*max).min(MAX_EVIDENCE) as usize;
                let proofs = self.chain.store().evidence_from(*from_slot, max)?;
                Answer::Evidence(proofs.iter().map(evidence_view).collect())
            }
        })
    }

    fn status(&self, now: Time) -> NodeStatus {
        let (genesis, ends) = (self.genesis(), self.chain.ends());
        NodeStatus {
            name: String::new(),
            peer: String::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network: genesis.name.clone(),
            genesis: self.chain.rules().id(),
            listen: Vec::new(),
            authority: self.authority.as_ref().map(hearsay_chain::Keypair::public),
            uptime_ms: now.since(self.started) / 1_000,
            slot: genesis.slot_at(now.unix_ms()),
            slot_ms: genesis.slot_ms,
            tip: ends.tip,
            height: ends.height,
            final_height: ends.final_height,
            first_body: self.chain.first_body(),
            peers: self.sync.peer_count(),
            mempool: self.mempool(now),
            sync: self.sync.status(ends.height),
            verdicts: self.verdicts,
            lag_p99_us: None,
        }
    }

    fn account(&self, address: Address) -> Result<AccountView, StoreError> {
        let account = self.chain.account(&address)?;
        Ok(AccountView {
            address,
            balance: account.balance,
            nonce: account.nonce,
            next_nonce: self.pool.next_nonce(&address, account),
            height: self.chain.ends().height,
        })
    }

    fn block(&self, block: BlockRef) -> Result<Option<BlockView>, StoreError> {
        let id = match block {
            BlockRef::Id(id) => Some(id),
            BlockRef::Height(height) => self.chain.store().block_at(height)?,
            BlockRef::Latest => Some(self.chain.ends().tip),
        };
        match id {
            Some(id) => self.block_view(id),
            None => Ok(None),
        }
    }

    fn block_view(&self, id: BlockId) -> Result<Option<BlockView>, StoreError> {
        let store = self.chain.store();
        // The genesis block has a header alone.
        let Some(header) = store.header(&id)? else { return Ok(None) };
        let kept = store.block(&id)?;
        let pruned = kept.is_none() && header.fields.height > 0;
        let block = kept.unwrap_or_else(|| VerifiedBlock::from_own_store(header, Vec::new()));
        let fields = &block.header().fields;
        let main = self.chain.is_main(&id, fields.height)?;
        Ok(Some(BlockView {
            id,
            height: fields.height,
            slot: fields.slot,
            slot_start_ms: self.genesis().slot_start_ms(fields.slot),
            parent: fields.parent,
            proposer: fields.proposer,
            tx_root: hex::encode(fields.tx_root),
            size: block.size() as u64,
            pruned,
            main,
            is_final: main && fields.height <= self.chain.ends().final_height,
            transactions: block.transactions().iter().map(tx_view).collect(),
        }))
    }

    fn transaction(&self, id: TxId) -> Result<TxStatus, StoreError> {
        if let Some(state) = self.pool.state(&id) {
            let unbroadcast = self.unbroadcast.contains(&id);
            return Ok(match state {
                State::Ready if unbroadcast => TxStatus::Unbroadcast { waiting_for: None },
                State::Queued { waiting_for } if unbroadcast => {
                    TxStatus::Unbroadcast { waiting_for: Some(waiting_for) }
                }
                State::Ready => TxStatus::Ready,
                State::Queued { waiting_for } => TxStatus::Queued { waiting_for },
                State::Unfunded { nonce } => TxStatus::Unfunded { nonce },
            });
        }
        let Some(place) = self.chain.find_transaction(&id)? else {
            return Ok(self.departures.status(&id));
        };
        let Some(block) = self.chain.store().block_at(place.height)? else {
            return Ok(TxStatus::Unknown);
        };
        let (ends, height) = (self.chain.ends(), place.height);
        let confirmations = ends.height.saturating_sub(height);
        Ok(if height <= ends.final_height {
            TxStatus::Final { block, height, confirmations }
        } else {
            TxStatus::Included { block, height, confirmations }
        })
    }
}

fn evidence_view(proof: &Evidence) -> EvidenceView {
    EvidenceView {
        slot: proof.turn().slot,
        proposer: proof.turn().proposer,
        first: proof.first.id(),
        second: proof.second.id(),
        first_header: hex::encode(codec::encode(&proof.first)),
        second_header: hex::encode(codec::encode(&proof.second)),
    }
}

fn tx_view(tx: &VerifiedTx) -> TxView {
    let transfer = tx.transfer();
    TxView {
        id: tx.id(),
        sender: tx.sender(),
        nonce: transfer.nonce,
        recipient: transfer.recipient,
        amount: transfer.amount,
        fee: transfer.fee,
        expiry: transfer.expiry,
        payload: hex::encode(&transfer.payload),
        size: tx.size() as u64,
    }
}
