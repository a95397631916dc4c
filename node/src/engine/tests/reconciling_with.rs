//! One engine that compares its pool with peers of all kinds.

use hearsay_chain::{Transaction, UnverifiedTx, codec};
use hearsay_mempool::Config;
use hearsay_network::choice::Strategy;
use hearsay_network::reconcile::{Answerer, Coder, Part, SketchAsked, Symbol};
use hearsay_network::short_id::ShortKey;
use hearsay_network::wire::{Request, Response, Standing};
use hearsay_network::{PeerId, RequestId};

use super::desk::{Desk, peer, penalises, publishes};
use super::sim::SECOND;
use crate::engine::reconcile::Reconcile;
use crate::engine::{Effect, Input, Reconciliation};
use crate::trace::event::{Event, Via};

/// What a peer does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Honest,
    /// Says nothing to any question but where it stands.
    Silent,
    /// Says that it would not.
    Refusing,
    /// Sends symbols that come apart into more than they can hold.
    Nonsense,
    /// Sends symbols without end that never come apart.
    Endless,
    /// Sends more symbols than it was asked for.
    TooMany,
    /// Answers another question.
    Confused,
    /// Gives a transaction that nobody asked for.
    Pushing,
    /// Gives bytes that are none.
    Garbage,
    /// Has another tip.
    Elsewhere,
}

struct Partner {
    peer: PeerId,
    mood: Mood,
    pool: Vec<UnverifiedTx>,
    answerer: Answerer,
    asked: Vec<Request>,
}

impl Partner {
    fn new(desk: &mut Desk, number: u8, mood: Mood, pool: Vec<UnverifiedTx>) -> Self {
        let peer = peer(number);
        let mut answerer = Answerer::default();
        answerer.joined(peer);
        desk.give(Input::Joined(peer));
        Self { peer, mood, pool, answerer, asked: Vec::new() }
    }

    fn answer(&mut self, desk: &Desk, request: &Request) -> Option<Result<Response, String>> {
        let now = desk.now();
        match request {
            Request::Standing(_) => {
                let ends = desk.engine.chain().ends();
                let genesis = desk.engine.chain().rules().id();
                let mut tip = ends.tip;
                tip.0[31] ^= u8::from(self.mood == Mood::Elsewhere);
                let (height, final_height, first_body) = (ends.height, ends.final_height, 1);
                let standing = Standing { genesis, tip, height, final_height, first_body };
                return Some(Ok(Response::Standing(standing)));
            }
            _ if self.mood == Mood::Silent => return None,
            _ if self.mood == Mood::Refusing => return Some(Err("no answer".to_owned())),
            _ if self.mood == Mood::Confused => {
                return Some(Ok(Response::HaveTransactions(vec![0])));
            }
            _ => {}
        }
        Some(Ok(match request {
            Request::Sketch { key, part, from, count } => {
                let asked = SketchAsked { key: *key, part: *part, from: *from, count: *count };
                let ids: Vec<_> = self.pool.iter().map(UnverifiedTx::id).collect();
                let pool = (ids.len(), || ids.iter().copied());
                let (size, symbols) = self.answerer.sketch(now, self.peer, asked, pool)?;
                let symbols = self.made_up(*from, *count).unwrap_or(symbols);
                Response::Sketch { size, symbols }
            }
            Request::Named { key, names } => {
                let ids = self.answerer.named(now, &self.peer, *key, names)?;
                let of = |id| self.pool.iter().find(|tx| tx.id() == id).unwrap();
                let mut given: Vec<Vec<u8>> = ids.into_iter().map(|id| encoded(of(id))).collect();
                match self.mood {
                    Mood::Pushing => given.push(encoded(&desk.tx(3, 77, 5))),
                    Mood::Garbage => given.push(vec![1, 2, 3]),
                    _ => {}
                }
                Response::Transactions(given)
            }
            Request::OfferTransactions(_) => Response::Offered,
            Request::HaveTransactions(ids) => {
                Response::HaveTransactions(vec![0; ids.len().div_ceil(8)])
            }
            _ => return None,
        }))
    }

