//! A chain to measure with: many senders, blocks of as many transactions as asked for.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use hearsay_chain::genesis::{Genesis, Limits, Schedule};
use hearsay_chain::store::{Durability, RocksOptions, RocksStore};
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Chain, Keypair, UnverifiedTx, VerifiedBlock, VerifiedTx};

const AUTHORITIES: u8 = 4;

/// Accounts that pay each other: enough that most transactions touch accounts of their own.
const SENDERS: u32 = 2_000;

const SLOT_MS: u64 = 1_000;

/// Blocks stored as one change while a chain is made.
const AT_ONCE: usize = 64;

/// A network whose first `blocks` slots have passed.
pub(super) struct World {
    pub(super) genesis: Genesis,
    authorities: Vec<Keypair>,
    senders: Vec<Keypair>,
    nonces: Vec<u64>,
}

fn key(kind: u8, number: u32) -> Keypair {
    let mut seed = [kind; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    Keypair::from_seed(&seed)
}

impl World {
    pub(super) fn new(blocks: u64) -> anyhow::Result<Self> {
        let authorities: Vec<Keypair> =
            (0..u32::from(AUTHORITIES)).map(|number| key(1, number)).collect();
        let senders: Vec<Keypair> = (0..SENDERS).map(|number| key(2, number)).collect();
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let genesis = Genesis {
            name: "bench".to_owned(),
            time_ms: now.saturating_sub((blocks + 60) * SLOT_MS),
            slot_ms: SLOT_MS,
            schedule: Schedule::RoundRobin,
            authorities: authorities.iter().map(Keypair::public).collect(),
            limits: Limits::default(),
            allocations: senders.iter().map(|key| (key.address(), 1 << 40)).collect(),
        };
        genesis.check()?;
        Ok(Self { nonces: vec![0; senders.len()], genesis, authorities, senders })
    }

    /// The keys that may propose.
    pub(super) fn authorities(&self) -> &[Keypair] {
        &self.authorities
    }

    /// The next transactions, each of the next sender.
    pub(super) fn transactions(
        &mut self,
        from: u64,
        count: usize,
        payload: usize,
    ) -> Vec<VerifiedTx> {
        let chain = self.genesis.chain();
        let all = self.senders.len();
        (0..count)
            .map(|number| {
                let at = (from as usize + number) % all;
                let nonce = self.nonces[at];
                self.nonces[at] += 1;
                let transfer = Transfer {
                    chain,
                    sender: self.senders[at].public(),
                    nonce,
                    recipient: self.senders[(at * 7 + 1) % all].address(),
                    amount: 1,
                    fee: 1,
                    expiry: None,
                    payload: vec![7; payload],
                };
                VerifiedTx::from_own_store(UnverifiedTx::from(transfer.sign(&self.senders[at])))
            })
            .collect()
    }

    /// A block of these transactions, in the slot of its height.
    pub(super) fn block(
        &self,
        parent: (hearsay_chain::BlockId, u64),
        transactions: Vec<VerifiedTx>,
    ) -> VerifiedBlock {
        let slot = parent.1 + 1;
        let key = &self.authorities[(slot % u64::from(AUTHORITIES)) as usize];
        VerifiedBlock::propose(self.genesis.chain(), parent, slot, transactions, key)
    }

    /// Makes a chain of `blocks` blocks with `transactions` transactions each in a new store.
    /// Gives the blocks, unless they would take too much memory to keep.
    pub(super) fn build(
        &mut self,
        path: &Path,
        blocks: u64,
        transactions: usize,
        mut keep: impl FnMut(&VerifiedBlock),
    ) -> anyhow::Result<Chain<RocksStore>> {
        let options = RocksOptions { durability: Durability::Buffered, ..RocksOptions::default() };
        let store = RocksStore::open(path, self.genesis.id(), options)?;
        let mut chain = Chain::open(store, self.genesis.clone())?;
        let mut run = Vec::with_capacity(AT_ONCE);
        let mut parent = (self.genesis.block().id(), 0);
        for height in 1..=blocks {
            let payments = self.transactions(height * transactions as u64, transactions, 0);
            let block = self.block(parent, payments);
            keep(&block);
            parent = (block.id(), height);
            run.push(block);
            if run.len() == AT_ONCE || height == blocks {
                let taken = chain.import_run(std::mem::take(&mut run), blocks)?;
                anyhow::ensure!(
                    taken.refused.is_none(),
                    "a block made here was refused: {taken:?}"
                );
            }
        }
        Ok(chain)
    }
}
