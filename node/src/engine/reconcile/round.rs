//! A comparison that this node began: where the peer stands, then symbols until both pools are told
//! apart, then the exchange.

use hearsay_chain::{BlockId, Store, StoreError, TxId};
use hearsay_network::choice::Strategy;
use hearsay_network::reconcile::{Asker, Difference, Exchange, Part, Snapshot, Start, Step, Sweep};
use hearsay_network::short_id::ShortKey;
use hearsay_network::wire::{Request, Response};
use hearsay_network::{PeerId, RequestId};

use crate::engine::input::Time;
use crate::engine::sync::Question;
use crate::engine::{Effect, Engine};
use crate::trace::event::Event;

/// A peer that has not answered after this long is passed over, in microseconds: ten round trips
/// across the world.
const PATIENCE_US: u64 = 3_000_000;

/// The longest that a comparison and its exchange may take, in microseconds. A peer that gives little
/// at a time keeps others from their turn no longer than this.
const LONGEST_US: u64 = 60_000_000;

/// How often a comparison is put off because the peer rests or has another tip. What the next block takes from
/// one pool and not yet from the other would look like a difference; a peer on a branch of its own
/// stays there.
const MAX_PUT_OFF: u8 = 3;

/// How often a comparison is begun again with a finer part before it is given up.
const MAX_FINER: u8 = 4;

/// Transactions that may come in while pools are compared and are known not to be lacking.
const MAX_ARRIVED: usize = 65_536;

/// What is being done.
#[derive(Debug)]
enum Stage {
    /// The peer was asked where it stands.
    Standing(Start),
    /// It was asked for symbols.
    Sketch(Box<Asker>),
    /// Transactions go from one to the other.
    Exchange(Box<Exchange>),
}

/// A comparison under way.
#[derive(Debug)]
pub(in crate::engine) struct Round {
    peer: PeerId,
    begun: u64,
    /// When the last question was asked.
    asked: u64,
    /// The answer that is awaited.
    awaits: Option<RequestId>,
    stage: Stage,
    asks_only: bool,
    finer: u8,
    sweep: Option<Sweep>,
    /// What came in meanwhile.
    arrived: Vec<TxId>,
    tally: Tally,
}

/// What it came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    size: u64,
    theirs: u64,
    ours: u64,
    symbols: u64,
    /// Of symbols; the names are added at the end.
    bytes: u64,
    pub(super) gained: u64,
    pub(super) given: u64,
}

impl Round {
    pub(super) fn is_with(&self, peer: &PeerId) -> bool {
        self.peer == *peer
    }

    /// Whether a comparison of the same peer's under this key goes before this one.
    pub(super) fn gives_way_to(&self, key: ShortKey) -> bool {
        match &self.stage {
            Stage::Standing(_) => true,
            Stage::Sketch(asker) => asker.taken() == 0 && asker.key().0 < key.0,
            Stage::Exchange(_) => false,
        }
    }

    pub(super) fn arrived(&mut self, id: &TxId) {
        match &mut self.stage {
            Stage::Exchange(exchange) => exchange.leave_out(id),
            Stage::Standing(_) => {}
            Stage::Sketch(_) => {
                if self.arrived.len() < MAX_ARRIVED {
                    self.arrived.push(*id);
                }
            }
        }
    }

    pub(super) fn peer(&self) -> PeerId {
        self.peer
    }

    pub(super) fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    pub(super) fn exchange(&mut self) -> Option<&mut Exchange> {
        match &mut self.stage {
            Stage::Exchange(exchange) => Some(exchange),
            Stage::Standing(_) | Stage::Sketch(_) => None,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.awaits.is_some()
    }

    /// Whether this answers the last question; then nothing is awaited any more.
    fn is_answered_by(&mut self, from: &PeerId, id: RequestId) -> bool {
        self.peer == *from && self.awaits.take_if(|awaited| *awaited == id).is_some()
    }
}

impl<S: Store> Engine<S> {
    pub(super) fn begin_round(&mut self, now: Time, start: Start, out: &mut Vec<Effect>) {
        let us = now.mono_us;
        if start.peer.is_some_and(|peer| !self.reconcile.partners.may_ask(&peer, us)) {
            if start.tries < MAX_PUT_OFF {
                self.reconcile.rounds.again(us, start);
            }
            return;
        }
        let peer = start.peer.or_else(|| self.reconcile.partners.choose(us));
        let Some(peer) = peer.filter(|peer| self.sync.knows(peer)) else { return };
        self.reconcile.round = Some(Round {
            peer,
            begun: us,
            asked: us,
            awaits: None,
            stage: Stage::Standing(start),
            asks_only: start.asks_only,
            finer: 0,
            sweep: None,
            arrived: Vec::new(),
            tally: Tally::default(),
        });
        self.ask_standing(peer, out);
    }

