//! Bytes and datagrams at random: nothing panics, and no member is lost for long.

use proptest::prelude::*;

use super::super::codec::{Claim, Standing, Word};
use super::super::envelope::{Body, Swim};
use super::super::identity::Id;
use super::super::rumour::{Leave, Rumour};
use super::hostile::{Liar, key};
use super::sim::{BORN, GENESIS, Sim, keypair, ms, secs};

fn body() -> impl Strategy<Value = Body> {
    let standing =
        prop_oneof![Just(Standing::Alive), Just(Standing::Suspect), Just(Standing::Down)];
    let id = (0usize..6, any::<u64>(), any::<bool>()).prop_map(|(number, generation, known)| Id {
        key: key(number),
        generation: if known { BORN } else { generation },
    });
    let claims = prop::collection::vec(
        (id.clone(), any::<u16>(), standing).prop_map(|(id, incarnation, standing)| Claim {
            id,
            incarnation,
            standing,
        }),
        0..20,
    );
    let word = (id, any::<u8>(), 0u8..7).prop_map(|(id, number, kind)| match kind {
        0 => Word::Ping(number),
        1 => Word::Ack(number),
        2 => Word::PingReq { target: id, number },
        3 => Word::IndirectPing { origin: id, number },
        4 => Word::IndirectAck { target: id, number },
        5 => Word::ForwardedAck { origin: id, number },
        _ => Word::Gossip,
    });
    let leave = (0usize..6)
        .prop_map(|n| Rumour::Leave(Leave::sign(&keypair(0), &GENESIS, super::hostile::id(n))));
    prop_oneof![
        (any::<bool>(), word, claims.clone(), prop::collection::vec(leave, 0..2)).prop_map(
            |(right, word, claims, rumours)| {
                let to = if right { BORN } else { 0 };
                Body::Swim(Swim { to, word, claims, rumours })
            }
        ),
        (any::<bool>(), claims).prop_map(|(answer, claims)| Body::List { answer, claims }),
        any::<u64>().prop_map(|nonce| Body::Hello { nonce, profile: None }),
        (any::<u64>(), any::<Option<u64>>()).prop_map(|(nonce, ask)| Body::HelloAck {
            nonce,
            ask,
            profile: None
        }),
        any::<[u8; 32]>().prop_map(Body::Digest),
        prop::collection::vec((0usize..9).prop_map(key), 0..30).prop_map(Body::Want),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(frames in prop::collection::vec(
        prop::collection::vec(any::<u8>(), 0..200), 1..30,
    ), kind in 0u8..4) {
        let mut sim = Sim::new(2, 1);
        sim.link(0, 1);
        sim.run(secs(3));
        for mut frame in frames {
            if let Some(first) = frame.first_mut() {
                *first = kind;
            }
            sim.transmit(0, 1, frame);
        }
        sim.run(secs(3));
        prop_assert!(sim.agrees());
    }

    #[test]
    fn no_signed_datagram_makes_it_panic_or_loses_a_member(
        bodies in prop::collection::vec(body(), 1..40), counter in any::<u64>(),
    ) {
        let mut sim = Sim::new(4, 2);
        (1..4).for_each(|node| sim.link(node - 1, node));
        sim.link(3, 0);
        sim.run(secs(5));
        let mut liar = Liar { counter: counter >> 1 };
        for body in bodies {
            liar.send(&mut sim, 1, body);
            sim.run(ms(200));
        }
        sim.run(secs(20));
        let missing = |n: usize| sim.alive_with(n).len();
        prop_assert!((1..4).all(|node| missing(node) >= 2));
    }
}
