//! Waiting for nodes of this process to have come so far.

use std::time::{Duration, Instant};

/// How something is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// The longest: what has not come by then has failed.
    pub(super) limit: Duration,
    /// How often the nodes are asked.
    pub(super) ask_every: Duration,
}

impl Wait {
    /// Waits until something is so; `what` it is stands in the error.
    ///
    /// # Errors
    /// It did not come in time, or could not be asked for.
    pub(super) async fn until(
        &self,
        what: &str,
        done: impl AsyncFn() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let begin = Instant::now();
        while !done().await? {
            anyhow::ensure!(begin.elapsed() < self.limit, "waited in vain for {what}");
            tokio::time::sleep(self.ask_every).await;
        }
        Ok(())
    }
}
