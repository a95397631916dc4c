//! One kill after the other.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use hearsay_chain::GenesisId;
use hearsay_node::api::NodeStatus;
use hearsay_node::genesis_file;
use jsonrpsee::http_client::HttpClient;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::time::sleep;

use super::branches::{AUTHORITIES, Branches, DEEPEST, Next, Payments};
use super::claims::Claims;
use super::load::{self, Handed};
use super::victim::{Place, Victim};
use super::{Examiner, Options, Phase, Report, Tally};
use crate::DEADLINE;
use crate::makers::Makers;
use crate::peer::{Manner, Peer, fresh_chain, lock};

/// Slots are as short as a genesis may have them, so that blocks are never waited for long.
const SLOT_MS: u64 = 10;

/// Accounts that pay.
const SENDERS: usize = 8;

/// The first kills fall into recovery, so that some meet the making of the store.
const FIRST: u64 = 3;

/// The shares of kills that are to hit, a little above those asked for, as the last ones may miss.
const RECOVERY_SHARE: f64 = 0.38;
const REORG_SHARE: f64 = 0.30;

/// How many kills there are at most for each one that was ordered, as a fraction: some may miss, and
/// the shares are those of kills that hit.
const EXTRA: (u64, u64) = (5, 4);

/// What the first answer is taken to need until it was measured.
const START_UP: Duration = Duration::from_millis(300);

/// A storm under way.
pub(super) struct Storm {
    options: Options,
    home: Option<tempfile::TempDir>,
    pub(super) place: Place,
    pub(super) genesis: GenesisId,
    pub(super) peer: Peer,
    pub(super) branches: Branches,
    handed: Arc<Mutex<Handed>>,
    pub(super) runs: watch::Sender<Option<HttpClient>>,
    examiner: Examiner,
    pub(super) claims: Claims,
    pub(super) tally: Tally,
    pub(super) rng: ChaCha8Rng,
    start_ups: Vec<Duration>,
    /// Seconds within which a kill follows the block that tips the balance.
    pub(super) window: f64,
    began: Instant,
}

impl Storm {
    pub(super) async fn prepare(options: Options) -> Result<Self> {
        let began = Instant::now();
        let now = SystemTime::UNIX_EPOCH.elapsed()?;
        let time_ms = u64::try_from(now.as_millis())?;
        let makers = Makers::new("storm", (AUTHORITIES, SENDERS), (time_ms, SLOT_MS));
        let (home, dir) = match &options.dir {
            Some(dir) => (None, dir.clone()),
            None => {
                let home = tempfile::tempdir()?;
                let dir = home.path().to_owned();
                (Some(home), dir)
            }
        };
        std::fs::create_dir_all(&dir)?;
        let genesis = dir.join("genesis.toml");
        genesis_file::write(&genesis, makers.genesis(), true)?;
        let chain = fresh_chain(makers.genesis())?;
        let peer = Peer::start(77, Arc::clone(&chain), Manner::Honest, vec![]).await?;
        let payments = Arc::new(Mutex::new(Payments::new(makers.clone())));
        let handed = Arc::new(Mutex::new(Handed::default()));
        let (runs, who) = watch::channel(None);
        tokio::spawn(load::run(Arc::clone(&payments), who, Arc::clone(&handed)));
        let data = dir.join("victim");
        ensure!(!data.exists(), "{} is there already; choose another directory", data.display());
        Ok(Self {
            place: Place { data, genesis, bootstrap: peer.address.clone() },
            genesis: makers.rules().id(),
            examiner: Examiner::new(makers.rules().clone()),
            branches: Branches::new(makers, chain, payments, options.seed),
            rng: ChaCha8Rng::seed_from_u64(options.seed ^ 0x5708),
            tally: Tally { depths: vec![0; usize::try_from(DEEPEST)?], ..Tally::default() },
            claims: Claims::default(),
            start_ups: Vec::new(),
            window: 0.003,
            peer,
            home,
            handed,
            runs,
            began,
            options,
        })
    }

    pub(super) async fn run(mut self, mut progress: impl FnMut(&Tally)) -> Result<Tally> {
        let ended = self.all(&mut progress).await;
        if ended.is_err() {
            self.home.take().map(tempfile::TempDir::keep);
        }
        let kills = self.tally.kills();
        ended.with_context(|| {
            let (seed, dir) = (self.options.seed, self.place.data.display());
            format!("after {kills} kills with seed {seed}, in {dir}")
        })?;
        Ok(self.tally)
    }

    async fn all(&mut self, progress: &mut impl FnMut(&Tally)) -> Result<()> {
        let (rounds, most) = (self.options.rounds, self.options.rounds * EXTRA.0 / EXTRA.1);
        while self.tally.kills() < rounds
            || (self.tally.kills() < most && self.tally.check_shares().is_err())
        {
            ensure!(self.began.elapsed() < self.options.limit, "there is no time left");
            self.round().await?;
            self.tally.wall = self.began.elapsed();
            progress(&self.tally);
        }
        self.finish().await
    }

