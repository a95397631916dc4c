//! Transactions that are handed in here and handed on to a neighbour that has room for them.
//!
//! This node looks at each as if it were to take it, and checks its signature: what it hands on, it
//! answers for. Then it offers it to the neighbour and asks whether it is there, until it is, or a copy
//! comes back by gossip. If the neighbour does not take it in time, this node does.

use std::collections::BTreeMap;

use hearsay_chain::{Store, StoreError, TxId, VerifiedTx};
use hearsay_mempool::{Origin as From, State};
use hearsay_network::choice::{Chooser, Strategy};
use hearsay_network::members::choose::{Candidate, choices};
use hearsay_network::wire::{Request, Response, unpack};
use hearsay_network::{PeerId, RequestId, Topic};

use super::input::{Time, Token};
use super::jobs::Owner;
use super::surroundings::{Neighbour, Surroundings};
use super::sync::Question;
use super::transactions::Objection;
use super::{Effect, Engine};
use crate::api::{Refused, Submitted, Taker};
use crate::trace::event::{Event, Kind, Origin};

/// Transactions that may be on their way to neighbours. Each holds a transaction and whoever waits, so
/// these are 64 MiB at most; beyond them this node takes what it is given.
const MOST: usize = 1_024;

/// Who may wait for the same transaction. Handing it in again gains nothing.
const MOST_WAITING: usize = 16;

/// How long a neighbour may take, in microseconds: longer than a round trip across the world and the
/// check of a full queue, and shorter than whoever waits has patience.
const PATIENCE_US: u64 = 2_000_000;

/// How long after an answer that it is not there the neighbour is asked again, in microseconds, at
/// first; it doubles each time.
const AGAIN_US: u64 = 50_000;

/// How far one has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The neighbour was asked to take it, or whether it has it.
    Asked(RequestId),
    /// It did not have it yet. It is asked again then.
    Waits { until: u64 },
}

/// One transaction on its way to a neighbour.
#[derive(Debug)]
struct Forward {
    tx: VerifiedTx,
    waiting: Vec<Token>,
    to: PeerId,
    name: String,
    step: Step,
    pause: u64,
    give_up: u64,
}

/// All of them, and how neighbours are chosen.
#[derive(Debug)]
pub(super) struct Forwards {
    /// Whether transactions are handed on unless whoever hands them in says otherwise.
    always: bool,
    strategy: Strategy,
    chooser: Chooser,
    around: Option<Surroundings>,
    by_id: BTreeMap<TxId, Forward>,
}

impl Forwards {
    /// `strategy` is that of the settings; none: only what is meant for others is handed on, by weight.
    pub(super) fn new(strategy: Option<Strategy>, seed: u64) -> Self {
        let always = strategy.is_some();
        let strategy = strategy.unwrap_or(Strategy::Weighted);
        let chooser = Chooser::new(strategy, seed);
        Self { always, strategy, chooser, around: None, by_id: BTreeMap::new() }
    }

    /// Chooses among this node and its neighbours that `may` be given something. None: this node.
    fn choose(&mut self, may: impl Fn(&Neighbour) -> bool) -> Option<PeerId> {
        let around = self.around.as_ref()?;
        let neighbours = around.neighbours.iter().filter(|it| it.alive && may(it));
        let mut candidates: Vec<Candidate> =
            std::iter::once(&around.own).chain(neighbours).map(Neighbour::candidate).collect();
        // What they say is a second old; what they were given since is known better here.
        for candidate in &mut candidates {
            let given = self.by_id.values().filter(|it| it.to == candidate.peer).count();
            let given = u16::try_from(given).unwrap_or(u16::MAX);
            candidate.load.queue = candidate.load.queue.saturating_add(given);
        }
        // The strategies that know no weights are there to be compared with, so that nothing helps
        // them.
        let spare = self.strategy == Strategy::Weighted;
        let own = around.own.peer;
        self.chooser.choose(&choices(&candidates, spare)).filter(|chosen| *chosen != own)
    }