    /// A peer said which tip it has.
    pub(in crate::engine) fn on_partner_stands(
        &mut self,
        now: Time,
        from: &PeerId,
        tip: BlockId,
        out: &mut Vec<Effect>,
    ) {
        let round = self.reconcile.round.as_ref().filter(|round| round.peer == *from);
        let Some(Round { stage: Stage::Standing(start), .. }) = round else { return };
        let start = Start { peer: Some(*from), ..*start };
        if tip != self.chain.ends().tip && start.tries < MAX_PUT_OFF {
            self.reconcile.round = None;
            self.reconcile.rounds.again(now.mono_us, start);
            return;
        }
        let part = start.part.unwrap_or_else(|| {
            self.reconcile.parts = self.reconcile.parts.wrapping_add(1);
            Part::new(Part::bits_for(self.pool.len()), self.reconcile.parts)
        });
        if let Some(round) = &mut self.reconcile.round {
            round.sweep = start.part.map(|part| Sweep {
                peer: *from,
                bits: part.bits(),
                next: part.index().saturating_add(1),
            });
        }
        self.begin_sketch(now, part, out);
    }

    /// Asks for the first symbols of a part.
    fn begin_sketch(&mut self, now: Time, part: Part, out: &mut Vec<Effect>) {
        let key = self.reconcile.draw_key();
        let Some(round) = &mut self.reconcile.round else { return };
        // One that does not fit is heavier than others; it is compared when its turn comes in a finer
        // division, and the others until then.
        let Some(own) = Snapshot::of(key, part, self.pool.ids()) else {
            self.reconcile.round = None;
            return;
        };
        let (asker, request) = Asker::begin(key, part, own);
        round.arrived.clear();
        round.stage = Stage::Sketch(Box::new(asker));
        self.ask_partner(now, request, out);
    }

    pub(super) fn ask_partner(&mut self, now: Time, request: Request, out: &mut Vec<Effect>) {
        let Some(round) = &mut self.reconcile.round else { return };
        let id = self.sync.question(Question::Reconcile);
        round.awaits = Some(id);
        round.asked = now.mono_us;
        out.push(Effect::Ask { peer: round.peer, id, request });
    }

    /// The peer answered a question of the comparison or the exchange, or did not.
    pub(in crate::engine) fn on_reconcile_response(
        &mut self,
        now: Time,
        (from, id): (PeerId, RequestId),
        result: Result<Response, String>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Some(round) = &mut self.reconcile.round else { return Ok(()) };
        // What came too late counts for nothing: the peer was passed over.
        if !round.is_answered_by(&from, id) {
            return Ok(());
        }
        let took = now.mono_us.saturating_sub(round.asked);
        match (result, &round.stage) {
            (Ok(Response::Sketch { size, symbols }), Stage::Sketch(_)) => {
                self.reconcile.partners.answered(&from, took);
                self.on_symbols(now, size, &symbols, out);
            }
            (Ok(Response::Transactions(given)), Stage::Exchange(_)) => {
                self.on_exchanged(now, from, &given, out)?;
            }
            (Ok(Response::Offered), Stage::Exchange(_)) => self.go_on_exchanging(now, out),
            (Ok(_), _) => self.end_with_fault(now, from, "wrong-answer", out),
            (Err(_), Stage::Exchange(_)) => {
                // It has had enough for now; what moved so far counts.
                self.reconcile.partners.refused_to_answer(&from, now.mono_us);
                self.finish_round(now, out);
            }
            (Err(_), _) => {
                self.reconcile.partners.refused_to_answer(&from, now.mono_us);
                self.reconcile.round = None;
            }
        }
        Ok(())
    }

    pub(super) fn end_with_fault(
        &mut self,
        now: Time,
        from: PeerId,
        reason: &'static str,
        out: &mut Vec<Effect>,
    ) {
        self.reconcile.round = None;
        self.penalise(now, from, reason, out);
    }

