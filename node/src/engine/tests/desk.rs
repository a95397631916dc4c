//! One engine by itself under a clock that the test moves; its signatures are checked on the spot, and
//! peers are whatever the test says they are.

use hearsay_chain::block::VerifiedBlock;
use hearsay_chain::store::MemoryStore;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{
    Chain, GenesisId, Keypair, Store, TxId, UnverifiedTx, Verdict, VerifiedTx, codec,
};
use hearsay_mempool::{Config, Pool};
use hearsay_network::choice::Strategy;
use hearsay_network::wire::{Request, Response};
use hearsay_network::{PeerId, RequestId, Ticket, Topic};

use super::sim::{SECOND, Sim, sender};
use crate::api::{Answer, Query, Refused, Submitted, TxStatus};
use crate::engine::{Copy, Effect, Engine, Input, Setup, Time, Token};

/// The engine and its world.
pub(super) struct Desk<S = MemoryStore> {
    pub(super) engine: Engine<S>,
    sim: Sim,
    now: u64,
    number: u64,
}

/// A peer by a number.
pub(super) fn peer(number: u8) -> PeerId {
    hearsay_network::peer_id(&[200 + number; 32])
}

impl Desk {
    pub(super) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(super) fn with(config: Config) -> Self {
        Self::set_up(MemoryStore::new, config, None)
    }

    /// One that hands on what is handed in.
    pub(super) fn forwarding(forward: Option<Strategy>) -> Self {
        Self::set_up(MemoryStore::new, Config::default(), forward)
    }
}

impl<S: Store> Desk<S> {
    /// One with a store of another kind.
    pub(super) fn over(store: impl FnOnce(GenesisId) -> S) -> Self {
        Self::set_up(store, Config::default(), None)
    }

    fn set_up(
        store: impl FnOnce(GenesisId) -> S,
        config: Config,
        forward: Option<Strategy>,
    ) -> Self {
        let sim = Sim::new(1, 1, 4);
        let chain = Chain::open(store(sim.genesis.id()), sim.genesis.clone()).unwrap();
        let setup = Setup {
            authority: None,
            pool: Pool::new(config).unwrap(),
            sync_peers: Strategy::default(),
            blocks: crate::engine::BlockForm::Full,
            reconcile: crate::engine::Reconciliation::none(),
            forward,
            seed: 1,
        };
        let engine = Engine::new(chain, setup, Time::default());
        Self { engine, sim, now: 20 * SECOND, number: 0 }
    }

    pub(super) fn now(&self) -> u64 {
        self.now
    }

