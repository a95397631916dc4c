//! Set reconciliation: two nodes find out which transactions one has and the other lacks, at a cost
//! that follows the difference and not the size of their pools.
//!
//! A rateless sketch (Yang, Gilad, Alizadeh: *Practical Rateless Set Reconciliation*, SIGCOMM 2024).
//! One side sends symbols, each the sum of a thinning choice of its elements; the other subtracts its
//! own and takes the difference apart. It is done after about 1.35 symbols for each element of a large
//! difference, 1.7 of a small one, and neither side needs to know its size beforehand: as long
//! as it is not done, it asks for more.

mod coder;
mod decoder;

#[cfg(test)]
mod tests;

pub use coder::{Coder, Symbol};
pub use decoder::{Decoder, Difference, Nonsense};
