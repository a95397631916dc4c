//! The pool in pages. The engine gives all of it at once, which takes it some nanoseconds for each
//! transaction; sorting, encoding and waiting for a slow caller are done here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hearsay_chain::GenesisId;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::error::RpcError;
use crate::api::{ExportPage, ExportedTx, WaitingTx};
use crate::handle::Stopping;

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
    all: Arc<Vec<WaitingTx>>,
}

/// The exports under way. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Exports(Arc<Mutex<Under>>);

#[derive(Debug, Default)]
struct Under {
    next: u64,
    exports: Vec<Export>,
    /// Places that are kept for those whose transactions are on their way.
    reserved: usize,
}

/// A place for an export that is about to begin. It is free again when this is dropped.
#[derive(Debug)]
struct Place(Exports);

impl Drop for Place {
    fn drop(&mut self) {
        let mut under = self.0.lock();
        under.reserved = under.reserved.saturating_sub(1);
    }
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

    fn reserve(&self) -> Result<Place, RpcError> {
        let mut under = self.lock();
        under.forget_old();
        if under.exports.len() + under.reserved >= MAX_EXPORTS {
            return Err(RpcError::Busy);
        }
        under.reserved += 1;
        Ok(Place(self.clone()))
    }

    /// The first page of all that `waiting` gives, which is not asked before there is room for it.
    /// Whoever asked may give up; the place is kept until the answer is there all the same, because
    /// until then its transactions may be on their way.
    pub(super) async fn begin(
        &self,
        waiting: impl Future<Output = Result<(GenesisId, Vec<WaitingTx>), Stopping>> + Send + 'static,
    ) -> Result<ExportPage, RpcError> {
        let place = self.reserve()?;
        let (reply, answer) = oneshot::channel::<Result<ExportPage, RpcError>>();
        tokio::spawn(async move {
            let first = match waiting.await {
                _ if reply.is_closed() => return,
                // To sort a million takes longer than others should wait.
                Ok((genesis, all)) => spawn_blocking(move || {
                    let page = place.first_page(genesis, all);
                    let (next, exports) = (page.next.clone(), place.0.clone());
                    drop(place);
                    if reply.send(Ok(page)).is_err() {
                        exports.end(next.as_deref());
                    }
                }),
                Err(Stopping) => return,
            };
            let _ = first.await;
        });
        answer.await.unwrap_or(Err(RpcError::Stopping))
    }

    /// Nobody will ask for more.
    fn end(&self, cursor: Option<&str>) {
        if let Some((number, _)) = cursor.and_then(parse) {
            self.lock().exports.retain(|export| export.number != number);
        }
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
            self.end(Some(at));
        }
        Ok(page)
    }
}

impl Place {
    fn first_page(&self, genesis: GenesisId, mut all: Vec<WaitingTx>) -> ExportPage {
        all.sort_by_cached_key(|it| (it.tx.sender(), it.tx.transfer().nonce));
        let (mut page, end) = page(genesis, &all, 0);
        if end < all.len() {
            let mut under = self.0.lock();
            under.next += 1;
            let (number, all) = (under.next, Arc::new(all));
            under.exports.push(Export { number, asked: Instant::now(), genesis, all });
            page.next = Some(cursor(number, end));
        }
        page
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

    /// The first page of an export of these.
    async fn begin(exports: &Exports, all: Vec<WaitingTx>) -> Result<ExportPage, RpcError> {
        exports.begin(async { Ok((GENESIS, all)) }).await
    }

    #[tokio::test]
    async fn pages_together_are_all_of_it_each_senders_by_nonce() {
        let exports = Exports::default();
        let all: Vec<_> =
            (0..100).rev().flat_map(|nonce| [waiting(1, nonce), waiting(2, nonce)]).collect();
        let mut page = begin(&exports, all).await.unwrap();
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

    #[tokio::test]
    async fn no_more_are_asked_for_than_may_be_under_way_and_who_gives_up_leaves_room() {
        let exports = Exports::default();
        let all = || (0..200).map(|nonce| waiting(1, nonce)).collect::<Vec<_>>();
        let mut answers = Vec::new();
        for _ in 0..MAX_EXPORTS {
            let (answer, asked) = oneshot::channel();
            let asking = exports.begin(async { asked.await.map_err(|_| Stopping) });
            // The caller waits for a moment and gives up, before the pool was walked.
            assert!(tokio::time::timeout(Duration::ZERO, asking).await.is_err());
            answers.push(answer);
        }
        let never = exports.begin(async { panic!("the pool was walked for one too many") });
        assert_eq!(never.await, Err(RpcError::Busy));
        for answer in answers {
            answer.send((GENESIS, all())).unwrap();
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        while exports.lock().reserved > 0 {
            assert!(Instant::now() < deadline, "places are kept for nobody");
            tokio::task::yield_now().await;
        }
        assert!(exports.lock().exports.is_empty());
        assert!(begin(&exports, all()).await.unwrap().next.is_some());
        // A node that stops gives nothing, and keeps nothing.
        assert_eq!(exports.begin(async { Err(Stopping) }).await, Err(RpcError::Stopping));
        assert_eq!(exports.lock().reserved, 0);
    }

    #[tokio::test]
    async fn a_cursor_that_is_none_or_is_over_is_said_and_only_a_few_exports_are_under_way() {
        let exports = Exports::default();
        let all = || (0..200).map(|nonce| waiting(1, nonce)).collect();
        for wrong in ["", "1", "1-0", "x-y", "1--1", "99999999999999999999-1"] {
            assert!(matches!(exports.go_on(wrong), Err(RpcError::NotFound(_))), "{wrong}");
        }
        for _ in 0..MAX_EXPORTS {
            begin(&exports, all()).await.unwrap();
        }
        assert_eq!(begin(&exports, all()).await, Err(RpcError::Busy));
        assert!(exports.go_on("1-18446744073709551615").is_err());
        // What ends with its first page takes no place, and needs one until then.
        assert!(exports.go_on("1-199").unwrap().next.is_none());
        for _ in 0..3 {
            assert!(begin(&exports, Vec::new()).await.unwrap().next.is_none());
        }
    }
}
