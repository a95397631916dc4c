//! Attacks on the pool's room, each with honest traffic beside it and a number: what pays more than
//! the attacker, by what it costs to relay it, is never lost, and memory never passes its bound.
//!
//! What an attack costs in time is measured by `pace`, which is run by hand on a quiet machine:
//! `cargo test --release -p hearsay-mempool --test attacks -- --ignored --nocapture`.

mod chains;
mod field;
mod floor;
mod nonces;
mod pace;
mod prices;
mod restart;
mod storms;
