//! What waited before a restart, and what an engine makes of it.

use std::collections::{BTreeSet, VecDeque};

use hearsay_chain::store::MemoryStore;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Chain, TxId, UnverifiedTx};
use hearsay_mempool::{Config, Pool};

use super::sim::{MS, SECOND, Sim, sender};
use crate::api::{Answer, DropReason, Query, TxStatus};
use crate::engine::{
    Effect, Engine, Input, JobId, Kept, RESTORE_BATCH, RestoreTally, Restored, Setup, Time, Token,
    Work,
};

/// An engine that has just started, on a chain of nothing but the genesis block.
struct Started {
    engine: Engine<MemoryStore>,
    now: Time,
    checks: VecDeque<(JobId, Work)>,
    effects: Vec<Effect>,
}

const NOW: u64 = 1_790_000_000 * SECOND;

impl Started {
    fn new(sim: &Sim) -> Self {
        Self::with(sim, Config::default())
    }

    fn with(sim: &Sim, config: Config) -> Self {
        let chain = Chain::open(MemoryStore::new(sim.genesis.id()), sim.genesis.clone()).unwrap();
        let setup = Setup {
            authority: None,
            pool: Pool::new(config).unwrap(),
            sync_peers: hearsay_network::choice::Strategy::default(),
            blocks: crate::engine::BlockForm::Full,
            reconcile: crate::engine::Reconciliation::none(),
            forward: None,
            seed: 1,
        };
        let now = Time { unix_us: NOW + 60 * SECOND, mono_us: 0 };
        let engine = Engine::new(chain, setup, now);
        Self { engine, now, checks: VecDeque::new(), effects: Vec::new() }
    }

    fn handle(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.engine.handle(self.now, input, &mut effects).unwrap();
        for effect in effects {
            match effect {
                Effect::Check { job, work } => self.checks.push_back((job, work)),
                other => self.effects.push(other),
            }
        }
    }

    /// Checks what waits longest, or what came last.
    fn check(&mut self, last: bool) -> bool {
        let check = if last { self.checks.pop_back() } else { self.checks.pop_front() };
        let Some((job, work)) = check else { return false };
        self.handle(Input::Checked { job, done: work.run() });
        true
    }

    /// Restores all of it, signatures being checked in the order of their coming or the other way.
    fn restore(&mut self, all: Vec<Restored>, backwards: bool) -> RestoreTally {
        for batch in all.chunks(RESTORE_BATCH) {
            while !self.engine.may_restore() {
                assert!(self.check(backwards));
            }
            self.handle(Input::Restore(batch.to_vec()));
        }
        self.handle(Input::RestoreEnd);
        while self.check(backwards) {}
        let mut tallies = self.tallies();
        assert_eq!(tallies.len(), 1, "it is said once");
        tallies.remove(0)
    }

    fn tallies(&self) -> Vec<RestoreTally> {
        let done = self.effects.iter().filter_map(|effect| match effect {
            Effect::RestoreDone(tally) => Some(tally.clone()),
            _ => None,
        });
        done.collect()
    }

    fn removed(&self) -> Vec<TxId> {
        let removed = self.effects.iter().filter_map(|effect| match effect {
            Effect::Keep(Kept::Remove(id)) => Some(*id),
            _ => None,
        });
        removed.collect()
    }
}

fn restored(sim: &Sim, from: u8, nonce: u64, change: impl Fn(&mut Transfer)) -> Restored {
    let mut transfer = sim.transfer(from, nonce);
    change(&mut transfer);
    let tx = UnverifiedTx::from(transfer.sign(&sender(from)));
    Restored { tx, local: false, arrived_unix_us: NOW + nonce }
}

#[test]
fn a_pool_comes_back_as_it_was_whichever_signatures_are_checked_first() {
    let mut sim = Sim::new(1, 1, 4);
    sim.stop_producing();
    // Every fifth nonce is missing at two of the senders, so most of theirs wait behind a gap.
    for (token, (from, nonce)) in
        (0..4_u8).flat_map(|from| (0..400_u64).map(move |nonce| (from, nonce))).enumerate()
    {
        if from < 2 || nonce % 5 != 3 {
            let tx = UnverifiedTx::from(sim.transfer(from, nonce).sign(&sender(from)));
            sim.input(0, Input::Submit { token: Token(token as u64), tx, via: None });
            sim.run_until(sim.now() + MS);
        }
    }
    let kept = sim.kept(0);
    assert_eq!(kept.len(), 2 * 400 + 2 * 320);
    let before = sim.engine(0).pool();
    for backwards in [false, true] {
        let mut started = Started::new(&sim);
        let tally = started.restore(kept.clone(), backwards);
        let count = kept.len() as u64;
        assert_eq!(tally, RestoreTally { found: count, taken: count, ..Default::default() });
        let after = started.engine.pool();
        let ids = |pool: &Pool| -> BTreeSet<TxId> { pool.iter().map(|it| it.tx.id()).collect() };
        assert_eq!(ids(after), ids(before));
        for it in &kept {
            let id = it.tx.id();
            assert_eq!(after.state(&id), before.state(&id));
            let Kept::Add { local, arrived_unix_us, .. } =
                started.engine.kept(started.now, &id).unwrap()
            else {
                panic!("it is there");
            };
            assert_eq!((local, arrived_unix_us), (it.local, it.arrived_unix_us));
        }
        assert!(started.removed().is_empty());
    }
}

