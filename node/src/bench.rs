//! `hearsay bench`: what the node does beside what it could do at most, measured in one run.
//!
//! Machines differ and are shared, so no figure here means much alone. Each is printed beside a
//! bound or a baseline that was measured in the same run, in turn, several times; the ratio is what
//! can be compared.

mod burst;
mod embed;
mod figures;
mod headers;
mod log;
mod lookup;
mod nodes;
mod plain;
mod process;
mod sync;
mod tip;
mod wait;
mod world;

use clap::Subcommand;

/// Measure this node beside its bounds, on this machine
#[derive(Clone, Debug, Subcommand)]
pub enum Bench {
    /// Catch up over loopback, beside signature checks alone, storing alone, and a plain sync
    Sync(sync::Sync),
    /// Take a block of transactions that are all in the pool
    Tip(tip::Tip),
    /// Look up blocks and transactions in a small and in a large store
    Lookup(lookup::Lookup),
    /// Hold the headers of a long chain in memory
    Headers(headers::Headers),
    /// Handle transactions with and without the propagation log
    Log(log::Log),
    /// Hand in many transactions at once, beside the time that their signatures alone take
    Burst(burst::Burst),
    /// Run many nodes in this process
    Embed(embed::Embed),
}

impl Bench {
    /// Runs it and prints what it found.
    ///
    /// # Errors
    /// A disk that is full, a node that does not start, and the like.
    pub fn run(&self) -> anyhow::Result<()> {
        match self {
            Bench::Sync(sync) => sync.run(),
            Bench::Tip(tip) => tip.run(),
            Bench::Lookup(lookup) => lookup.run(),
            Bench::Headers(headers) => headers.run(),
            Bench::Log(log) => log.run(),
            Bench::Burst(burst) => burst.run(),
            Bench::Embed(embed) => embed.run(),
        }
    }
}
