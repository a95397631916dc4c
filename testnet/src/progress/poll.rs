//! Asks each node how it is, again and again.

use std::time::Duration;

use hearsay_node::api::NodeStatus;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::cluster::Client;

/// The time between two questions to one node.
const POLL: Duration = Duration::from_millis(500);

/// What the nodes last said. Nobody is asked any more when this is dropped.
#[derive(Debug)]
pub struct Polls {
    last: Vec<watch::Receiver<Option<NodeStatus>>>,
    _tasks: JoinSet<()>,
}

impl Polls {
    /// Begins to ask.
    #[must_use]
    pub fn start(clients: impl IntoIterator<Item = Client>) -> Self {
        let mut tasks = JoinSet::new();
        let last = clients
            .into_iter()
            .map(|client| {
                let (sender, last) = watch::channel(None);
                tasks.spawn(ask(client, sender));
                last
            })
            .collect();
        Self { last, _tasks: tasks }
    }

    /// What each node last said; absent when it does not answer.
    #[must_use]
    pub fn last(&self) -> Vec<Option<NodeStatus>> {
        self.last.iter().map(|last| last.borrow().clone()).collect()
    }
}

async fn ask(client: Client, last: watch::Sender<Option<NodeStatus>>) {
    let mut ticks = interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        last.send_replace(client.status().await.ok());
    }
}
