//! Honest nodes inside this process, on links with a delay.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use hearsay_chain::{Keypair, TxId};
use hearsay_network::PeerId;
use hearsay_node::api::TxStatus;
use hearsay_node::config::Settings;
use hearsay_node::embed::{Embedded, Shared};
use hearsay_node::handle::Handle;
use hearsay_node::lab::{LabSettings, LinkSettings};
use tempfile::TempDir;

use crate::attacker::{Prey, Target};
use crate::makers::Makers;

/// Authorities: all but the last are honest, so that most blocks are.
const AUTHORITIES: usize = 4;

/// A block comes so often that a short time sees many.
const SLOT_MS: u64 = 500;

/// Senders of honest transactions.
pub(super) const HONEST: usize = 40;

/// Senders of the attacker's.
const HOSTILE: usize = 50;

/// Each node dials the ones so far before it: a ring with chords, of degree four.
const DIALS: [usize; 2] = [1, 3];

/// How far delays scatter, as a share.
const JITTER: f64 = 0.05;

/// What a field is like.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Nodes.
    pub nodes: usize,
    /// One way, of each link.
    pub delay: Duration,
}

/// Nodes that run.
#[derive(Debug)]
pub struct Field {
    dir: TempDir,
    plan: Plan,
    nodes: Vec<Embedded>,
    shared: Shared,
    pub(super) makers: Arc<Makers>,
}

/// Where the nodes stand in the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) same_tip: bool,
    /// Blocks since the start.
    pub(super) grew: u64,
    /// Offences that honest nodes were charged with.
    pub(super) honest_charged: u64,
}

impl Field {
    /// Starts the nodes, each after the ones it dials.
    ///
    /// # Errors
    /// A node does not start.
    pub async fn start(plan: Plan) -> Result<Self> {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let time_ms = u64::try_from(now.as_millis()).unwrap_or_default();
        let senders = HONEST + HOSTILE;
        let makers = Makers::new("hostile", (AUTHORITIES, senders), (time_ms, SLOT_MS));
        let (dir, shared) = (tempfile::tempdir()?, Shared::new()?);
        let (nodes, makers) = (Vec::new(), Arc::new(makers));
        let mut field = Self { dir, plan, nodes, shared, makers };
        for number in 0..plan.nodes {
            field.add(number).await.with_context(|| format!("n{number}"))?;
        }
        Ok(field)
    }

    /// Starts one more node.
    ///
    /// # Errors
    /// It does not start.
    pub async fn add(&mut self, number: usize) -> Result<()> {
        let dir = self.dir.path().join(format!("n{number}"));
        std::fs::create_dir_all(&dir)?;
        let dialled = DIALS.iter().filter_map(|back| number.checked_sub(*back));
        let delay_us = u64::try_from(self.plan.delay.as_micros()).unwrap_or_default();
        let link = LinkSettings { delay_us, jitter: JITTER, ..LinkSettings::default() };
        let lab = LabSettings { memory_store: true, default: link, ..LabSettings::default() };
        let settings = Settings {
            name: Some(format!("n{number}")),
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            bootstrap: dialled.flat_map(|at| self.nodes[at].listen().to_vec()).collect(),
            lab: Some(lab),
            ..Settings::in_dir(dir)
        };
        let honest = number < AUTHORITIES - 1;
        let authority = honest.then(|| self.makers.authority(number).clone());
        let mut seed = [0x11; 32];
        seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let (genesis, key) = (self.makers.genesis().clone(), Keypair::from_seed(&seed));
        let node = Embedded::start(settings, genesis, key, authority, &self.shared).await?;
        self.nodes.push(node);
        Ok(())
    }

    /// Starts one more node than there were, and waits until it has the chain: from its peers, and not
    /// by hearing of each block.
    pub(super) async fn add_late(&mut self) -> Result<()> {
        let number = self.nodes.len();
        let height = self.handle(0).status().await?.height;
        self.add(number).await?;
        let caught_up = async {
            while self.handle(number).status().await?.height < height {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(crate::DEADLINE, caught_up).await.context("it does not catch up")?
    }

    /// The network as an attacker knows it who has heard what another one has.
    pub(super) fn prey_knowing(&self, other: &Prey) -> Prey {
        let prey = self.prey();
        prey.learn(other);
        prey
    }

    /// The network as an attacker knows it, who holds the last authority's key.
    ///
    /// # Panics
    /// Never: what nodes say of themselves can be read.
    #[must_use]
    pub fn prey(&self) -> Prey {
        let target = |node: &Embedded| Target {
            peer: node.peer().parse().expect("a peer id"),
            address: node.listen()[0].parse().expect("an address"),
        };
        let targets = self.nodes.iter().map(target).collect();
        let (makers, authority) = (Arc::clone(&self.makers), AUTHORITIES as u64 - 1);
        Prey::new(makers, targets, authority, HONEST..HONEST + HOSTILE, true)
    }

    /// Asks a node.
    #[must_use]
    pub fn handle(&self, node: usize) -> &Handle {
        self.nodes[node].handle()
    }

    pub(super) fn handles(&self) -> Vec<Handle> {
        self.nodes.iter().map(|node| node.handle().clone()).collect()
    }

    /// Waits until every node has heard of these transactions, be they in a block by now.
    pub(super) async fn all_have(&self, transactions: &[TxId]) -> Result<()> {
        for id in transactions {
            for node in &self.nodes {
                while matches!(
                    node.handle().transaction(*id).await?,
                    None | Some(TxStatus::Unknown)
                ) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        Ok(())
    }

    /// Waits until every node has a block above all that there are now.
    pub(super) async fn all_go_on(&self) -> Result<()> {
        let mut highest = 0;
        for node in &self.nodes {
            highest = highest.max(node.handle().status().await?.height);
        }
        for node in &self.nodes {
            while node.handle().status().await?.height <= highest {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    pub(super) async fn standing(&mut self) -> Result<Standing> {
        let honest: Vec<&str> = self.nodes.iter().map(Embedded::peer).collect();
        let (mut tips, mut charged, mut height) = (Vec::new(), 0, u64::MAX);
        for node in &self.nodes {
            let status = node.handle().status().await?;
            height = height.min(status.height);
            tips.push((status.height, status.tip));
            let scores = node.handle().scores().await?;
            let of_honest = scores.iter().filter(|it| honest.contains(&it.peer.as_str()));
            charged += of_honest.map(|it| it.offences).sum::<u64>();
        }
        let highest = tips.iter().map(|(height, _)| *height).max().unwrap_or_default();
        // A block may be on its way just then.
        let same_tip = tips.iter().all(|(height, _)| height.saturating_add(2) >= highest);
        Ok(Standing { same_tip, grew: height, honest_charged: charged })
    }

    /// Stops all nodes, so that their logs are whole. Gives who they are and where their logs lie; these
    /// go with what is returned.
    ///
    /// # Errors
    /// One has ended before.
    pub async fn stop(self) -> Result<Logs> {
        let Self { dir, nodes, .. } = self;
        let mut logs = Vec::new();
        for (number, node) in nodes.into_iter().enumerate() {
            let path = dir.path().join(format!("n{number}")).join("events.jsonl");
            logs.push((node.peer().parse()?, path));
            node.stop().await?;
        }
        Ok(Logs { logs, _dir: dir })
    }
}

/// The logs of nodes that have stopped.
#[derive(Debug)]
pub struct Logs {
    pub(super) logs: Vec<(PeerId, PathBuf)>,
    _dir: TempDir,
}
