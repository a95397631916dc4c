//! Where everything random comes from: the seed, for each purpose through its own hash, so that what
//! is drawn for one never moves what is drawn for another.

use hearsay_chain::hash::tagged;

/// What random numbers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Who is connected to whom.
    Topology,
    /// Which node is in which region.
    Regions,
    /// Which node has which link of its own.
    Access,
    /// Jitter and loss on the links while the network runs.
    Links,
    /// When the transactions of a load are due, by its place in the scenario.
    Arrivals(usize),
    /// What they hold.
    Transactions(usize),
}

/// The seed of a purpose.
#[must_use]
pub fn stream(seed: u64, purpose: Purpose) -> u64 {
    let (word, place): (&[u8], usize) = match purpose {
        Purpose::Topology => (b"topology", 0),
        Purpose::Regions => (b"regions", 0),
        Purpose::Access => (b"access", 0),
        Purpose::Links => (b"links", 0),
        Purpose::Arrivals(load) => (b"arrivals", load),
        Purpose::Transactions(load) => (b"transactions", load),
    };
    let place = (place as u64).to_le_bytes();
    let hash = tagged("hearsay/testnet/stream/1", &[&seed.to_le_bytes(), &place, word]);
    let [a, b, c, d, e, f, g, h, ..] = hash;
    // A file in TOML has no room for the 64th bit.
    u64::from_le_bytes([a, b, c, d, e, f, g, h]) >> 1
}
