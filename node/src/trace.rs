//! The propagation log: what is written down, and how it reaches the disk.

mod disk;
pub mod event;
pub mod writer;