    pub(super) fn time(&self) -> Time {
        Time { unix_us: self.sim.genesis.time_ms * 1_000 + self.now, mono_us: self.now }
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Hands an input in, and what comes of its checks.
    pub(super) fn give(&mut self, input: Input) -> Vec<Effect> {
        let (mut effects, now) = (Vec::new(), self.time());
        self.engine.handle(now, input, &mut effects).unwrap();
        let mut rest = Vec::new();
        for effect in effects {
            match effect {
                Effect::Check { job, work } => {
                    rest.extend(self.give(Input::Checked { job, done: work.run() }));
                }
                other => rest.push(other),
            }
        }
        self.engine.pool().check_invariants();
        rest
    }

    /// Lets time pass, with a tick every tenth of a second.
    pub(super) fn pass(&mut self, us: u64) -> Vec<Effect> {
        let (end, mut effects) = (self.now + us, Vec::new());
        while self.now < end {
            self.now = (self.now + SECOND / 10).min(end);
            effects.extend(self.give(Input::Tick));
        }
        effects
    }

    pub(super) fn transfer(&self, from: u8, nonce: u64, fee: u64) -> Transfer {
        Transfer { fee, ..self.sim.transfer(from, nonce) }
    }

    pub(super) fn tx(&self, from: u8, nonce: u64, fee: u64) -> UnverifiedTx {
        signed(self.transfer(from, nonce, fee), from)
    }

    pub(super) fn submit(&mut self, tx: UnverifiedTx) -> Result<Submitted, Refused> {
        let token = Token(self.next());
        let effects = self.give(Input::Submit { token, tx, via: None });
        let mut answers = effects.into_iter().filter_map(|effect| match effect {
            Effect::Submitted { token: of, result } if of == token => Some(result),
            _ => None,
        });
        answers.next().expect("an answer")
    }

    /// A transaction comes in by gossip from a peer, first as a copy.
    pub(super) fn gossip(&mut self, from: PeerId, tx: &UnverifiedTx) -> Vec<Effect> {
        let number = self.next() as u8;
        let data = codec::encode(tx.transaction());
        let at = self.time();
        let mut effects = self.give(Input::Copy(Copy {
            topic: Topic::Tx,
            id: tx.id().0,
            from,
            bytes: data.len() as u64,
            traffic: hearsay_network::Traffic::Eager,
            compact: false,
            message: [number; 20],
            at,
        }));
        let ticket = Ticket { message: [number; 20], from, route: hearsay_network::Route::Push };
        effects.extend(self.give(Input::Gossip { topic: Topic::Tx, data, ticket, at }));
        effects
    }

    /// A bundle comes in by gossipsub from a peer.
    pub(super) fn bundle(&mut self, from: PeerId, parts: &[Vec<u8>]) -> Vec<Effect> {
        let number = self.next() as u8;
        let (data, at) = (hearsay_network::bundle::of(parts), self.time());
        let route = hearsay_network::Route::Gossipsub;
        let ticket = Ticket { message: [number; 20], from, route };
        self.give(Input::Gossip { topic: Topic::Tx, data, ticket, at })
    }

    /// A peer sends a copy of a block that came from another.
    pub(super) fn copy_of_block(&mut self, id: hearsay_chain::BlockId, from: PeerId) {
        let at = self.time();
        self.give(Input::Copy(Copy {
            topic: Topic::Block,
            id: id.0,
            from,
            bytes: 1,
            traffic: hearsay_network::Traffic::Eager,
            compact: true,
            message: [1; 20],
            at,
        }));
    }

    /// A peer asks or tells; what is said to it, if anything, and what else is done.
    pub(super) fn request(
        &mut self,
        from: PeerId,
        request: Request,
    ) -> (Option<Response>, Vec<Effect>) {
        let token = Token(self.next());
        let mut effects = self.give(Input::Request { from, request, token });
        let said = effects
            .iter()
            .position(|effect| matches!(effect, Effect::Respond { token: of, .. } if *of == token));
        match said.map(|at| effects.remove(at)) {
            Some(Effect::Respond { response, .. }) => (Some(response), effects),
            _ => {
                let ignored = effects
                    .iter()
                    .any(|effect| matches!(effect, Effect::Ignore { token: of } if *of == token));
                assert!(ignored, "neither answered nor ignored: {effects:?}");
                (None, effects)
            }
        }
    }

    pub(super) fn ask(&mut self, query: Query) -> Answer {
        let token = Token(self.next());
        let effects = self.give(Input::Ask { token, query });
        let answers = effects.into_iter().filter_map(|effect| match effect {
            Effect::Answer { answer, .. } => Some(answer),
            _ => None,
        });
        let answers: Vec<Answer> = answers.collect();
        assert_eq!(answers.len(), 1);
        answers.into_iter().next().unwrap()
    }

    pub(super) fn status(&mut self, id: TxId) -> TxStatus {
        match self.ask(Query::Tx(id)) {
            Answer::Tx(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// A block on the tip with these transactions becomes the tip.
    pub(super) fn block(&mut self, transactions: &[UnverifiedTx]) -> Vec<Effect> {
        let tip = self.engine.chain().tip();
        let slot = tip.height + 1;
        let key = Keypair::from_seed(&[100 + (slot % 4) as u8; 32]);
        let verified = |tx: &UnverifiedTx| VerifiedTx::verify(tx.clone()).unwrap();
        let transactions = transactions.iter().map(verified).collect();
        let chain = self.sim.genesis.chain();
        let block = VerifiedBlock::propose(chain, (tip.id, tip.height), slot, transactions, &key);
        let data = hearsay_network::compact::BlockMessage::whole(&codec::encode(&block.to_block()));
        let number = self.next() as u8;
        let ticket =
            Ticket { message: [number; 20], from: peer(0), route: hearsay_network::Route::Push };
        let at = self.time();
        let effects = self.give(Input::Gossip { topic: Topic::Block, data, ticket, at });
        assert_eq!(self.engine.chain().tip().height, slot, "{effects:?}");
        effects
    }
}

pub(super) fn signed(transfer: Transfer, from: u8) -> UnverifiedTx {
    UnverifiedTx::from(transfer.sign(&sender(from)))
}

/// The questions to peers about transactions, and what is offered to them.
pub(super) fn asked(effects: &[Effect]) -> Vec<(PeerId, RequestId, Request)> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::Ask { request: Request::Standing(_), .. } => None,
        Effect::Ask { peer, id, request } => Some((*peer, *id, request.clone())),
        _ => None,
    });
    asked.collect()
}

pub(super) fn verdict(effects: &[Effect]) -> (Verdict, Option<&'static str>) {
    let judged: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Judge { verdict, reason, .. } => Some((*verdict, *reason)),
            _ => None,
        })
        .collect();
    assert_eq!(judged.len(), 1, "one verdict: {effects:?}");
    judged[0]
}

pub(super) fn penalises(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Ban { .. }))
}

pub(super) fn publishes(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Publish { .. })).count()
}
