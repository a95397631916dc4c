//! SHA-256 with domain separation: the same bytes under two purposes never share a hash.

use sha2::{Digest, Sha256};

/// The SHA-256 of a purpose and some bytes.
///
/// `domain` is a short constant text. Its length goes first, so that no pair of domain and bytes
/// can pass for another pair.
#[must_use]
pub fn tagged(domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update([u8::try_from(domain.len()).unwrap_or(u8::MAX)]);
    hasher.update(domain.as_bytes());
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The Merkle root over a list of hashes.
///
/// Leaves and inner nodes are hashed under different domains, and a node without a sibling moves
/// up unchanged: both close the known ways to give two lists one root (CVE-2012-2459 is Bitcoin's,
/// where the last node is paired with itself). The empty list has the root of all zeros.
#[must_use]
pub fn merkle_root(leaves: impl IntoIterator<Item = [u8; 32]>) -> [u8; 32] {
    let mut level: Vec<[u8; 32]> =
        leaves.into_iter().map(|leaf| tagged("hearsay/merkle/leaf/1", &[&leaf])).collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => tagged("hearsay/merkle/node/1", &[left, right]),
                [single] => *single,
                _ => unreachable!("chunks(2) yields one or two items"),
            })
            .collect();
    }
    level.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_moves_from_domain_to_data_changes_the_hash() {
        assert_ne!(tagged("ab", &[b"c"]), tagged("a", &[b"bc"]));
    }

    #[test]
    fn the_hash_does_not_depend_on_how_the_data_is_cut() {
        assert_eq!(tagged("a", &[b"b", b"cd"]), tagged("a", &[b"bcd"]));
    }

    #[test]
    fn repeating_the_last_leaf_changes_the_root() {
        let (a, b, c) = ([1; 32], [2; 32], [3; 32]);
        assert_ne!(merkle_root([a, b, c]), merkle_root([a, b, c, c]));
    }

    #[test]
    fn the_order_of_leaves_changes_the_root() {
        assert_ne!(merkle_root([[1; 32], [2; 32]]), merkle_root([[2; 32], [1; 32]]));
    }

    #[test]
    fn one_leaf_is_not_its_own_root() {
        assert_ne!(merkle_root([[1; 32]]), [1; 32]);
    }
}
