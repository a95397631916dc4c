//! The propagation log: what is written down, and how it reaches the disk.

mod disk;
pub mod event;
mod line;
pub mod log;
mod words;
pub mod writer;
