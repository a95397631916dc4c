//! Test keys: every key of a testnet follows from its seed, so that runs with one seed have the
//! same peers, authorities and senders. Anyone can work them out; they are for tests alone.

use hearsay_chain::Keypair;
use hearsay_chain::hash::tagged;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The identity of a node on the network.
    Node,
    /// Proposes blocks.
    Authority,
    /// Sends the transactions of the load.
    Sender,
    /// Holds units that the load leaves alone, for whoever tries out the testnet by hand.
    Wallet,
}

impl Role {
    fn word(self) -> &'static [u8] {
        match self {
            Role::Node => b"node",
            Role::Authority => b"authority",
            Role::Sender => b"sender",
            Role::Wallet => b"wallet",
        }
    }
}

/// The key number `index` of a role in the testnet of a seed.
#[must_use]
pub fn key(seed: u64, role: Role, index: usize) -> Keypair {
    let (seed, index) = (seed.to_le_bytes(), (index as u64).to_le_bytes());
    Keypair::from_seed(&tagged("hearsay/testnet/key/1", &[&seed, &index, role.word()]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_keys() {
        assert_eq!(key(7, Role::Sender, 3).public(), key(7, Role::Sender, 3).public());
    }

    #[test]
    fn seed_role_and_number_each_make_another_key() {
        let roles = [Role::Node, Role::Authority, Role::Sender, Role::Wallet];
        let keys: BTreeSet<_> = (0..2)
            .flat_map(|seed| roles.map(|role| (seed, role)))
            .flat_map(|(seed, role)| (0..3).map(move |index| key(seed, role, index).public()))
            .collect();
        assert_eq!(keys.len(), 2 * roles.len() * 3);
    }
}
