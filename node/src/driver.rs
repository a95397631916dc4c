//! Drives the engine: hands it what comes in, with the time, and carries out what it wants.
//!
//! The driver may wait for the swarm and for the disk; neither ever waits for the driver.

mod drops;
mod ends;
mod halt;
mod hears;
mod journal;
mod load;
mod members;
mod words;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use hearsay_chain::Store;
use hearsay_network::{Command, Lanes, Responder};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use tracing::warn;

use crate::api::{Answer, NodeStatus, Refused, Submitted, TxStatus};
use crate::checkers::{self, Checkers};
use crate::engine::{Done, Effect, Engine, Input, JobId, Token};
use crate::lag::Lag;
use crate::trace::event::Event;
pub(crate) use ends::Ends;
pub use ends::{Fatal, Identity};
pub(crate) use journal::Keeping;
use members::Following;
pub(crate) use members::MemberEnds;
use words::{kind_word, tell, tell_time};

/// How often the bytes on the sockets are written down.
const WIRE_EVERY: Duration = Duration::from_secs(1);

/// Events, and results of checks, that are taken at once: a millisecond or two of work, so that everything else
/// gets its turn, and the cost of a turn is shared.
const AT_ONCE: usize = 64;

/// Events that are taken from the network's queue ahead of their turn, so that those of blocks can
/// overtake the others: few beside those that may wait there.
const AHEAD: usize = 1_024;

/// Who waits for an answer of the engine's.
#[derive(Debug)]
enum Waiting {
    Submit(oneshot::Sender<Result<Submitted, Refused>>),
    Ask(oneshot::Sender<Answer>),
    Peer(Responder),
}

/// The engine with all that it is connected to.
#[derive(Debug)]
pub(crate) struct Driver<S> {
    engine: Engine<S>,
    identity: Identity,
    ends: Ends,
    checkers: Checkers,
    checked: mpsc::Receiver<(JobId, Done)>,
    /// What was checked and not handed in yet.
    late_checked: VecDeque<(JobId, Done)>,
    waiting: BTreeMap<Token, Waiting>,
    next_token: u64,
    effects: Vec<Effect>,
    recover_at: Instant,
    lag_p99_us: Option<u64>,
    members: Following,
}

impl<S: Store> Driver<S> {
    /// Connects an engine.
    pub(crate) fn new(engine: Engine<S>, identity: Identity, ends: Ends) -> Self {
        let (results, checked) = mpsc::channel(checkers::QUEUE);
        Self {
            engine,
            identity,
            checkers: ends.checkers.join(results),
            ends,
            checked,
            late_checked: VecDeque::new(),
            waiting: BTreeMap::new(),
            next_token: 0,
            effects: Vec::new(),
            recover_at: Instant::now(),
            lag_p99_us: None,
            members: Following::default(),
        }
    }

