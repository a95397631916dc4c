//! About a hundred transactions a second for whatever node runs at the moment.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hearsay_chain::TxId;
use hearsay_node::rpc::{HexBytes, RpcClient};
use jsonrpsee::http_client::HttpClient;
use tokio::sync::{Semaphore, watch};
use tokio::time::MissedTickBehavior;

use super::branches::Payments;
use crate::peer::lock;

/// The time between two transactions.
const EVERY: Duration = Duration::from_millis(10);

/// Calls that the node may owe an answer; beyond this one transaction is left out.
const OUTSTANDING: usize = 32;

/// What became of the load.
#[derive(Debug, Default)]
pub(super) struct Handed {
    /// Handed in.
    pub(super) sent: u64,
    /// Those that the node said it took.
    pub(super) taken: BTreeSet<TxId>,
}

/// Runs the load until nobody tells any more who runs.
pub(super) async fn run(
    payments: Arc<Mutex<Payments>>,
    mut node: watch::Receiver<Option<HttpClient>>,
    handed: Arc<Mutex<Handed>>,
) {
    let slots = Arc::new(Semaphore::new(OUTSTANDING));
    let mut tick = tokio::time::interval(EVERY);
    // What a busy machine has missed is made up for, so that the rate holds.
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        if node.borrow().is_none() {
            if node.wait_for(Option::is_some).await.is_err() {
                return;
            }
            tick.reset();
        }
        tick.tick().await;
        let Some(client) = node.borrow().clone() else { continue };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { continue };
        let tx = lock(&payments).make();
        lock(&handed).sent += 1;
        let handed = Arc::clone(&handed);
        tokio::spawn(async move {
            let _slot = slot;
            // A call may fail in a kill; the transaction stands in the storm's blocks all the same.
            if client.tx_submit(HexBytes(tx.encode()), None).await.is_ok() {
                lock(&handed).taken.insert(tx.id());
            }
        });
    }
}
