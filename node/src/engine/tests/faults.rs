//! What an engine says to messages that are wrong, stale, early or known.

use hearsay_chain::Chain;
use hearsay_chain::store::MemoryStore;
use hearsay_chain::{Block, BlockId, Keypair, UnverifiedTx, Verdict, VerifiedBlock, codec};
use hearsay_network::wire::{Request, Standing};
use hearsay_network::{PeerId, PublishFailure, Ticket, Topic};

use super::sim::{SECOND, Sim, sender};
use crate::api::Refused;
use crate::engine::{Effect, Engine, Input, Setup, Time, Token};

/// One engine by itself, its signatures checked on the spot.
struct Lone {
    sim: Sim,
    engine: Engine<MemoryStore>,
    peer: PeerId,
    messages: u8,
}

const NOW: Time = Time { unix_us: 1_790_000_000_000_000 + 20_200_000, mono_us: 20_200_000 };

impl Lone {
    fn new() -> Self {
        let sim = Sim::new(1, 1, 4);
        let store = MemoryStore::new(sim.genesis.id());
        let chain = Chain::open(store, sim.genesis.clone()).unwrap();
        let setup = Setup {
            authority: None,
            pool: hearsay_mempool::Pool::new(hearsay_mempool::Config::default()).unwrap(),
            sync_peers: hearsay_network::choice::Strategy::default(),
            blocks: crate::engine::BlockForm::Full,
            reconcile: crate::engine::Reconciliation::none(),
            forward: None,
            seed: 1,
        };
        let peer = hearsay_network::peer_id(&[9; 32]);
        Self { sim, engine: Engine::new(chain, setup, Time::default()), peer, messages: 0 }
    }

    fn handle(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.engine.handle(NOW, input, &mut effects).unwrap();
        let (checks, mut rest): (Vec<_>, Vec<_>) =
            effects.into_iter().partition(|effect| matches!(effect, Effect::Check { .. }));
        for check in checks {
            if let Effect::Check { job, work } = check {
                rest.extend(self.handle(Input::Checked { job, done: work.run() }));
            }
        }
        rest
    }

