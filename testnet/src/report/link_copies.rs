//! Copies and bytes on each link, over the messages that count, at the nodes taking part.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::run::{NodeIx, Run, Word};
use super::window::Counted;

/// Payload copies that one node sent to another, of messages that count. Measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCopies {
    /// The node that sent them; the peer id of one whose log is not here.
    pub from: String,
    /// The node that received them.
    pub to: String,
    /// First copies: each is a delivery.
    pub first: u64,
    /// All others, those that came back to the node that introduced the message included.
    pub redundant: u64,
    /// The size of the first copies.
    pub first_bytes: u64,
    /// The size of the others.
    pub redundant_bytes: u64,
}

/// The links that carried a copy: by sender, strangers last, and then by receiver.
pub(crate) fn by_link(run: &Run, counted: &[Counted<'_>]) -> Vec<LinkCopies> {
    let mut table: BTreeMap<(usize, Word, NodeIx), LinkCopies> = BTreeMap::new();
    for (node, seen) in counted.iter().flat_map(Counted::places) {
        let delivered = seen.delivered().is_some();
        let first = seen.first.map(|copy| (copy.from, copy.bytes, delivered));
        let again = seen.again.iter().map(|copy| (copy.from, u64::from(copy.bytes), false));
        for (from, bytes, is_first) in first.into_iter().chain(again) {
            let place = run.node_of(from).unwrap_or(usize::MAX);
            let row = table.entry((place, from, node)).or_insert_with(|| LinkCopies {
                from: run.peer_name(from).to_owned(),
                to: run.nodes[node].name.clone(),
                ..LinkCopies::default()
            });
            row.first += u64::from(is_first);
            row.redundant += u64::from(!is_first);
            row.first_bytes += if is_first { bytes } else { 0 };
            row.redundant_bytes += if is_first { 0 } else { bytes };
        }
    }
    table.into_values().collect()
}
