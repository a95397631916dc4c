//! The lab: runs a network of Hearsay nodes and reports how messages spread.
//!
//! ```text
//!  cli ── local ──┬── cluster ── processes of `hearsay run`, each with its events.jsonl
//!                 ├── load ───── transactions through their RPC
//!                 ├── progress ─ what is seen meanwhile
//!                 └── report ─── what their logs say, joined;  where_is: the same of one message
//! ```
//!
//! Pure, and tested without a process: the connections ([`topology`]), the plan of a cluster, the
//! schedule and the transactions of a load, the arithmetic of the report. Shell: processes, RPC,
//! files and the terminal.

pub mod cli;
pub mod cluster;
pub mod compare;
pub mod control;
pub mod export;
mod follow;
pub mod interrupts;
pub mod lab;
pub mod load;
pub mod logs;
pub mod manifest;
pub mod out_dir;
pub mod output;
pub mod page;
pub mod progress;
pub mod push_gossip;
pub mod regions;
pub mod report;
pub mod run;
pub mod scenario;
pub mod topology;
pub mod up;
pub mod where_is;