#[test]
fn what_cannot_wait_any_longer_does_not_come_back_and_is_counted_by_its_reason() {
    let sim = Sim::new(1, 1, 4);
    let mut started = Started::new(&sim);
    let age = Config::default().max_age_us;
    let mut forged = restored(&sim, 0, 1, |_| {});
    let mut transaction = forged.tx.transaction().clone();
    transaction.transfer.amount += 1;
    forged.tx = UnverifiedTx::from(transaction);
    let mut old = restored(&sim, 0, 2, |_| {});
    old.arrived_unix_us = started.now.unix_us - age;
    let mut almost = restored(&sim, 0, 3, |_| {});
    almost.arrived_unix_us = started.now.unix_us - age + 1;
    let expired = restored(&sim, 0, 4, |it| it.expiry = Some(0));
    let elsewhere = restored(&sim, 0, 5, |it| it.chain.0[0] ^= 1);
    // What it waits for may come yet.
    let poor = restored(&sim, 0, 6, |it| it.amount = 1 << 40);
    let good = restored(&sim, 0, 0, |_| {});
    let gone = [&forged, &old, &expired, &elsewhere].map(|it| it.tx.id());
    let all = vec![good, forged, old, almost.clone(), expired, elsewhere, poor];
    let tally = started.restore(all, false);
    let refused = [("bad-signature", 1), ("too-old", 1), ("expired", 1), ("wrong-chain", 1)];
    let refused = refused.into_iter().collect();
    assert_eq!(tally, RestoreTally { found: 7, taken: 3, known: 0, refused });
    let mut removed = started.removed();
    removed.sort_unstable();
    let mut gone = gone.to_vec();
    gone.sort_unstable();
    assert_eq!(removed, gone, "the journal lets go of what did not come back");
}

#[test]
fn a_gap_that_a_younger_replacement_closes_loses_nothing_behind_it() {
    let sim = Sim::new(1, 1, 4);
    let mut started = Started::new(&sim);
    let queued = Config::default().max_queued_per_sender;
    let count = queued + 300;
    // The first one was replaced last.
    let all: Vec<_> = (1..count).chain([0]).map(|nonce| restored(&sim, 0, nonce, |_| {})).collect();
    let tally = started.restore(all, false);
    assert_eq!(tally, RestoreTally { found: count, taken: count, ..Default::default() });
    assert_eq!(started.engine.pool().totals().ready as u64, count);
}

#[test]
fn one_that_gossip_brought_first_stays_and_one_from_a_clock_that_ran_ahead_is_new() {
    let sim = Sim::new(1, 1, 4);
    let mut started = Started::new(&sim);
    let known = restored(&sim, 0, 0, |_| {});
    started.handle(Input::Submit { token: Token(1), tx: known.tx.clone(), via: None });
    assert!(started.check(false));
    let mut ahead = restored(&sim, 1, 0, |_| {});
    ahead.arrived_unix_us = u64::MAX;
    let mut ancient = restored(&sim, 2, 0, |_| {});
    ancient.arrived_unix_us = 0;
    let tally = started.restore(vec![ancient, known, ahead.clone()], false);
    let refused = [("too-old", 1)].into();
    assert_eq!(tally, RestoreTally { found: 3, taken: 1, known: 1, refused });
    let Some(Kept::Add { arrived_unix_us, .. }) = started.engine.kept(started.now, &ahead.tx.id())
    else {
        panic!("it came back");
    };
    assert_eq!(arrived_unix_us, started.now.unix_us);
}

#[test]
#[ignore = "prints figures, for people"]
fn figures() {
    let sim = Sim::new(1, 1, 4);
    let config = Config { max_ready_per_sender: 20_000, ..Config::default() };
    let mut started = Started::with(&sim, config);
    let all: Vec<_> = (0..12_500)
        .flat_map(|nonce| (0..4).map(move |from| (from, nonce)))
        .map(|(from, nonce)| restored(&sim, from, nonce, |_| {}))
        .collect();
    let count = all.len();
    let begun = std::time::Instant::now();
    let tally = started.restore(all, false);
    let took = begun.elapsed();
    println!(
        "restored {} of {count} in {} ms on one thread, signatures included",
        tally.taken,
        took.as_millis()
    );
}

#[test]
fn what_the_pool_no_longer_takes_on_return_is_told_with_the_reason() {
    let sim = Sim::new(1, 1, 4);
    let config = Config { min_fee_per_kb: 1_000_000, ..Config::default() };
    let cheap = restored(&sim, 0, 0, |_| {});
    let foreign = restored(&sim, 1, 0, |transfer| transfer.chain.0[0] ^= 1);
    let mut started = Started::with(&sim, config);
    let ids = [&cheap, &foreign].map(|it| it.tx.id());
    assert_eq!(started.restore(vec![cheap, foreign], false).taken, 0);
    let reasons = ids.map(|id| {
        let query = Query::Tx(id);
        match started.engine.answer(started.now, &query).unwrap() {
            Answer::Tx(TxStatus::Dropped { reason, by: None }) => reason,
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(reasons, [DropReason::FeeTooLow, DropReason::Invalid]);
}
