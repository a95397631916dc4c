//! Following a transaction until it has come far enough.

use std::time::Duration;

use hearsay_chain::TxId;
use jsonrpsee::http_client::HttpClient;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::console::Console;
use super::failure::Failure;
use super::node::Node;
use super::tx::word;
use crate::api::TxStatus;
use crate::rpc::RpcClient;

/// How often to ask: faster than a person notices, slower than a node minds.
const PERIOD: Duration = Duration::from_millis(200);

/// How far a transaction is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Into the pool.
    Taken,
    /// Into a block of the main chain.
    Included,
    /// Into a final block.
    Final,
}

impl Goal {
    const fn reached(self, status: &TxStatus) -> bool {
        match status {
            TxStatus::Unknown | TxStatus::Dropped { .. } => false,
            TxStatus::Unbroadcast { .. }
            | TxStatus::Queued { .. }
            | TxStatus::Unfunded { .. }
            | TxStatus::Ready => matches!(self, Goal::Taken),
            TxStatus::Included { .. } => matches!(self, Goal::Taken | Goal::Included),
            TxStatus::Final { .. } => true,
        }
    }
}

/// Asks until the goal is reached, telling each new state, or until `patience` is over.
pub(super) async fn until(
    node: &Node,
    client: &HttpClient,
    id: TxId,
    goal: Goal,
    patience: Duration,
    console: &mut Console<'_>,
) -> Result<TxStatus, Failure> {
    let mut last = None;
    // A time beyond what the clock can count is as good as a year.
    let deadline = Instant::now().checked_add(patience);
    let deadline =
        deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(365 * 24 * 60 * 60));
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let following = async {
        loop {
            ticks.tick().await;
            let status = node.ask(client.tx_status(id)).await?;
            let now = word(&status);
            if last != Some(now) {
                console.say(format_args!("{id} {now}"));
                last = Some(now);
            }
            if goal.reached(&status) {
                return Ok(status);
            }
        }
    };
    match timeout_at(deadline, following).await {
        Ok(ended) => ended,
        Err(_) => Err(Failure::TimedOut(format!(
            "after {patience:?} the transaction {id} is {}; `hearsay tx status {id}` asks again",
            last.unwrap_or("submitted, but its state is not known")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use hearsay_chain::BlockId;

    use super::*;

    #[test]
    fn a_state_reaches_every_goal_up_to_itself() {
        let (block, height, confirmations) = (BlockId([1; 32]), 1, 0);
        let goals = [Goal::Taken, Goal::Included, Goal::Final];
        for (status, reached) in [
            (TxStatus::Unknown, [false, false, false]),
            (TxStatus::Queued { waiting_for: 1 }, [true, false, false]),
            (TxStatus::Unfunded { nonce: 1 }, [true, false, false]),
            (TxStatus::Ready, [true, false, false]),
            (TxStatus::Included { block, height, confirmations }, [true, true, false]),
            (TxStatus::Final { block, height, confirmations }, [true, true, true]),
        ] {
            assert_eq!(goals.map(|goal| goal.reached(&status)), reached, "{status:?}");
        }
    }
}