    fn gossip(&mut self, topic: Topic, data: Vec<u8>) -> (Verdict, Option<&'static str>) {
        self.messages += 1;
        let ticket = Ticket {
            message: [self.messages; 20],
            from: self.peer,
            route: hearsay_network::Route::Push,
        };
        let effects = self.handle(Input::Gossip { topic, data, ticket, at: NOW });
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

    fn tx(&self, nonce: u64) -> Vec<u8> {
        codec::encode(&self.sim.transfer(0, nonce).sign(&sender(0)))
    }

    /// A block of the authority whose slot it is.
    fn block(&self, slot: u64) -> Block {
        let key = Keypair::from_seed(&[100 + (slot % 4) as u8; 32]);
        let genesis = &self.sim.genesis;
        let parent = (genesis.block().id(), 0);
        VerifiedBlock::propose(genesis.chain(), parent, slot, vec![], &key).to_block()
    }
}

#[test]
fn garbage_trailing_bytes_and_bad_signatures_are_rejected() {
    let mut lone = Lone::new();
    assert_eq!(lone.gossip(Topic::Tx, vec![1, 2, 3]), (Verdict::Reject, Some("malformed")));
    let mut trailing = lone.tx(0);
    trailing.push(0);
    assert_eq!(lone.gossip(Topic::Tx, trailing), (Verdict::Reject, Some("malformed")));
    let mut forged = lone.tx(0);
    let last = forged.len() - 1;
    forged[last - 40] ^= 1;
    assert_eq!(lone.gossip(Topic::Tx, forged), (Verdict::Reject, Some("bad-signature")));
    assert_eq!(lone.gossip(Topic::Tx, vec![0; 1 << 20]), (Verdict::Reject, Some("too-large")));
    assert_eq!(lone.gossip(Topic::Block, vec![7; 300]).0, Verdict::Reject);
    assert_eq!(lone.gossip(Topic::Block, vec![]).0, Verdict::Reject);
}

#[test]
fn a_transaction_of_another_network_is_rejected() {
    let mut lone = Lone::new();
    let mut transfer = lone.sim.transfer(0, 0);
    transfer.chain.0[0] ^= 1;
    let data = codec::encode(&transfer.sign(&sender(0)));
    assert_eq!(lone.gossip(Topic::Tx, data), (Verdict::Reject, Some("wrong-chain")));
}

#[test]
fn a_known_a_stale_and_a_poor_transaction_are_ignored() {
    let mut lone = Lone::new();
    let tx = lone.tx(0);
    assert_eq!(lone.gossip(Topic::Tx, tx.clone()), (Verdict::Accept, None));
    assert_eq!(lone.gossip(Topic::Tx, tx).0, Verdict::Ignore);
    let mut poor = lone.sim.transfer(1, 0);
    poor.amount = 1 << 40;
    let poor = codec::encode(&poor.sign(&sender(1)));
    assert_eq!(lone.gossip(Topic::Tx, poor).0, Verdict::Ignore);
    let mut expired = lone.sim.transfer(2, 0);
    expired.expiry = Some(0);
    let expired = codec::encode(&expired.sign(&sender(2)));
    assert_eq!(lone.gossip(Topic::Tx, expired).0, Verdict::Ignore);
}

#[test]
fn blocks_are_judged_by_slot_signature_parent_and_clock() {
    let mut lone = Lone::new();
    let good = lone.block(5);
    let mut forged = good.clone();
    forged.header.signature.0[3] ^= 1;
    let mut thief = good.clone();
    thief.header.fields.slot = 6;
    let mut other_root = good.clone();
    other_root.header.fields.tx_root[0] ^= 1;
    let mut orphan = lone.block(9).header.fields;
    orphan.parent.0[0] ^= 1;
    let orphan =
        Block { header: orphan.sign(&Keypair::from_seed(&[101; 32])), transactions: vec![] };
    let early = lone.block(100);
    let cases = [
        (forged, Verdict::Reject, Some("bad-signature")),
        (thief, Verdict::Reject, Some("not-its-slot")),
        (other_root, Verdict::Reject, Some("wrong-root")),
        (orphan, Verdict::Ignore, Some("orphan")),
        (early, Verdict::Ignore, Some("early")),
        (good.clone(), Verdict::Accept, None),
        (good, Verdict::Ignore, Some("known")),
    ];
    for (block, verdict, reason) in cases {
        assert_eq!(
            lone.gossip(
                Topic::Block,
                hearsay_network::compact::BlockMessage::whole(&codec::encode(&block))
            ),
            (verdict, reason)
        );
    }
}

#[test]
fn a_transaction_handed_in_twice_is_answered_twice_and_published_once() {
    let mut lone = Lone::new();
    let tx = UnverifiedTx::decode(&lone.tx(0)).unwrap();
    let first = lone.handle(Input::Submit { token: Token(1), tx: tx.clone(), via: None });
    let second = lone.handle(Input::Submit { token: Token(2), tx, via: None });
    let published = |effects: &[Effect]| {
        effects.iter().filter(|effect| matches!(effect, Effect::Publish { .. })).count()
    };
    let answered = |effects: &[Effect]| {
        effects.iter().any(|effect| matches!(effect, Effect::Submitted { result: Ok(_), .. }))
    };
    assert_eq!((published(&first), published(&second)), (1, 0));
    assert!(answered(&first) && answered(&second));
}

#[test]
fn a_submission_with_a_bad_signature_is_answered_as_invalid_and_never_published() {
    let mut lone = Lone::new();
    let tx = UnverifiedTx::from(lone.sim.transfer(0, 0).sign(&sender(1)));
    let effects = lone.handle(Input::Submit { token: Token(1), tx, via: None });
    match effects.as_slice() {
        [Effect::Submitted { result: Err(Refused { invalid: true, reason, .. }), .. }] => {
            assert_eq!(reason, "bad-signature");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_found_no_peer_is_published_again_when_one_listens() {
    let mut lone = Lone::new();
    let data = lone.tx(0);
    let tx = UnverifiedTx::decode(&data).unwrap();
    let (topic, id) = (Topic::Tx, tx.id().0);
    lone.handle(Input::Submit { token: Token(1), tx, via: None });
    let failure = Some(PublishFailure::NoPeers);
    lone.handle(Input::Published { topic, id, failure });
    let again = lone.handle(Input::Listening(lone.peer));
    match again.as_slice() {
        [Effect::Publish { topic: Topic::Tx, data: sent, .. }] => assert_eq!(*sent, data),
        other => panic!("{other:?}"),
    }
    lone.handle(Input::Published { topic, id, failure: None });
    assert!(lone.handle(Input::Listening(lone.peer)).is_empty());
}

#[test]
fn a_block_of_pooled_transactions_needs_one_signature_check() {
    let mut sim = Sim::new(1, 1, 1);
    sim.load(5, 1_000);
    // Signatures are checked on submission; the block is this node's own.
    sim.run_until(5 * SECOND + 500_000);
    assert_eq!(sim.included(0), 5);
    let mut lone = Lone::new();
    let transactions: Vec<Vec<u8>> = (0..3).map(|nonce| lone.tx(nonce)).collect();
    for data in &transactions {
        assert_eq!(lone.gossip(Topic::Tx, data.clone()).0, Verdict::Accept);
    }
    let verified = transactions
        .iter()
        .map(|data| {
            let id = UnverifiedTx::decode(data).unwrap().id();
            lone.engine.pool().get(&id).cloned().unwrap()
        })
        .collect();
    let genesis = lone.sim.genesis.clone();
    let key = Keypair::from_seed(&[101; 32]);
    let parent = (genesis.block().id(), 0);
    let block = VerifiedBlock::propose(genesis.chain(), parent, 5, verified, &key).to_block();
    let ticket = Ticket { message: [99; 20], from: lone.peer, route: hearsay_network::Route::Push };
    let mut effects = Vec::new();
    let data = hearsay_network::compact::BlockMessage::whole(&codec::encode(&block));
    let input = Input::Gossip { topic: Topic::Block, data, ticket, at: NOW };
    lone.engine.handle(NOW, input, &mut effects).unwrap();
    match effects.as_slice() {
        [Effect::Check { work, .. }] => assert_eq!(work.signatures(), 1),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_peer_that_claims_a_great_height_and_gives_nothing_does_not_keep_a_node_from_proposing() {
    let mut sim = Sim::new(1, 1, 1);
    let liar = hearsay_network::peer_id(&[77; 32]);
    sim.input(0, Input::Joined(liar));
    let standing = Standing {
        genesis: sim.genesis.id(),
        tip: BlockId([9; 32]),
        height: u64::MAX,
        final_height: 0,
        first_body: 1,
    };
    // It says so again and again.
    for tenth in 1..=120 {
        let request = Request::Standing(standing);
        sim.input(0, Input::Request { from: liar, request, token: Token(u64::MAX - tenth) });
        sim.run_until(tenth * SECOND / 10);
    }
    assert!(sim.tips()[0].height >= 6, "{:?}", sim.tips());
}
