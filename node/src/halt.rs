//! Why a node stands still: a disk that it writes to is full.
//!
//! A node that stands still takes nothing in and proposes nothing, keeps what it has, answers
//! questions, and goes on by itself once there is room. What is known of it lies here, where
//! `/health` reads it without a turn of the engine, which may be waiting for that very disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::{info, warn};

/// The stable word for what is not taken in meanwhile.
pub const REASON: &str = "disk-full";

/// The room that a disk must have left for a node to go on. It is more than the largest block takes
/// with its rows and its lines in the log, and than opening the store takes; so a node mostly stops
/// before a write fails, and can be started again.
pub const LOW_BYTES: u64 = 8 << 20;

/// A node that stands still for want of room goes on at this much, so that it does not stop again
/// with the next block.
pub const ENOUGH_BYTES: u64 = 2 * LOW_BYTES;

/// What keeps a node from going on. Each is set and cleared by whoever sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The chain's store has refused a commit.
    Store,
    /// The chain's disk has little room left.
    StoreLow,
    /// The propagation log has refused a line.
    Log,
    /// The propagation log's disk has little room left.
    LogLow,
}

impl Cause {
    const ALL: [Cause; 4] = [Cause::Store, Cause::Log, Cause::StoreLow, Cause::LogLow];

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    const fn what(self) -> &'static str {
        match self {
            Cause::Store | Cause::StoreLow => "the chain's store",
            Cause::Log | Cause::LogLow => "the propagation log",
        }
    }
}

/// The causes there are now. Every method may be called from any thread.
#[derive(Debug, Default)]
pub struct Halt {
    causes: AtomicU8,
}

impl Halt {
    /// Whether the node stands still.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.causes.load(Ordering::Acquire) != 0
    }

    /// Whether it does for this cause.
    #[must_use]
    pub fn is_for(&self, cause: Cause) -> bool {
        self.causes.load(Ordering::Acquire) & cause.bit() != 0
    }

    /// Why the node stands still, as a sentence; none if it does not.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        let cause = Cause::ALL.into_iter().find(|cause| self.is_for(*cause))?;
        Some(format!(
            "the disk of {} is full, so the node takes nothing in: make room, and it goes on by \
             itself with all that it had",
            cause.what()
        ))
    }

    /// Notes that a cause is there or no longer there, and says so in the node's log when it is new.
    pub fn set(&self, cause: Cause, there: bool) {
        let before = if there {
            self.causes.fetch_or(cause.bit(), Ordering::AcqRel)
        } else {
            self.causes.fetch_and(!cause.bit(), Ordering::AcqRel)
        };
        let now = if there { before | cause.bit() } else { before & !cause.bit() };
        match (before, now) {
            (0, 1..) => {
                warn!(
                    "the disk of {} is full: the node stands still until there is room",
                    cause.what()
                );
            }
            (1.., 0) => info!("there is room on the disk again: the node goes on"),
            _ => {}
        }
    }
}

/// The places on disk that must have room.
#[derive(Clone, Debug)]
pub struct Room {
    /// The chain's directory; none if the chain is kept in memory.
    pub store: Option<PathBuf>,
    /// The propagation log.
    pub log: PathBuf,
}

impl Room {
    /// Looks how much room is left, and notes what is low or no longer so.
    pub fn look(&self, halt: &Halt) {
        let places = [(Cause::StoreLow, self.store.as_ref()), (Cause::LogLow, Some(&self.log))];
        for (cause, path) in places {
            let Some(path) = path else { continue };
            // Where it cannot be told, a write that fails will tell.
            let Ok(disk) = rustix::fs::statvfs(path) else { continue };
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let wanted = if halt.is_for(cause) { ENOUGH_BYTES } else { LOW_BYTES };
            halt.set(cause, free < wanted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_stands_still_until_the_last_cause_is_gone() {
        let halt = Halt::default();
        assert_eq!(halt.why(), None);
        halt.set(Cause::Store, true);
        halt.set(Cause::LogLow, true);
        assert!(halt.why().unwrap().contains("chain's store"));
        halt.set(Cause::Store, false);
        assert!(halt.is_on() && !halt.is_for(Cause::Store));
        assert!(halt.why().unwrap().contains("propagation log"));
        halt.set(Cause::LogLow, false);
        assert!(!halt.is_on());
    }

    #[test]
    fn a_disk_with_room_is_no_cause_and_one_that_is_not_there_is_left_to_the_write() {
        let halt = Halt::default();
        let directory = tempfile::tempdir().unwrap();
        Room { store: Some(directory.path().to_owned()), log: "/nowhere/at/all".into() }
            .look(&halt);
        assert!(!halt.is_on(), "{:?}", halt.why());
    }
}