    /// Runs until `stop` is done, then writes the log out and gives back the reason it was given.
    ///
    /// # Errors
    /// What stops a node that nobody told to stop.
    pub(crate) async fn run(mut self, stop: impl Future<Output = String>) -> Result<String, Fatal> {
        tokio::pin!(stop);
        let tick = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(tick);
        let mut wire = tokio::time::interval(self.ends.clock.really(WIRE_EVERY));
        let mut look = tokio::time::interval(self.ends.look_every);
        for interval in [&mut wire, &mut look] {
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let (mut checked, mut events) = (Vec::new(), Vec::new());
        let mut waiting = Lanes::default();
        let reason = loop {
            // While a disk is full nothing changes here: what was checked waits, and no tick comes.
            let goes_on = !self.ends.halt.is_on();
            // What comes in is written down, so it waits when the log can hardly take it; then
            // there are still turns to be told to stop.
            let hears = goes_on || !self.ends.log.is_crowded();
            tokio::select! {
                biased;
                reason = &mut stop => break reason,
                _ = look.tick() => self.look().await?,
                () = &mut tick, if goes_on => {
                    self.handle(Input::Tick).await?;
                    self.tell_journal();
                    let next = self.engine.next_tick(self.ends.clock.now());
                    tick.as_mut().reset(Instant::now() + self.ends.clock.until(next));
                }
                _ = wire.tick(), if hears => {
                    self.note_wire()?;
                    self.note_lag()?;
                    self.look_around().await?;
                }
                () = std::future::ready(()), if goes_on && !self.late_checked.is_empty() => {
                    self.take_checked().await?;
                }
                _ = self.checked.recv_many(&mut checked, AT_ONCE), if goes_on => {
                    self.late_checked.extend(checked.drain(..));
                    self.take_checked().await?;
                }
                batch = self.ends.keeping.next(), if goes_on && self.engine.may_restore() => {
                    self.on_restored(batch).await?;
                }
                Some(list) = self.members.answer() => self.on_members(&list).await?,
                // Before the network, whose queue is rarely empty under load; its own is short.
                Some(request) = self.ends.requests.recv(), if hears => {
                    self.on_request(request).await?;
                }
                count = self.ends.events.recv_many(&mut events, AHEAD),
                    if hears && waiting.len() < AT_ONCE =>
                {
                    if count == 0 {
                        while let Some(event) = waiting.take() {
                            self.on_network(event).await?;
                        }
                        return Err(Fatal::Network);
                    }
                    for event in events.drain(..) {
                        let urgent = event.is_urgent();
                        waiting.put(event, urgent);
                    }
                }
                () = std::future::ready(()), if hears && !waiting.is_empty() => {
                    for event in std::iter::from_fn(|| waiting.take()).take(AT_ONCE) {
                        self.on_network(event).await?;
                    }
                }
            }
        };
        self.note_wire()?;
        self.trace(Event::Stop { reason: reason.clone() })?;
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.ends.commands.send(Command::Leave).await;
        let _ = self.ends.commands.send(Command::Stop).await;
        self.close_journal();
        self.ends.log.close()?;
        Ok(reason)
    }

    async fn handle(&mut self, input: Input) -> Result<(), Fatal> {
        let mut effects = std::mem::take(&mut self.effects);
        let now = self.ends.clock.now();
        let engine = &mut self.engine;
        let handled = if self.ends.commits_block && engine.may_commit(&input) {
            tokio::task::block_in_place(|| engine.handle(now, input, &mut effects))
        } else {
            engine.handle(now, input, &mut effects)
        };
        let took_us = self.ends.clock.now().since(now);
        self.members.worked(took_us);
        effects.iter_mut().for_each(|effect| tell_time(effect, took_us));
        // What was done before the disk failed is done, and is written down.
        self.carry_out_all(effects).await?;
        self.unless_full(handled)
    }

    /// Hands in what was checked, until a disk is full: then the rest waits.
    async fn take_checked(&mut self) -> Result<(), Fatal> {
        while !self.ends.halt.is_on()
            && let Some((job, done)) = self.late_checked.pop_front()
        {
            self.handle(Input::Checked { job, done }).await?;
        }
        Ok(())
    }

    async fn carry_out_all(&mut self, mut effects: Vec<Effect>) -> Result<(), Fatal> {
        for effect in effects.drain(..) {
            self.carry_out(effect).await?;
        }
        self.effects = effects;
        Ok(())
    }

    async fn command(&self, command: Command) -> Result<(), Fatal> {
        self.ends.commands.send(command).await.map_err(|_| Fatal::Network)
    }

    async fn carry_out(&mut self, effect: Effect) -> Result<(), Fatal> {
        match effect {
            Effect::Publish { topic, data, known } => {
                self.command(Command::Publish { topic, data, known }).await?;
            }
            Effect::Judge { ticket, verdict, kind, reason } => {
                let reason = reason.unwrap_or("none");
                self.ends.metrics.verdict(kind_word(kind), verdict, reason);
                let topic = kind.into();
                self.command(Command::Judge { ticket, topic, verdict }).await?;
            }
            Effect::Check { job, work } => {
                self.ends.metrics.signatures_checked(work.signatures());
                self.checkers.check(job, work);
            }
            Effect::Ask { peer, id, request } => {
                self.command(Command::Ask { peer, id, request }).await?;
            }
            Effect::Ignore { token } => drop(self.waiting.remove(&token)),
            Effect::Ban { peer, us } => {
                let lasts = Duration::from_micros(us);
                warn!(%peer, seconds = lasts.as_secs(), "keeping a peer away");
                self.command(Command::Ban { peer, lasts }).await?;
            }
            Effect::Unban { peer } => self.command(Command::Unban { peer }).await?,
            Effect::Respond { token, response } => {
                if let Some(Waiting::Peer(responder)) = self.waiting.remove(&token) {
                    self.command(Command::Respond { responder, response }).await?;
                }
            }
            Effect::Submitted { token, result } => {
                if let Some(Waiting::Submit(reply)) = self.waiting.remove(&token) {
                    // Whoever asked may have hung up.
                    let _ = reply.send(result);
                }
            }
            Effect::Answer { token, answer } => {
                if let Some(Waiting::Ask(reply)) = self.waiting.remove(&token) {
                    let _ = reply.send(self.complete(answer));
                }
            }
            Effect::Keep(kept) => self.ends.keeping.keep(kept),
            Effect::RestoreDone(tally) => self.on_restore_done(&tally),
            Effect::Trace(event) => self.trace(event)?,
            Effect::TraceAt(at, event) => {
                self.count(&event);
                self.ends.log.write(self.ends.clock.without_skew(at), &event)?;
            }
        }
        Ok(())
    }

    fn trace(&mut self, event: Event) -> Result<(), Fatal> {
        tell(&event);
        self.count(&event);
        self.ends.log.write(self.ends.clock.without_skew(self.ends.clock.now()), &event)?;
        Ok(())
    }

    /// Counts for `/metrics` what the log says.
    fn count(&self, event: &Event) {
        let metrics = &self.ends.metrics;
        match event {
            Event::Published { kind, .. } => metrics.published(kind_word(*kind)),
            Event::Received { kind, bytes, .. } => metrics.copy(kind_word(*kind), true, *bytes),
            Event::Duplicate { kind, bytes, .. } => metrics.copy(kind_word(*kind), false, *bytes),
            Event::Verdict { kind, queue_us, check_us, .. } => metrics.verdict_time(
                kind_word(*kind),
                Duration::from_micros(*queue_us),
                Duration::from_micros(*check_us),
            ),
            Event::Reconciled { theirs, ours, symbols, bytes, gained, given, .. } => {
                metrics.reconciled(theirs + ours > 0, *symbols, *bytes, (*gained, *given));
            }
            _ => {}
        }
    }

    fn note_wire(&mut self) -> Result<(), Fatal> {
        let (sent, received) = (self.ends.wire.sent(), self.ends.wire.received());
        self.ends.metrics.wire_totals(sent, received);
        let traffic = &self.ends.traffic;
        self.ends.metrics.gossip_totals(&traffic.sent(), &traffic.received());
        let (members_sent, members_received) = self.members.traffic();
        self.trace(Event::Wire { sent, received, members_sent, members_received })
    }

    fn note_lag(&mut self) -> Result<(), Fatal> {
        let read = self.ends.lag.as_mut().and_then(|lag| lag.read(self.ends.clock.dilation()));
        let Some(Lag { p50_us, p99_us, max_us, samples }) = read else { return Ok(()) };
        self.lag_p99_us = Some(p99_us);
        self.trace(Event::Lag { p50_us, p99_us, max_us, samples })
    }

    /// Adds to an answer what only the shell knows.
    fn complete(&self, mut answer: Answer) -> Answer {
        if let Answer::Status(status) = &mut answer {
            status.name.clone_from(&self.identity.name);
            status.peer.clone_from(&self.identity.peer);
            status.listen.clone_from(&self.identity.listen);
            status.lag_p99_us = self.lag_p99_us;
            self.gauge(status);
        }
        if matches!(answer, Answer::Tx(TxStatus::Unknown)) && self.ends.keeping.is_restoring() {
            return Answer::Restoring;
        }
        answer
    }

    fn gauge(&self, status: &NodeStatus) {
        let metrics = &self.ends.metrics;
        metrics.peers(status.peers);
        metrics.heights(status.height, status.final_height);
        metrics.pool(&status.mempool);
        metrics.sync_target(status.sync.as_ref().map(|sync| sync.target));
    }

    fn wait(&mut self, waiting: Waiting) -> Token {
        let token = Token(self.next_token);
        self.next_token += 1;
        self.waiting.insert(token, waiting);
        token
    }
}

#[cfg(test)]
mod tests;
