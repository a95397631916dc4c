//! Standing still while a disk is full, and going on.

use std::sync::Arc;
use std::time::Duration;

use hearsay_chain::{Store, StoreError};
use tokio::time::Instant;
use tracing::debug;

use super::{Driver, Fatal};
use crate::halt::Cause;

/// How often a store that refused a commit is asked to go on.
const RECOVER_EVERY: Duration = Duration::from_secs(1);

impl<S: Store> Driver<S> {
    /// A full disk is waited for; whatever else is wrong with it ends the node.
    pub(super) fn unless_full(&mut self, done: Result<(), StoreError>) -> Result<(), Fatal> {
        match done {
            Err(StoreError::Full(why)) => {
                debug!(why, "the store has refused");
                // Not put off by each read that fails meanwhile.
                if !self.ends.halt.is_for(Cause::Store) {
                    self.recover_at = Instant::now() + RECOVER_EVERY;
                }
                self.ends.halt.set(Cause::Store, true);
                Ok(())
            }
            done => Ok(done?),
        }
    }

    /// Looks for room, and goes on once there is some.
    pub(super) async fn look(&mut self) -> Result<(), Fatal> {
        let halt = Arc::clone(&self.ends.halt);
        self.ends.room.look(&halt);
        let may_recover = halt.is_for(Cause::Store) && !halt.is_for(Cause::StoreLow);
        if may_recover && Instant::now() >= self.recover_at {
            let mut effects = std::mem::take(&mut self.effects);
            let recovered = self.engine.recover(self.ends.clock.now(), &mut effects);
            self.recover_at = Instant::now() + RECOVER_EVERY;
            if recovered.is_ok() {
                halt.set(Cause::Store, false);
            }
            self.carry_out_all(effects).await?;
            self.unless_full(recovered)?;
        }
        self.ends.metrics.halted(halt.is_on());
        Ok(())
    }
}
