//! The pool in pages. The engine gives all of it at once, which takes it some nanoseconds for each
//! transaction; sorting, encoding and waiting for a slow caller are done here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hearsay_chain::GenesisId;

use super::error::RpcError;
use crate::api::{ExportPage, ExportedTx, WaitingTx};

/// Bytes of encodings in a page, but for its last transaction: in hex and with the rest of it well
/// below what an answer may have.
const PAGE_BYTES: usize = 2 << 20;

/// Exports that may be under way. Each holds on to what has left the pool since.
const MAX_EXPORTS: usize = 2;

/// One that nobody has asked about for so long is over.
const PATIENCE: Duration = Duration::from_secs(60);

/// One that was begun.
#[derive(Debug)]
struct Export {
    number: u64,
    asked: Instant,
    genesis: GenesisId,
    all: Arc<[WaitingTx]>,
}

/// The exports under way. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Exports(Arc<Mutex<Under>>);

#[derive(Debug, Default)]
struct Under {
    next: u64,
    exports: Vec<Export>,
}

impl Under {
    fn forget_old(&mut self) {
        self.exports.retain(|export| export.asked.elapsed() < PATIENCE);
    }
}

impl Exports {
    fn lock(&self) -> MutexGuard<'_, Under> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another may begin.
    pub(super) fn check(&self) -> Result<(), RpcError> {
        let mut under = self.lock();
        under.forget_old();
        if under.exports.len() < MAX_EXPORTS { Ok(()) } else { Err(RpcError::Busy) }
    }

    /// The first page of all that waits.
    pub(super) fn begin(
        &self,
        genesis: GenesisId,
        mut all: Vec<WaitingTx>,
    ) -> Result<ExportPage, RpcError> {
        all.sort_by_cached_key(|it| (it.tx.sender(), it.tx.transfer().nonce));
        let all: Arc<[WaitingTx]> = all.into();
        let (mut page, end) = page(genesis, &all, 0);
        if end < all.len() {
            self.check()?;
            let mut under = self.lock();
            under.next += 1;
            let number = under.next;
            under.exports.push(Export { number, asked: Instant::now(), genesis, all });
            page.next = Some(cursor(number, end));
        }
        Ok(page)
    }

    /// The page that a cursor names.
    pub(super) fn go_on(&self, at: &str) -> Result<ExportPage, RpcError> {
        let gone = || {
            RpcError::NotFound(
                "this export is over, or was not asked about for a minute; begin again".to_owned(),
            )
        };
        let (number, begin) = parse(at).ok_or_else(gone)?;
        let mut under = self.lock();
        under.forget_old();
        let export = under.exports.iter_mut().find(|it| it.number == number).ok_or_else(gone)?;
        export.asked = Instant::now();
        let (genesis, all) = (export.genesis, Arc::clone(&export.all));
        drop(under);
        if begin > all.len() {
            return Err(gone());
        }
        let (mut page, end) = page(genesis, &all, begin);
        if end < all.len() {
            page.next = Some(cursor(number, end));
        } else {
            self.lock().exports.retain(|export| export.number != number);
        }
        Ok(page)
    }
}

fn cursor(number: u64, end: usize) -> String {
    format!("{number}-{end}")
}

fn parse(cursor: &str) -> Option<(u64, usize)> {
    let (number, begin) = cursor.split_once('-')?;
    Some((number.parse().ok()?, begin.parse().ok()?))
}

/// A page from one place on, and where the next begins.
fn page(genesis: GenesisId, all: &[WaitingTx], begin: usize) -> (ExportPage, usize) {
    let (mut transactions, mut bytes) = (Vec::new(), 0_usize);
    for WaitingTx { tx, arrived_us, local } in all.iter().skip(begin) {
        if bytes >= PAGE_BYTES {
            break;
        }
        bytes = bytes.saturating_add(tx.size());
        let (arrived_us, local) = (*arrived_us, *local);
        transactions.push(ExportedTx { tx: hex::encode(tx.encode()), arrived_us, local });
    }
    let end = begin.saturating_add(transactions.len());
    (ExportPage { genesis, total: all.len() as u64, transactions, next: None }, end)
}

#[cfg(test)]
mod tests {
    use hearsay_chain::transaction::Transfer;
    use hearsay_chain::{Address, ChainId, Keypair, UnverifiedTx, VerifiedTx};

    use super::*;

    fn waiting(sender: u8, nonce: u64) -> WaitingTx {
        let key = Keypair::from_seed(&[sender; 32]);
        let transfer = Transfer {
            chain: ChainId([1; 8]),
            sender: key.public(),
            nonce,
            recipient: Address([1; 32]),
            amount: 1,
            fee: 1,
            expiry: None,
            payload: vec![7; 16_000],
        };
        let tx = VerifiedTx::from_own_store(UnverifiedTx::from(transfer.sign(&key)));
        WaitingTx { tx, arrived_us: nonce, local: false }
    }

    const GENESIS: GenesisId = GenesisId([3; 32]);

    #[test]
    fn pages_together_are_all_of_it_each_senders_by_nonce() {
        let exports = Exports::default();
        let all: Vec<_> =
            (0..100).rev().flat_map(|nonce| [waiting(1, nonce), waiting(2, nonce)]).collect();
        let mut page = exports.begin(GENESIS, all).unwrap();
        let (mut nonces, mut pages) = (Vec::new(), 1);
        loop {
            assert_eq!(page.total, 200);
            nonces.extend(page.transactions.iter().map(|it| it.arrived_us));
            let Some(next) = page.next else { break };
            page = exports.go_on(&next).unwrap();
            pages += 1;
        }
        assert_eq!(nonces, (0..100).chain(0..100).collect::<Vec<u64>>());
        assert_eq!(pages, 2);
        assert!(exports.lock().exports.is_empty(), "what is over is held no longer");
    }

    #[test]
    fn a_cursor_that_is_none_or_is_over_is_said_and_only_a_few_exports_are_under_way() {
        let exports = Exports::default();
        let all = || (0..200).map(|nonce| waiting(1, nonce)).collect();
        for wrong in ["", "1", "1-0", "x-y", "1--1", "99999999999999999999-1"] {
            assert!(matches!(exports.go_on(wrong), Err(RpcError::NotFound(_))), "{wrong}");
        }
        for _ in 0..MAX_EXPORTS {
            exports.begin(GENESIS, all()).unwrap();
        }
        assert_eq!(exports.begin(GENESIS, all()), Err(RpcError::Busy));
        assert!(exports.go_on("1-18446744073709551615").is_err());
        assert!(exports.begin(GENESIS, Vec::new()).unwrap().next.is_none());
    }
}