    fn on_symbols(
        &mut self,
        now: Time,
        size: u32,
        symbols: &[hearsay_network::reconcile::Symbol],
        out: &mut Vec<Effect>,
    ) {
        let Some(round) = &mut self.reconcile.round else { return };
        let (peer, Stage::Sketch(asker)) = (round.peer, &mut round.stage) else { return };
        let (bytes, taken) = (asker.bytes(), asker.taken());
        let step = asker.take(size, symbols);
        round.tally.size = size.into();
        round.tally.bytes += asker.bytes() - bytes;
        round.tally.symbols += u64::from(asker.taken() - taken);
        match step {
            Ok(Step::Ask(request)) => self.ask_partner(now, request, out),
            Ok(Step::Done(difference)) => self.begin_exchange(now, difference, out),
            Ok(Step::TooFar { bits }) if round.finer < MAX_FINER => {
                round.finer += 1;
                // Whoever lacks that much asks for it.
                round.asks_only = true;
                round.sweep = Some(Sweep { peer, bits, next: 1 });
                self.begin_sketch(now, Part::new(bits, 0), out);
            }
            Ok(Step::TooFar { .. } | Step::Refused) => {
                self.reconcile.partners.refused_to_answer(&peer, now.mono_us);
                self.reconcile.round = None;
            }
            Err(_) => self.end_with_fault(now, peer, "wrong-sketch", out),
        }
    }

    fn begin_exchange(&mut self, now: Time, difference: Difference, out: &mut Vec<Effect>) {
        let us = now.mono_us;
        let Some(round) = &self.reconcile.round else { return };
        let (peer, Stage::Sketch(asker)) = (round.peer, &round.stage) else { return };
        let partners = &self.reconcile.partners;
        let mut offers: Vec<TxId> = asker.own().find(&difference.ours);
        offers.retain(|id| {
            !round.asks_only
                && !self.is_young_or_gone(now, id)
                && !partners.was_handed(&peer, id, us)
        });
        // A sender's come in the order of their nonces, so that none of them has to wait.
        offers.sort_by_key(|id| self.pool.get(id).map(|tx| tx.transfer().nonce));
        let (theirs, ours) = (difference.theirs.len() as u64, difference.ours.len() as u64);
        let mut exchange = Exchange::new(asker.key(), difference.theirs, offers);
        for id in round.arrived.iter().chain(partners.refused(&peer, us)) {
            exchange.leave_out(id);
        }
        if let Some(round) = &mut self.reconcile.round {
            (round.tally.theirs, round.tally.ours) = (theirs, ours);
            round.stage = Stage::Exchange(Box::new(exchange));
        }
        self.go_on_exchanging(now, out);
    }

    /// Passes over a peer that does not answer, and goes on where there was too much to check.
    pub(super) fn keep_up_round(&mut self, now: Time, out: &mut Vec<Effect>) {
        let Some(round) = &self.reconcile.round else { return };
        let (peer, us) = (round.peer, now.mono_us);
        let compared = matches!(round.stage, Stage::Exchange(_));
        let waits = round.is_waiting() || matches!(round.stage, Stage::Standing(_));
        if waits && us >= round.asked.saturating_add(PATIENCE_US) {
            self.reconcile.partners.silent(&peer, us);
        } else if us < round.begun.saturating_add(LONGEST_US) {
            if !waits {
                self.go_on_exchanging(now, out);
            }
            return;
        }
        if compared {
            self.finish_round(now, out);
        } else {
            self.reconcile.round = None;
        }
    }

    /// Writes down what it came to.
    pub(super) fn finish_round(&mut self, now: Time, out: &mut Vec<Effect>) {
        let Some(mut round) = self.reconcile.round.take() else { return };
        let (us, peer) = (now.mono_us, round.peer);
        let names = round.exchange().map_or(0, |exchange| exchange.bytes());
        let Tally { size, theirs, ours, symbols, bytes, gained, given } = round.tally;
        let bytes = bytes.saturating_add(names);
        let moved = gained > 0 || given > 0;
        self.reconcile.partners.ended(&peer, us, given, bytes, moved);
        if let Some(sweep) = round.sweep {
            self.reconcile.rounds.go_on(us, sweep);
        }
        out.push(Effect::Trace(Event::Reconciled {
            peer: self.names.of(&peer),
            strategy: strategy_word(self.reconcile.strategy).to_owned(),
            size,
            theirs,
            ours,
            symbols,
            bytes,
            took_us: us.saturating_sub(round.begun),
            gained,
            given,
        }));
    }
}

fn strategy_word(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Random => "random",
        Strategy::RoundRobin => "round-robin",
        Strategy::Weighted => "weighted",
    }
}
