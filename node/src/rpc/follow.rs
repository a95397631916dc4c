//! Whoever follows the news of members: told at once, never waited for.

use std::sync::Arc;

use jsonrpsee::core::SubscriptionResult;
use jsonrpsee::{SubscriptionMessage, SubscriptionSink};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::api::MemberNews;

/// What is said to whoever does not keep up.
const TOO_SLOW: &str = "news came faster than it was read; ask for the list and subscribe again";

/// Hands on what comes until the subscriber has gone, the node has stopped, or the subscriber does not
/// keep up: its connection holds a bounded number of messages, and the news does as well.
pub(super) async fn follow(
    mut sink: SubscriptionSink,
    mut news: Receiver<Arc<MemberNews>>,
) -> SubscriptionResult {
    loop {
        let told = tokio::select! {
            () = sink.closed() => return Ok(()),
            told = news.recv() => told,
        };
        let news = match told {
            Ok(news) => news,
            Err(RecvError::Closed) => return Ok(()),
            Err(RecvError::Lagged(_)) => return Err(TOO_SLOW.into()),
        };
        let id = sink.subscription_id();
        let message = SubscriptionMessage::new(sink.method_name(), id, &*news)?;
        if sink.try_send(message).is_err() {
            return Err(TOO_SLOW.into());
        }
    }
}