    fn called(&self, peer: &PeerId) -> String {
        let neighbours = self.around.iter().flat_map(|around| &around.neighbours);
        let found = neighbours.into_iter().find(|it| it.peer == *peer);
        found.map_or_else(|| peer.to_string(), Neighbour::called)
    }
}

impl<S: Store> Engine<S> {
    /// The members around this node have told of themselves.
    pub(super) fn on_surroundings(&mut self, around: Surroundings) {
        for neighbour in &around.neighbours {
            self.sync.loaded(&neighbour.peer, neighbour.load);
            self.reconcile.loaded(&neighbour.peer, neighbour.load);
        }
        self.forwards.around = Some(around);
    }

    /// Which neighbour a transaction is for that is handed in here; none: this node.
    pub(super) fn destination(&mut self, via: Option<&Taker>) -> Result<Option<PeerId>, Refused> {
        let is_full = self.forwards.by_id.len() >= MOST;
        let sync = &self.sync;
        match via {
            Some(Taker::Here) => Ok(None),
            None if !self.forwards.always => Ok(None),
            None | Some(Taker::Auto) if is_full => Ok(None),
            None | Some(Taker::Auto) => Ok(self.forwards.choose(|it| sync.knows(&it.peer))),
            Some(Taker::Member(word)) => {
                let around = self.forwards.around.as_ref();
                if around.is_some_and(|around| around.own.is(word)) {
                    return Ok(None);
                }
                let mut neighbours = around.iter().flat_map(|around| &around.neighbours);
                let found = neighbours.find(|it| it.is(word) && sync.knows(&it.peer));
                match found {
                    Some(neighbour) if !is_full => Ok(Some(neighbour.peer)),
                    Some(_) => {
                        Err(refused("busy", "too much is on its way to other members".to_owned()))
                    }
                    None => {
                        let says = format!("{word:?} is no member that this node is connected to");
                        Err(refused("no-such-member", says))
                    }
                }
            }
        }
    }

    /// Lets somebody wait for a transaction that is on its way already.
    pub(super) fn joins_forward(&mut self, id: &TxId, token: Token) -> bool {
        let forward = self.forwards.by_id.get_mut(id);
        let room = forward.filter(|forward| forward.waiting.len() < MOST_WAITING);
        room.is_some_and(|forward| {
            forward.waiting.push(token);
            true
        })
    }

    /// Hands on a transaction whose signature holds, if all who wait for it want that.
    pub(super) fn hand_on(
        &mut self,
        now: Time,
        tx: &VerifiedTx,
        owners: &[Owner],
        out: &mut Vec<Effect>,
    ) -> bool {
        let token = |owner: &Owner| match owner {
            Owner::Submit { token, to: Some(to) } => Some((*token, *to)),
            _ => None,
        };
        let all: Option<Vec<(Token, PeerId)>> = owners.iter().map(token).collect();
        let Some((_, to)) = all.as_ref().and_then(|all| all.first().copied()) else { return false };
        if !self.sync.knows(&to) || self.forwards.by_id.len() >= MOST {
            return false;
        }
        let waiting =
            all.into_iter().flatten().map(|(token, _)| token).take(MOST_WAITING).collect();
        let (id, data) = (tx.id(), tx.encode());
        self.introduces(Kind::Tx, id.0, data.len(), Origin::Rpc, out);
        let request = self.sync.question(Question::Forward(id));
        let forward = Forward {
            tx: tx.clone(),
            waiting,
            to,
            name: self.forwards.called(&to),
            step: Step::Asked(request),
            pause: AGAIN_US,
            give_up: now.mono_us.saturating_add(PATIENCE_US),
        };
        self.forwards.by_id.insert(id, forward);
        out.push(Effect::Ask { peer: to, id: request, request: Request::TakeTransaction(data) });
        true
    }

