//! A pool under attack, with honest traffic beside it, and what came of both.

use std::collections::BTreeMap;

use hearsay_chain::keys::Signature;
use hearsay_chain::ledger::Account;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{ChainId, PublicKey, Transaction, TxId, VerifiedTx};
use hearsay_mempool::{Config, FeeRate, Inserted, Now, Origin, Pool, Refusal};

/// What attackers pay at most, in units for each byte, where it is a matter of price.
pub(crate) const ATTACKERS_RATE: u64 = 10;

/// The first number of a sender that is an attacker.
pub(crate) const ATTACKERS: u64 = 1 << 32;

pub(crate) fn key(sender: u64) -> PublicKey {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&sender.to_le_bytes());
    PublicKey(bytes)
}

/// A transfer of nothing that pays so much for each byte, to be changed as a test needs.
pub(crate) fn bid(sender: u64, nonce: u64, payload: usize, rate: FeeRate) -> VerifiedTx {
    let fee = u64::try_from(rate.fee_for(165 + payload)).unwrap();
    signed(sender, nonce, payload, 0, fee)
}

pub(crate) fn signed(sender: u64, nonce: u64, payload: usize, amount: u64, fee: u64) -> VerifiedTx {
    let transfer = Transfer {
        chain: ChainId([0; 8]),
        sender: key(sender),
        nonce,
        recipient: key(sender + 1).address(),
        amount,
        fee,
        expiry: None,
        payload: vec![0; payload],
    };
    // The pool never looks at signatures.
    VerifiedTx::from_own_store(Transaction { transfer, signature: Signature([0; 64]) }.into())
}

pub(crate) fn per_byte(units: u64) -> FeeRate {
    FeeRate::from_per_kb(units * 1_000)
}

pub(crate) fn rich() -> Account {
    Account { balance: 1 << 60, nonce: 0 }
}

/// What came of an attack.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: usize,
    pub(crate) taken: usize,
    refused: BTreeMap<&'static str, usize>,
    pub(crate) honest: usize,
    pub(crate) honest_refused: usize,
    pub(crate) honest_evicted: usize,
    pub(crate) most_memory: usize,
}

/// A pool under attack.
pub(crate) struct Field {
    pub(crate) pool: Pool,
    pub(crate) tally: Tally,
    honest: BTreeMap<TxId, VerifiedTx>,
    now: Now,
}

impl Field {
    /// A pool that attackers fill many times over, and honest traffic never.
    pub(crate) fn new(config: Config) -> Self {
        let pool = Pool::new(config).unwrap();
        let now = Now { us: 0, next_height: 1 };
        Self { pool, tally: Tally::default(), honest: BTreeMap::new(), now }
    }

    /// 2,000 transactions, with memory to spare.
    pub(crate) fn of_count() -> Self {
        Self::new(Config { max_count: 2_000, max_memory: 1 << 30, ..Config::default() })
    }

    fn insert(&mut self, tx: VerifiedTx, account: Account) -> Result<Inserted, Refusal> {
        self.now.us += 100;
        let result = self.pool.insert(tx, Origin::Remote, account, self.now);
        if let Ok(inserted) = &result {
            let lost = inserted.departed().filter(|(id, _)| self.honest.contains_key(id)).count();
            self.tally.honest_evicted += lost;
        }
        let totals = self.pool.totals();
        assert!(totals.memory <= totals.max_memory && totals.count <= totals.max_count);
        self.tally.most_memory = self.tally.most_memory.max(totals.memory);
        result
    }

    pub(crate) fn attack(&mut self, tx: VerifiedTx, account: Account) -> Result<Inserted, Refusal> {
        self.tally.sent += 1;
        let result = self.insert(tx, account);
        match &result {
            Ok(_) => self.tally.taken += 1,
            Err(refusal) => {
                *self.tally.refused.entry(hearsay_chain::Judged::reason(refusal)).or_default() += 1;
            }
        }
        result
    }

    /// One more from an honest sender of its own, that pays at least this rate. Every third one
    /// pays exactly it, the others more.
    pub(crate) fn honest(&mut self, least: FeeRate) {
        let number = self.tally.honest as u64;
        let (sender, nonce) = (number / 2, number % 2);
        let rate = if sender.is_multiple_of(3) { least } else { least.plus(per_byte(number % 5)) };
        let tx = bid(sender, nonce, (number % 4) as usize * 50, rate);
        self.tally.honest += 1;
        self.honest.insert(tx.id(), tx.clone());
        if self.insert(tx, rich()).is_err() {
            self.tally.honest_refused += 1;
        }
    }

    /// The least that beats attackers who pay this.
    pub(crate) fn over(&self, rate: FeeRate) -> FeeRate {
        rate.plus(FeeRate::from_per_kb(self.pool.config().fee_step_per_kb))
    }

    /// Ends it: no honest one was lost, and each stands in the next blocks.
    pub(crate) fn end(self, name: &str) -> (Pool, Tally) {
        self.pool.check_invariants();
        let Tally { sent, taken, refused, honest, .. } = &self.tally;
        let kept = self.honest.keys().filter(|id| self.pool.contains(id)).count();
        let totals = self.pool.totals();
        println!(
            "{name}: {sent} sent, {taken} taken, refused {refused:?}; {kept} of {honest} honest \
             kept; {} of {} held, memory at most {:.1} % of the cap",
            totals.count,
            totals.max_count,
            self.tally.most_memory as f64 * 100.0 / totals.max_memory as f64,
        );
        let lost = (self.tally.honest_refused, self.tally.honest_evicted);
        assert_eq!(lost, (0, 0), "honest ones refused and evicted");
        assert_eq!(kept, *honest);
        assert!(*honest > 0, "nothing was put to the test");
        (self.pool, self.tally)
    }
}
