//! A Hearsay node: the engine, what drives it, the RPC and the command line.
//!
//! The engine ([`engine`]) is pure; [`run`] puts it together with the store, the network, the RPC
//! and the propagation log.

pub mod api;
pub mod bench;
pub mod cli;
pub mod clock;
pub mod config;
pub mod driver;
pub mod embed;
pub mod engine;
pub mod genesis_file;
pub mod halt;
pub mod handle;
pub mod journal;
pub mod keyfile;
pub mod lab;
pub mod lag;
pub mod metrics;
pub mod rpc;
pub mod run;
pub mod snapshots;
pub mod start;
pub mod trace;

mod assembly;
mod checkers;
mod processor;