    /// The neighbour answered, or did not.
    pub(super) fn on_forwarded(
        &mut self,
        now: Time,
        (from, request): (PeerId, RequestId),
        id: TxId,
        result: Result<Response, String>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Some(forward) = self.forwards.by_id.get_mut(&id) else { return Ok(()) };
        if forward.step != Step::Asked(request) {
            return Ok(());
        }
        match result {
            Ok(Response::Offered) => self.ask_whether_it_came(id, out),
            Ok(Response::HaveTransactions(bits)) => match unpack(&bits, 1).as_deref() {
                Some([true]) => self.has_come(&id, out),
                Some(_) => {
                    forward.step = Step::Waits { until: now.mono_us.saturating_add(forward.pause) };
                    forward.pause = forward.pause.saturating_mul(2);
                }
                None => {
                    self.penalise(now, from, "wrong-answer", out);
                    self.take_after_all(now, id, out)?;
                }
            },
            Ok(_) => {
                self.penalise(now, from, "wrong-answer", out);
                self.take_after_all(now, id, out)?;
            }
            // It is busy, or gone.
            Err(_) => self.take_after_all(now, id, out)?,
        }
        Ok(())
    }

    fn ask_whether_it_came(&mut self, id: TxId, out: &mut Vec<Effect>) {
        let Some(forward) = self.forwards.by_id.get_mut(&id) else { return };
        let request = self.sync.question(Question::Forward(id));
        forward.step = Step::Asked(request);
        let about = Request::HaveTransactions(vec![id]);
        out.push(Effect::Ask { peer: forward.to, id: request, request: about });
    }

    /// Asks again, and takes what no neighbour took in time.
    pub(super) fn drive_forwards(
        &mut self,
        now: Time,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let due = |forward: &Forward| match forward.step {
            Step::Waits { until } => until <= now.mono_us || forward.give_up <= now.mono_us,
            Step::Asked(_) => forward.give_up <= now.mono_us,
        };
        let all = self.forwards.by_id.iter().filter(|(_, forward)| due(forward));
        let all: Vec<(TxId, PeerId, bool)> =
            all.map(|(id, forward)| (*id, forward.to, forward.give_up <= now.mono_us)).collect();
        for (id, to, is_late) in all {
            if is_late || !self.sync.knows(&to) {
                self.take_after_all(now, id, out)?;
            } else {
                self.ask_whether_it_came(id, out);
            }
        }
        Ok(())
    }

    /// Somebody has it: whoever waits is told, if it is one that was handed on.
    pub(super) fn has_come(&mut self, id: &TxId, out: &mut Vec<Effect>) {
        let Some(Forward { waiting, name, .. }) = self.forwards.by_id.remove(id) else { return };
        for token in waiting {
            let taken_by = Some(name.clone());
            let submitted = Submitted { id: *id, queued: false, known: false, taken_by };
            out.push(Effect::Submitted { token, result: Ok(submitted) });
        }
    }

    /// This node takes what it had handed on.
    fn take_after_all(
        &mut self,
        now: Time,
        id: TxId,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Some(Forward { tx, waiting, .. }) = self.forwards.by_id.remove(&id) else {
            return Ok(());
        };
        let result = match self.pool.state(&id) {
            // Gossip brought it meanwhile.
            Some(state) => Ok(!matches!(state, State::Ready)),
            None => {
                let data = tx.encode();
                let pooled = self.pool_transaction(now, tx, From::Local, out)?;
                if pooled.is_ok() {
                    out.push(Effect::Publish { topic: Topic::Tx, data, known: false });
                    self.unbroadcast.note(id, now);
                }
                pooled.map_err(Objection::from)
            }
        };
        let result = result.map_err(Refused::from);
        for token in waiting {
            let taken = |queued| Submitted { id, queued, known: false, taken_by: None };
            out.push(Effect::Submitted { token, result: result.clone().map(taken) });
        }
        Ok(())
    }

    /// Writes down that this node introduces a message to the network.
    pub(super) fn introduces(
        &mut self,
        kind: Kind,
        id: [u8; 32],
        bytes: usize,
        origin: Origin,
        out: &mut Vec<Effect>,
    ) {
        self.sightings.count(id, None);
        let (id, bytes) = (hex::encode(id), bytes as u64);
        out.push(Effect::Trace(Event::Published { kind, id, bytes, origin }));
    }
}

fn refused(reason: &str, message: String) -> Refused {
    Refused { invalid: false, reason: reason.to_owned(), message }
}