    fn made_up(&self, from: u32, count: u32) -> Option<Vec<Symbol>> {
        let numbers = u64::from(from) + 1..;
        let of = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        match self.mood {
            Mood::Nonsense => {
                let one = |number| Coder::new([of(number)]).next(1).pop().unwrap();
                Some(numbers.take(count as usize).map(one).collect())
            }
            Mood::Endless => {
                let one = |number| Symbol { sum: of(number), check: 1, count: 1 };
                Some(numbers.take(count as usize).map(one).collect())
            }
            Mood::TooMany => Some(vec![Symbol::default(); count as usize + 1]),
            _ => None,
        }
    }

    fn sketches(&self) -> usize {
        self.asked.iter().filter(|it| matches!(it, Request::Sketch { from: 0, .. })).count()
    }

    fn symbols(&self) -> u32 {
        let count = |request: &Request| match request {
            Request::Sketch { count, .. } => *count,
            _ => 0,
        };
        self.asked.iter().map(count).sum()
    }

    fn names(&self) -> usize {
        let count = |request: &Request| match request {
            Request::Named { names, .. } => names.len(),
            _ => 0,
        };
        self.asked.iter().map(count).sum()
    }

    fn offered(&self) -> usize {
        let count = |request: &Request| match request {
            Request::OfferTransactions(offered) => offered.len(),
            _ => 0,
        };
        self.asked.iter().map(count).sum()
    }
}

fn encoded(tx: &UnverifiedTx) -> Vec<u8> {
    let transaction: &Transaction = tx.transaction();
    codec::encode(transaction)
}

fn desk_with(config: Config, peers: Strategy) -> Desk {
    let mut desk = Desk::with(config);
    let config = Reconciliation { peers, every_us: 5 * SECOND };
    desk.engine.reconcile = Reconcile::new(config, 7);
    desk
}

fn desk() -> Desk {
    desk_with(Config::default(), Strategy::RoundRobin)
}

/// Lets time pass while the peers answer at once.
fn live(desk: &mut Desk, partners: &mut [&mut Partner], us: u64) -> Vec<Effect> {
    let (mut all, end) = (Vec::new(), desk.now() + us);
    while desk.now() < end {
        let mut effects = desk.pass(SECOND / 10);
        while !effects.is_empty() {
            let mut next = Vec::new();
            for effect in effects {
                if let Effect::Ask { peer, id, request } = &effect
                    && let Some(partner) = partners.iter_mut().find(|it| it.peer == *peer)
                {
                    partner.asked.push(request.clone());
                    if let Some(result) = partner.answer(desk, request) {
                        let (from, id): (PeerId, RequestId) = (*peer, *id);
                        next.extend(desk.give(Input::Response { from, id, result }));
                    }
                }
                all.push(effect);
            }
            effects = next;
        }
    }
    all
}

fn txs(desk: &Desk, from: u8, nonces: std::ops::Range<u64>) -> Vec<UnverifiedTx> {
    nonces.map(|nonce| desk.tx(from, nonce, 5)).collect()
}

