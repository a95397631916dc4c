//! The kill -9 storm: a node under load, killed again and again, and looked at each time.
//!
//! This process holds every key of a small network and plays all of it: it makes two branches that
//! keep overtaking each other, and is the one peer of the node under test, which is the real program
//! with its default, synced durability. After each kill the store is examined without the node, on a
//! copy, so that the next start meets it as the crash left it.

mod branches;
mod claims;
mod examine;
mod kills;
mod load;
mod round;
mod tally;
mod victim;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

pub use examine::{Examiner, Report, examine};
pub use tally::{Kills, Phase, Tally};

/// What a storm is like.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many kills.
    pub rounds: u64,
    /// What its random numbers come from.
    pub seed: u64,
    /// Where the node lives; none: a temporary directory, which stays if something is wrong.
    pub dir: Option<PathBuf>,
    /// The longest that all of it may take.
    pub limit: Duration,
}

/// Runs a storm to its end; `progress` hears how far it is after each kill.
///
/// # Errors
/// Whatever is not as it should be, with the directory that shows it.
pub async fn run(options: Options, progress: impl FnMut(&Tally)) -> Result<Tally> {
    round::Storm::prepare(options).await?.run(progress).await
}
