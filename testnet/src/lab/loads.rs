//! The loads of a testnet: those of its scenario, and those that are asked for while it runs.

use std::sync::Arc;
use std::time::Duration;

use hearsay_chain::{ChainId, Keypair};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cluster::{Client, SPARE_SENDERS};
use crate::load::{Counts, Journal, Load, Spec};

/// How often the sum over all loads is worked out anew, for whoever watches.
const SUM: Duration = Duration::from_millis(200);

/// All loads.
#[derive(Debug)]
pub(super) struct Loads {
    chain: ChainId,
    senders: Vec<Keypair>,
    clients: Vec<Client>,
    journal: Arc<Journal>,
    dilation: u32,
    /// Signed ahead, by their place in the plan; none once begun.
    waiting: Vec<Option<Load>>,
    running: JoinSet<()>,
    all: Vec<watch::Receiver<Counts>>,
    sum: watch::Sender<Counts>,
    /// The first spare account that no load has used.
    next_spare: usize,
}

impl Loads {
    /// No loads yet. The spare accounts begin at `first_spare` of `senders`.
    pub(super) fn new(
        chain: ChainId,
        senders: Vec<Keypair>,
        first_spare: usize,
        clients: Vec<Client>,
        journal: Arc<Journal>,
        dilation: u32,
    ) -> Self {
        Self {
            chain,
            senders,
            clients,
            journal,
            dilation,
            waiting: Vec::new(),
            running: JoinSet::new(),
            all: Vec::new(),
            sum: watch::channel(Counts::default()).0,
            next_spare: first_spare,
        }
    }

    /// Begins to sign a load of the plan, the next in order.
    pub(super) fn prepare(&mut self, spec: &Spec, senders: std::ops::Range<usize>, at: &[usize]) {
        let load = self.sign(spec, senders, at);
        self.waiting.push(Some(load));
    }

    fn sign(&mut self, spec: &Spec, senders: std::ops::Range<usize>, at: &[usize]) -> Load {
        let entries = at.iter().map(|node| self.clients[*node].clone()).collect();
        let journal = Arc::clone(&self.journal);
        let load = Load::prepare(spec, self.chain, &self.senders[senders], entries, journal);
        self.all.push(load.counts());
        load
    }

    /// Begins the load at `index` of the plan. It was begun before, or there is none: nothing.
    pub(super) fn begin(&mut self, index: usize) {
        if let Some(load) = self.waiting.get_mut(index).and_then(Option::take) {
            self.running.spawn(load.run_from(Instant::now(), self.dilation));
        }
    }

    /// Begins one that is in no plan, with accounts that no other load has used.
    ///
    /// # Errors
    /// There are too few of them left.
    pub(super) fn begin_now(
        &mut self,
        spec: &Spec,
        senders: usize,
        at: &[usize],
    ) -> Result<(), String> {
        let first = self.next_spare;
        if first + senders > self.senders.len() {
            return Err(format!(
                "of the {SPARE_SENDERS} accounts for loads that no scenario has, {} are left, and \
                 this load wants {senders}; start the testnet anew, or ask for fewer senders",
                self.senders.len() - first
            ));
        }
        self.next_spare = first + senders;
        let load = self.sign(spec, first..first + senders, at);
        self.running.spawn(load.run_from(Instant::now(), self.dilation));
        Ok(())
    }

    /// The first spare account that no load has used.
    pub(super) fn next_spare(&self) -> usize {
        self.next_spare
    }

    /// How many there are, begun or not.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// What has come of all of them.
    pub(super) fn total(&self) -> Counts {
        self.all.iter().fold(Counts::default(), |mut total, counts| {
            total.add(&counts.borrow());
            total
        })
    }

    /// The same as it grows.
    pub(super) fn watch(&self) -> watch::Receiver<Counts> {
        let (sum, all) = (self.sum.clone(), self.all.clone());
        tokio::spawn(async move {
            while !sum.is_closed() {
                let mut total = Counts::default();
                all.iter().for_each(|counts| total.add(&counts.borrow()));
                sum.send_replace(total);
                tokio::time::sleep(SUM).await;
            }
        });
        self.sum.subscribe()
    }

    /// Waits until all loads that were begun are over.
    pub(super) async fn over(&mut self) {
        while self.running.join_next().await.is_some() {}
    }

    /// Whether any runs.
    pub(super) fn running(&mut self) -> bool {
        while self.running.try_join_next().is_some() {}
        !self.running.is_empty()
    }

    /// Gives all of them up.
    pub(super) fn give_up(&mut self) {
        self.running.abort_all();
        self.waiting.clear();
    }
}
