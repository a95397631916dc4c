//! What the pool says it takes in memory is what the process grows by.
//!
//! Resident memory is what is compared: pages that the process touched, as the system counts them.
//! Each shape is filled in a process of its own, this test called again, so that nothing else
//! allocates meanwhile and nothing is left from before.

use std::process::Command;

use hearsay_chain::keys::Signature;
use hearsay_chain::ledger::Account;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{ChainId, PublicKey, Transaction, VerifiedTx};
use hearsay_mempool::{Config, Now, Origin, Pool};

/// By how much the account may be off.
const WITHIN: f64 = 0.10;
/// The most that a transaction may take beyond its own encoding, in bytes.
const MOST_OVERHEAD: f64 = 400.0;

const START: Now = Now { us: 0, next_height: 1 };

/// Resident memory in bytes, without what is mapped from files: code comes in as it is run.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? * 1_024)
}

fn made(sender: u64, nonce: u64, fee: u64, payload: usize) -> VerifiedTx {
    let mut key = [7; 32];
    key[..8].copy_from_slice(&sender.to_le_bytes());
    let transfer = Transfer {
        chain: ChainId([0; 8]),
        sender: PublicKey(key),
        nonce,
        recipient: PublicKey([1; 32]).address(),
        amount: 0,
        fee,
        expiry: None,
        payload: vec![0; payload],
    };
    VerifiedTx::from_own_store(Transaction { transfer, signature: Signature([0; 64]) }.into())
}

/// What a pool is filled with, and how it is churned afterwards.
struct Shape {
    name: &'static str,
    count: u64,
    per_sender: u64,
    payload: fn(u64) -> usize,
}

fn insert(pool: &mut Pool, tx: VerifiedTx) -> bool {
    let account = Account { balance: 1 << 60, nonce: 0 };
    pool.insert(tx, Origin::Remote, account, START).is_ok()
}

/// A fee that no order of senders follows.
fn fee(number: u64, size: usize) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    (10 + mixed % 1_000) * size as u64
}

impl Shape {
    fn fill(&self, pool: &mut Pool) {
        for number in 0..self.count {
            let (sender, nonce) = (number / self.per_sender, number % self.per_sender);
            let payload = (self.payload)(number);
            assert!(insert(pool, made(sender, nonce, fee(number, 165 + payload), payload)));
        }
    }

    /// Three times over, newcomers push others out and replacements take their place.
    fn churn(&self, pool: &mut Pool) {
        let (mut taken, mut replaced) = (0, 0);
        for number in 0..self.count * 3 {
            let payload = (self.payload)(number);
            let fee = fee(number, 165 + payload);
            if number % 3 == 0 {
                let at = number / 3;
                let tx = made(at / self.per_sender, at % self.per_sender, fee * 3, payload);
                replaced += u64::from(insert(pool, tx));
            } else {
                let sender = (1 << 32) + number / self.per_sender;
                taken +=
                    u64::from(insert(pool, made(sender, number % self.per_sender, fee, payload)));
            }
        }
        assert!(taken + replaced > self.count / 10, "{taken} and {replaced}");
    }

    /// Tells the account against what the process grew by; whether that is good enough.
    fn compare(&self, what: &str, pool: &Pool, before: usize) -> bool {
        let totals = pool.totals();
        let grown = resident().unwrap() - before;
        let (says, grew, count) = (totals.memory as f64, grown as f64, totals.count as f64);
        let off = says / grew - 1.0;
        let overhead = (says.max(grew) - totals.bytes as f64) / count;
        println!(
            "{}, {what}: {:.1} bytes each by the account, {:.1} by the process ({:+.1} %), at most \
             {overhead:.1} beyond the encoding",
            self.name,
            says / count,
            grew / count,
            off * 100.0,
        );
        off.abs() <= WITHIN && overhead <= MOST_OVERHEAD
    }

    fn measure(&self) {
        let before = resident().unwrap();
        let max_count = self.count as usize;
        let config = Config { max_count, max_memory: 1 << 34, ..Config::default() };
        let mut pool = Pool::new(config).unwrap();
        self.fill(&mut pool);
        let filled = self.compare("filled", &pool, before);
        self.churn(&mut pool);
        let churned = self.compare("churned", &pool, before);
        assert!(filled && churned);
    }
}

const NONE: fn(u64) -> usize = |_| 0;
const MIXED: fn(u64) -> usize = |number| [0, 40, 200, 900][(number % 4) as usize];

const SHAPES: [Shape; 4] = [
    Shape { name: "ten of each sender", count: 200_000, per_sender: 10, payload: NONE },
    Shape { name: "one of each sender", count: 200_000, per_sender: 1, payload: NONE },
    Shape { name: "mixed payloads", count: 100_000, per_sender: 3, payload: MIXED },
    Shape { name: "long runs", count: 100_000, per_sender: 500, payload: NONE },
];

const SHAPE: &str = "HEARSAY_MEMORY_SHAPE";

#[test]
fn memory_is_accounted_for_within_a_tenth_and_overhead_stays_small() {
    if let Ok(name) = std::env::var(SHAPE) {
        return SHAPES.iter().find(|it| it.name == name).expect("a shape").measure();
    }
    if resident().is_none() {
        println!("this system does not tell what is resident");
        return;
    }
    let mut all_good = true;
    for shape in &SHAPES {
        let mut again = Command::new(std::env::current_exe().unwrap());
        let output = again.arg("--nocapture").env(SHAPE, shape.name).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        told.lines()
            .filter(|line| line.starts_with(shape.name))
            .for_each(|line| println!("{line}"));
        all_good &= output.status.success();
    }
    assert!(all_good);
}
