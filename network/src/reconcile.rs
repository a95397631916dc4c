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
//! Negentropy, the other known way, compares fingerprints of ranges and halves those that differ: it
//! needs a round trip for each halving, and a fingerprint of 16 bytes and its bounds for each range
//! that differs, which is several for each element when they lie apart, as hashes do. A symbol is 20
//! bytes, and most of them come in one round trip.

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
