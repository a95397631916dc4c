//! Following a transaction until it has come far enough, or to another end.

use std::time::Duration;

use hearsay_chain::TxId;
use jsonrpsee::http_client::HttpClient;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::console::Console;
use super::failure::Failure;
use super::node::Node;
use super::tx::told;
use crate::api::TxStatus;
use crate::rpc::{CallError, RpcClient, RpcError};

/// How often to ask: faster than a person notices, slower than a node minds.
const PERIOD: Duration = Duration::from_millis(200);

/// How long a node may be away, or not know a transaction that it knew before: as long as it takes to
/// start again. While it reads its pool back it says that it is busy, which may take any time.
const GRACE: Duration = Duration::from_secs(10);

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

/// How a watch ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// The last state.
    pub(super) status: TxStatus,
    /// Why that is not what was waited for.
    pub(super) failure: Option<Failure>,
}

/// Whom to ask about what, and for how long.
pub(super) struct Watch<'a> {
    pub(super) node: &'a Node,
    pub(super) client: &'a HttpClient,
    pub(super) id: TxId,
    pub(super) goal: Goal,
    pub(super) patience: Duration,
    /// Whether the node is known to have had it.
    pub(super) known: bool,
}

/// What was seen of a transaction so far.
struct Seen {
    goal: Goal,
    /// When the node last said something of it; none if it never did.
    at: Option<Instant>,
}

impl Seen {
    /// Whether what is missing at `now` may yet come back.
    fn may_come_back(&self, now: Instant) -> bool {
        self.at.is_some_and(|at| now.saturating_duration_since(at) < GRACE)
    }

    /// Takes a state in, and says whether that is the end.
    fn end(&mut self, id: TxId, status: &TxStatus, now: Instant) -> Option<Option<Failure>> {
        if self.goal.reached(status) {
            return Some(None);
        }
        match status {
            TxStatus::Dropped { .. } => {
                Some(Some(Failure::Refused(format!("the transaction {id} was {}", told(status)))))
            }
            TxStatus::Unknown if !self.may_come_back(now) => {
                Some(Some(Failure::Refused(match self.at {
                    None => format!("the transaction {id} is unknown to the node"),
                    Some(_) => format!(
                        "the transaction {id} is unknown to the node, which had it before; it may \
                         have been started again meanwhile"
                    ),
                })))
            }
            TxStatus::Unknown => None,
            _ => {
                self.at = Some(now);
                None
            }
        }
    }
}

/// A node that is starting again may answer yet.
const fn passes(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Unreachable(_) | CallError::TimedOut | CallError::Node(RpcError::Stopping)
    )
}

impl Watch<'_> {
    /// Asks until the goal is reached or out of reach, telling each new state, or until the time is
    /// over.
    pub(super) async fn run(self, console: &mut Console<'_>) -> Result<Ended, Failure> {
        let Self { node, client, id, goal, patience, known } = self;
        let begin = Instant::now();
        let mut last = None;
        // A time beyond what the clock can count is as good as a year.
        let deadline = begin.checked_add(patience);
        let deadline = deadline.unwrap_or_else(|| begin + Duration::from_secs(365 * 24 * 60 * 60));
        let mut seen = Seen { goal, at: known.then_some(begin) };
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let following = async {
            loop {
                ticks.tick().await;
                let (state, end) = match client.tx_status(id).await.map_err(CallError::from) {
                    Ok(status) => {
                        let end = seen.end(id, &status, Instant::now());
                        (told(&status), end.map(|failure| Ended { status, failure }))
                    }
                    Err(CallError::Node(RpcError::Busy)) => {
                        ("not told: the node is busy".to_owned(), None)
                    }
                    Err(error) if passes(&error) && seen.may_come_back(Instant::now()) => {
                        ("not told: the node is away".to_owned(), None)
                    }
                    Err(error) => return Err(node.failure(error)),
                };
                if last.as_ref() != Some(&state) {
                    console.say(format_args!("{id} {state}"));
                    last = Some(state);
                }
                if let Some(ended) = end {
                    return Ok(ended);
                }
            }
        };
        match timeout_at(deadline, following).await {
            Ok(ended) => ended,
            Err(_) => Err(Failure::TimedOut(format!(
                "after {patience:?} the transaction {id} is {}; `hearsay tx status {id}` asks again",
                last.as_deref().unwrap_or("submitted, but its state is not known")
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use hearsay_chain::BlockId;

    use super::*;
    use crate::api::DropReason;

    const INCLUDED: TxStatus =
        TxStatus::Included { block: BlockId([1; 32]), height: 1, confirmations: 0 };
    const FINAL: TxStatus =
        TxStatus::Final { block: BlockId([1; 32]), height: 1, confirmations: 0 };
    const DROPPED: TxStatus =
        TxStatus::Dropped { reason: DropReason::Replaced, by: Some(TxId([2; 32])) };

    #[test]
    fn a_state_reaches_every_goal_up_to_itself() {
        let goals = [Goal::Taken, Goal::Included, Goal::Final];
        for (status, reached) in [
            (TxStatus::Unknown, [false, false, false]),
            (DROPPED, [false, false, false]),
            (TxStatus::Unbroadcast { waiting_for: None }, [true, false, false]),
            (TxStatus::Queued { waiting_for: 1 }, [true, false, false]),
            (TxStatus::Unfunded { nonce: 1 }, [true, false, false]),
            (TxStatus::Ready, [true, false, false]),
            (INCLUDED, [true, true, false]),
            (FINAL, [true, true, true]),
        ] {
            assert_eq!(goals.map(|goal| goal.reached(&status)), reached, "{status:?}");
        }
    }

    fn end(seen: &mut Seen, status: &TxStatus, after: Duration) -> Option<Option<String>> {
        let now = seen.at.unwrap_or_else(Instant::now) + after;
        let ended = seen.end(TxId([7; 32]), status, now)?;
        Some(ended.map(|failure| {
            assert_eq!(failure.exit_code(), 4);
            failure.to_string()
        }))
    }

    #[test]
    fn a_transaction_that_was_dropped_ends_the_watch_with_the_reason() {
        let mut seen = Seen { goal: Goal::Included, at: None };
        assert_eq!(end(&mut seen, &TxStatus::Ready, Duration::ZERO), None);
        let says = end(&mut seen, &DROPPED, Duration::ZERO).unwrap().unwrap();
        assert!(says.ends_with(&format!("dropped (replaced by {})", TxId([2; 32]))), "{says}");
    }

    #[test]
    fn one_that_nobody_ever_saw_ends_it_at_once_and_one_that_vanished_after_a_while() {
        let mut never = Seen { goal: Goal::Included, at: None };
        let says = end(&mut never, &TxStatus::Unknown, Duration::ZERO).unwrap().unwrap();
        assert!(says.ends_with("is unknown to the node"), "{says}");
        let mut seen = Seen { goal: Goal::Final, at: None };
        assert_eq!(end(&mut seen, &INCLUDED, Duration::ZERO), None);
        assert_eq!(end(&mut seen, &TxStatus::Unknown, GRACE / 2), None, "it may come back");
        assert_eq!(end(&mut seen, &TxStatus::Ready, GRACE / 2), None, "and does");
        assert_eq!(end(&mut seen, &TxStatus::Unknown, GRACE / 2), None);
        let says = end(&mut seen, &TxStatus::Unknown, GRACE).unwrap().unwrap();
        assert!(says.contains("which had it before"), "{says}");
        assert_eq!(end(&mut seen, &FINAL, GRACE), Some(None));
    }
}
