//! The laws of the nouns, seen from outside: encodings, stages, the ledger, the genesis, verdicts.

mod block;
mod codec;
mod common;
mod genesis;
mod ledger;
mod transaction;
mod verdicts;
