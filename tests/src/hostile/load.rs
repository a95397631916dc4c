//! Honest load: transactions handed in here and there at a steady rate.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use hearsay_chain::TxId;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::field::{Field, HONEST};

/// What came of a load.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// Transactions that nodes took.
    pub(super) taken: Vec<TxId>,
    /// How many they did not take.
    pub(super) refused: u64,
}

/// A load that goes on until it is stopped.
pub(super) struct Load {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Loaded>,
}

impl Load {
    /// So many a second, in turn by each sender, who has a node of its own.
    pub(super) fn start(field: &Field, rate: f64) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let (handles, makers) = (field.handles(), Arc::clone(&field.makers));
        let task = tokio::spawn(async move {
            let mut beat = interval(Duration::from_secs_f64(1.0 / rate.max(0.1)));
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut loaded = Loaded::default();
            for number in 0_usize.. {
                tokio::select! {
                    _ = &mut stopped => break,
                    _ = beat.tick() => {}
                }
                let (sender, nonce) = (number % HONEST, number / HONEST);
                let tx = makers.payment(sender, nonce as u64).to_unverified();
                let Some(handle) = handles.get(sender % handles.len().max(1)) else { break };
                match handle.submit(tx).await {
                    Ok(Ok(submitted)) => loaded.taken.push(submitted.id),
                    _ => loaded.refused += 1,
                }
            }
            loaded
        });
        Self { stop, task }
    }

    /// Stops it.
    ///
    /// # Errors
    /// It has panicked.
    pub(super) async fn stop(self) -> Result<Loaded> {
        // It may have ended with the nodes.
        let _ = self.stop.send(());
        Ok(self.task.await?)
    }
}
