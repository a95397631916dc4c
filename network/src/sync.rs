//! Catching up, as far as it needs neither a chain nor a clock: what is known of each peer, and the
//! plan of a branch whose headers are known and whose bodies are being fetched.

pub(crate) mod allowance;
pub(crate) mod flood;
mod peers;
mod plan;
#[cfg(test)]
mod tests;

pub(crate) use allowance::{Allowance, Terms};
pub use peers::{Claim, Peers};
pub use plan::{Ask, CHUNK, Parts, Plan};
