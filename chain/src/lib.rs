//! The nouns and the rules of Hearsay: ids, keys, transactions, blocks, the ledger, fork choice
//! and the store.
//!
//! Nothing here knows a socket, a thread, a clock or entropy. Two kinds of fault are kept apart:
//! a peer's (a value that implements [`verdict::Judged`]) and our disk's ([`store::StoreError`]).

pub mod archive;
pub mod audit;
pub mod block;
pub mod chain;
pub mod codec;
pub mod evidence;
pub mod fork_choice;
pub mod genesis;
pub mod hash;
pub mod header;
pub mod ids;
pub mod keys;
pub mod ledger;
mod schedule;
pub mod signed;
pub mod store;
#[cfg(test)]
mod testing;
pub mod transaction;
pub mod verdict;

pub use block::{Block, BlockError, Header, UnverifiedBlock, VerifiedBlock};
pub use chain::Chain;
pub use evidence::{Evidence, Turn};
pub use genesis::{Genesis, Rules};
pub use ids::{Address, BlockId, ChainId, GenesisId, TxId};
pub use keys::{Keypair, PublicKey};
pub use signed::SignedHeader;
pub use store::{Store, StoreError};
pub use transaction::{Transaction, TxError, UnverifiedTx, VerifiedTx};
pub use verdict::{Judged, Verdict};