    async fn round(&mut self) -> Result<()> {
        let phase = self.draw();
        self.tally.starts += 1;
        let victim = Victim::start(&self.place)?;
        let (remains, target, mut hit) = match phase {
            Phase::Recovery => self.kill_in_recovery(victim).await?,
            Phase::Reorg => self.kill_in_reorg(victim).await?,
            Phase::AnyTime => self.kill_at_any_time(victim).await?,
        };
        let report = self.examine().with_context(|| format!("killed in {phase:?}"))?;
        if let Some(target) = target {
            hit = self.judge(&target, &remains, &report);
        }
        let kills = self.tally.of(phase);
        kills.aimed += 1;
        kills.hit += u64::from(hit);
        // Life goes on without the node, so that it has something to catch up with.
        if self.rng.random_bool(0.4) {
            for _ in 0..self.rng.random_range(1..=12) {
                let next = self.next_block().await;
                self.branches.take(next)?;
            }
        }
        Ok(())
    }

    /// What the next kill is aimed at: rather what has had less than its share, and towards the end
    /// nothing else.
    fn draw(&mut self) -> Phase {
        let kills = self.tally.kills();
        let rounds = self.options.rounds.max(kills + 1);
        if kills < FIRST {
            return Phase::Recovery;
        }
        let weight = |hit: u64, share: f64| match (hit as f64) < share * (kills + 1) as f64 {
            true => 5,
            false => 1,
        };
        let mut recovery = weight(self.tally.recovery.hit, RECOVERY_SHARE);
        let mut reorg = weight(self.tally.reorg.hit, REORG_SHARE);
        let mut any_time = 2;
        let missing = |hit: u64, parts: u64| rounds.div_ceil(parts).saturating_sub(hit);
        let missing = [missing(self.tally.recovery.hit, 3), missing(self.tally.reorg.hit, 4)];
        // Half as many again, as some will miss.
        if (missing[0] + missing[1]) * 3 / 2 >= rounds - kills {
            (recovery, reorg, any_time) = (missing[0], missing[1], 0);
        }
        match self.rng.random_range(0..(recovery + reorg + any_time).max(1)) {
            drawn if drawn < recovery => Phase::Recovery,
            drawn if drawn < recovery + reorg => Phase::Reorg,
            _ => Phase::AnyTime,
        }
    }

    pub(super) async fn next_block(&mut self) -> Next {
        loop {
            let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
            let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
            if let Some(next) = self.branches.next(now_ms) {
                return next;
            }
            sleep(Duration::from_millis(SLOT_MS)).await;
        }
    }

    pub(super) async fn publish(&mut self, next: Next) -> Result<()> {
        let block = next.block.clone();
        self.branches.take(next)?;
        self.peer.publish_block(&block).await
    }

    pub(super) fn note_start(&mut self, victim: &Victim, status: &NodeStatus) {
        self.claims.hear(status);
        self.start_ups.push(victim.started.elapsed());
    }

    /// The median of the last times to the first answer.
    pub(super) fn start_up(&self) -> Duration {
        let from = self.start_ups.len().saturating_sub(9);
        let mut last = self.start_ups.get(from..).unwrap_or_default().to_vec();
        last.sort_unstable();
        last.get(last.len() / 2).copied().unwrap_or(START_UP)
    }

    fn examine(&mut self) -> Result<Report> {
        let since = Instant::now();
        self.claims.read(&self.place.events())?;
        let report = self.examiner.examine(&self.place.store())?;
        self.claims.check(&report, |id| self.branches.parent(id))?;
        self.tally.examining += since.elapsed();
        match report.ends {
            Some(ends) => self.tally.ends = (ends.height, ends.final_height),
            None => self.tally.unborn += 1,
        }
        Ok(report)
    }

    /// Lets the node live, stops it in order, and looks at it for the last time.
    async fn finish(&mut self) -> Result<()> {
        self.tally.starts += 1;
        let mut victim = Victim::start(&self.place)?;
        let status = victim.first_answer(DEADLINE).await?;
        self.note_start(&victim, &status);
        self.catch_up(&mut victim).await.context("left to live at the end")?;
        let ended = victim.stop()?;
        ensure!(ended.success(), "told to stop, the node ended with {ended}");
        let report = self.examine().context("stopped in order")?;
        let tip = report.ends.map(|ends| ends.tip);
        ensure!(tip == Some(self.branches.tip().id), "the store has another tip than the storm");
        let handed = lock(&self.handed);
        let included = handed.taken.iter().filter(|id| report.transactions.contains_key(id));
        let included = included.count() as u64;
        self.tally.transactions = (handed.sent, handed.taken.len() as u64, included);
        drop(handed);
        self.tally.blocks = self.branches.count() as u64;
        self.tally.reorgs = self.claims.reorgs;
        self.tally.deepest = self.claims.deepest;
        self.tally.claims = self.claims.count();
        self.tally.cut = self.claims.cut;
        self.tally.start_up = self.start_up();
        self.tally.wall = self.began.elapsed();
        Ok(())
    }
}
