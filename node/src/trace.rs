//! The propagation log: what is written down, and how it reaches the disk.

pub mod event;
pub mod writer;
