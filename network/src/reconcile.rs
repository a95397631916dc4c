//! Set reconciliation: two nodes find out which transactions one has and the other lacks, at a cost
//! that follows the difference and not the size of their pools.
//!
//! A rateless sketch (Yang, Gilad, Alizadeh: *Practical Rateless Set Reconciliation*, SIGCOMM 2024).
//! One side sends symbols, each the sum of a thinning choice of its elements; the other subtracts its
//! own and takes the difference apart. It is done after about 1.35 symbols for each element of a large
//! difference, 1.7 of a small one, and neither side needs to know its size beforehand: as long
//! as it is not done, it asks for more.
//!
//! | part | what it is |
//! | --- | --- |
//! | [`Coder`], [`Decoder`] | sets and symbols |
//! | [`Part`], [`Snapshot`] | the ids that are compared: all, or an even part of them |
//! | [`Asker`] | the side that asks for symbols, until it knows the difference |
//! | [`Answerer`] | the side that gives them, and what it gives to whom |
//! | [`Exchange`] | what is then asked for, and what is offered |
//! | [`Partners`], [`Rounds`] | with whom, and when |
//!
//! The other known way (Meyer: *Range-Based Set Reconciliation*, arXiv:2212.13567; negentropy is one)
//! compares fingerprints of ranges and splits those that differ, until what is in them can be listed.
//! Its round trips grow with the logarithm of the sets, and each element that differs costs
//! fingerprints of 16 bytes and bounds in each of them, and a list of ids of 32 at the end. Here it
//! costs some 30 bytes at any size of the sets, and five to eight round trips where thousands differ.

mod answerer;
mod asker;
mod coder;
mod decoder;
mod exchange;
mod memory;
mod part;
mod partners;
mod rounds;
mod snapshot;
mod spread;

#[cfg(test)]
mod session_tests;
#[cfg(test)]
mod tests;

pub use answerer::{Answerer, SketchAsked};
pub use asker::{Asker, Fault, Step};
pub use coder::{Coder, Symbol};
pub use decoder::{Decoder, Difference, Nonsense};
pub use exchange::{Exchange, Unasked};
pub use memory::Memory;
pub use part::{MAX_BITS, MAX_SET, Part};
pub use partners::Partners;
pub use rounds::{Rounds, Start, Sweep};
pub use snapshot::Snapshot;