fn reconciled(effects: &[Effect]) -> Vec<&Event> {
    let events = effects.iter().filter_map(|effect| match effect {
        Effect::Trace(event @ Event::Reconciled { .. }) => Some(event),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_peer_that_joined_is_compared_with_at_once_and_gives_what_is_lacking() {
    let mut desk = desk();
    desk.give(Input::Joined(peer(9)));
    desk.give(Input::Left(peer(9)));
    for tx in txs(&desk, 1, 0..3) {
        desk.gossip(peer(9), &tx);
    }
    desk.pass(2 * SECOND);
    let pool = txs(&desk, 0, 0..4);
    let mut partner = Partner::new(&mut desk, 0, Mood::Honest, pool);
    let effects = live(&mut desk, &mut [&mut partner], SECOND);
    assert_eq!(desk.engine.pool().len(), 7);
    let events = reconciled(&effects);
    let [Event::Reconciled { size: 4, theirs: 4, ours: 3, gained: 4, given: 0, strategy, .. }] =
        events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(strategy, "round-robin");
    assert_eq!(publishes(&effects), 4);
    let known = |effect: &Effect| matches!(effect, Effect::Publish { known: false, .. });
    assert!(!effects.iter().any(known), "others are likely to have them");
    let came = effects.iter().filter(|effect| {
        matches!(effect, Effect::Trace(Event::Received { via: Via::Reconcile, .. }))
    });
    // It compares its pool with ours itself. If it does not, it is offered them in a later round.
    assert_eq!((came.count(), partner.offered()), (4, 0));
    let effects = live(&mut desk, &mut [&mut partner], 7 * SECOND);
    assert_eq!(partner.offered(), 3);
    let events = reconciled(&effects);
    assert!(
        matches!(events[..], [Event::Reconciled { gained: 0, given: 3, .. }, ..]),
        "{events:?}"
    );
}

#[test]
fn whoever_answers_what_nobody_answers_by_mistake_is_sent_away() {
    for mood in [Mood::Nonsense, Mood::TooMany, Mood::Confused, Mood::Pushing, Mood::Garbage] {
        let mut desk = desk();
        let pool = txs(&desk, 0, 0..40);
        let mut partner = Partner::new(&mut desk, 0, mood, pool);
        let effects = live(&mut desk, &mut [&mut partner], SECOND);
        assert!(penalises(&effects), "{mood:?}");
        assert_eq!(desk.engine.pool().len(), 0, "{mood:?}");
    }
}

#[test]
fn symbols_without_end_are_asked_for_up_to_a_bound_and_nobody_else_has_to_wait() {
    let mut desk = desk();
    let pool = txs(&desk, 0, 0..200);
    let mut endless = Partner::new(&mut desk, 0, Mood::Endless, pool);
    live(&mut desk, &mut [&mut endless], SECOND);
    assert!(endless.symbols() < 1_000, "{} symbols", endless.symbols());
    let pool = txs(&desk, 1, 0..3);
    let mut honest = Partner::new(&mut desk, 1, Mood::Honest, pool);
    live(&mut desk, &mut [&mut endless, &mut honest], SECOND);
    assert_eq!(desk.engine.pool().len(), 3);
}

#[test]
fn a_peer_that_says_nothing_is_passed_over_and_rests() {
    let mut desk = desk();
    let mut silent = Partner::new(&mut desk, 0, Mood::Silent, Vec::new());
    live(&mut desk, &mut [&mut silent], SECOND);
    assert_eq!(silent.sketches(), 1);
    let pool = txs(&desk, 1, 0..3);
    let mut honest = Partner::new(&mut desk, 1, Mood::Honest, pool);
    let effects = live(&mut desk, &mut [&mut silent, &mut honest], 4 * SECOND);
    assert_eq!(desk.engine.pool().len(), 3, "after three seconds another has its turn");
    assert!(!penalises(&effects), "saying nothing is no offence");
    live(&mut desk, &mut [&mut silent, &mut honest], 20 * SECOND);
    assert_eq!(silent.sketches(), 1, "it rests");
    assert!(honest.sketches() >= 4);
    live(&mut desk, &mut [&mut silent, &mut honest], 30 * SECOND);
    assert!(silent.sketches() >= 2, "and is asked again");
}

#[test]
fn a_peer_that_refuses_is_left_alone_for_some_seconds() {
    let mut desk = desk();
    let mut refusing = Partner::new(&mut desk, 0, Mood::Refusing, Vec::new());
    let effects = live(&mut desk, &mut [&mut refusing], 30 * SECOND);
    assert!((2..=7).contains(&refusing.sketches()), "{}", refusing.sketches());
    assert!(!penalises(&effects));
    assert!(reconciled(&effects).is_empty());
}

#[test]
fn what_was_refused_is_not_asked_for_in_every_round() {
    let mut desk =
        desk_with(Config { min_fee_per_kb: 1_000_000, ..Config::default() }, Strategy::Weighted);
    let pool = txs(&desk, 0, 0..20);
    let mut partner = Partner::new(&mut desk, 0, Mood::Honest, pool);
    let effects = live(&mut desk, &mut [&mut partner], 25 * SECOND);
    assert_eq!(desk.engine.pool().len(), 0);
    assert!(!penalises(&effects), "its fee is too low here, and that is nobody's fault");
    assert!(partner.sketches() >= 4, "{}", partner.sketches());
    assert_eq!(partner.names(), 20, "once");
    live(&mut desk, &mut [&mut partner], 20 * SECOND);
    assert_eq!(partner.names(), 40, "and again when fees may have fallen");
}

#[test]
fn what_a_peer_does_not_take_is_not_offered_in_every_round() {
    let mut desk = desk();
    desk.give(Input::Joined(peer(9)));
    desk.give(Input::Left(peer(9)));
    for tx in txs(&desk, 1, 0..3) {
        desk.gossip(peer(9), &tx);
    }
    desk.pass(2 * SECOND);
    let mut partner = Partner::new(&mut desk, 0, Mood::Honest, Vec::new());
    live(&mut desk, &mut [&mut partner], 60 * SECOND);
    assert!(partner.sketches() >= 8);
    assert_eq!(partner.offered(), 3);
    live(&mut desk, &mut [&mut partner], 300 * SECOND);
    assert_eq!(partner.offered(), 6, "after five minutes");
}

#[test]
fn a_peer_with_another_tip_is_compared_with_only_after_some_seconds() {
    let mut desk = desk();
    let pool = txs(&desk, 0, 0..2);
    let mut partner = Partner::new(&mut desk, 0, Mood::Elsewhere, pool);
    live(&mut desk, &mut [&mut partner], SECOND);
    assert_eq!(partner.sketches(), 0);
    live(&mut desk, &mut [&mut partner], 6 * SECOND);
    assert!(partner.sketches() >= 1);
    assert_eq!(desk.engine.pool().len(), 2);
    let mut again = self::desk();
    let mut partner = Partner::new(&mut again, 0, Mood::Elsewhere, Vec::new());
    live(&mut again, &mut [&mut partner], SECOND);
    partner.mood = Mood::Honest;
    live(&mut again, &mut [&mut partner], 2 * SECOND);
    assert_eq!(partner.sketches(), 1, "as soon as the tips are the same");
}

#[test]
fn losses_bring_a_round_on_and_an_interval_of_nothing_turns_all_off() {
    let mut desk = desk();
    let mut partner = Partner::new(&mut desk, 0, Mood::Honest, Vec::new());
    live(&mut desk, &mut [&mut partner], SECOND);
    let before = partner.sketches();
    desk.give(Input::Dropped { count: 3 });
    live(&mut desk, &mut [&mut partner], SECOND);
    assert_eq!(partner.sketches(), before + 1);

    let mut off = Desk::new();
    let mut partner = Partner::new(&mut off, 0, Mood::Honest, Vec::new());
    off.give(Input::Dropped { count: 3 });
    live(&mut off, &mut [&mut partner], 30 * SECOND);
    assert_eq!(partner.sketches(), 0);
}

#[test]
fn what_gossip_is_still_bringing_is_not_given_and_strangers_are_told_nothing() {
    let mut desk = desk();
    desk.give(Input::Joined(peer(1)));
    let tx = desk.tx(0, 0, 5);
    desk.gossip(peer(9), &tx);
    let key = ShortKey([255; 16]);
    let sketch = Request::Sketch { key, part: Part::all(), from: 0, count: 4 };
    assert!(desk.request(peer(2), sketch.clone()).0.is_none());
    let Some(Response::Sketch { size: 1, symbols }) = desk.request(peer(1), sketch).0 else {
        panic!()
    };
    assert_eq!(symbols.len(), 4);
    let named = Request::Named { key, names: vec![key.of(&tx.id())] };
    assert_eq!(desk.request(peer(2), named.clone()).0, None);
    let young = desk.request(peer(1), named.clone()).0;
    assert_eq!(young, Some(Response::Transactions(Vec::new())));
    desk.pass(SECOND);
    let given = desk.request(peer(1), named).0;
    assert_eq!(given, Some(Response::Transactions(vec![encoded(&tx)])));
}

#[test]
fn a_peer_that_asks_without_end_is_answered_up_to_a_bound_and_keeps_its_connection() {
    let mut desk = desk();
    desk.give(Input::Joined(peer(1)));
    let mut answered = 0;
    for number in 0..200 {
        let key = ShortKey([number; 16]);
        for from in [0, 4_096] {
            let request = Request::Sketch { key, part: Part::all(), from, count: 4_096 };
            let (response, effects) = desk.request(peer(1), request);
            answered += usize::from(response.is_some());
            assert!(!penalises(&effects));
        }
    }
    assert!(answered <= 9, "{answered}");
    assert!(desk.engine.reconcile.answerer_sessions() <= 1);
}
