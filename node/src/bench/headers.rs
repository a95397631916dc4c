//! The memory that the headers of a long chain take while a node catches up.

use clap::Args;
use hearsay_chain::SignedHeader;
use hearsay_chain::fork_choice::Candidate;
use hearsay_network::sync::Plan;
use hearsay_network::wire::MAX_HEADERS;

use super::process::resident;
use super::world::World;

/// Hold the headers of a long chain in memory.
#[derive(Args, Clone, Debug)]
pub struct Headers {
    /// How many
    #[arg(long, default_value_t = 100_000)]
    headers: u64,
}

impl Headers {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let world = World::new(self.headers)?;
        let mut parent = (world.genesis.block().id(), 0);
        let before = resident()?;
        let mut plan = Plan::new(Candidate { height: 0, id: parent.0 });
        let mut batch = Vec::with_capacity(MAX_HEADERS);
        for height in 1..=self.headers {
            let block = world.block(parent, Vec::new());
            parent = (block.id(), height);
            batch.push(SignedHeader::kept(block.header().clone()));
            if batch.len() == MAX_HEADERS || height == self.headers {
                plan.extend(std::mem::take(&mut batch));
            }
        }
        let after = resident()?;
        println!("{} headers planned: {} kB resident more than before", plan.len(), after - before);
        Ok(())
    }
}
