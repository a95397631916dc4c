//! Catching up from peers of all kinds.

use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::store::MemoryStore;
use hearsay_chain::{Chain, Store};
use hearsay_network::choice::Strategy;
use proptest::prelude::{Just, ProptestConfig, any, prop, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as _;

use super::peers::{Kind, Lab, MS, SECOND, chain, extend, genesis};

const NONE: fn(u64) -> bool = |_| false;

fn empty() -> Chain<MemoryStore> {
    chain(0, NONE)
}

fn lab() -> Lab {
    Lab::new(Strategy::default(), empty())
}

/// As long as several round trips and all checks of a few hundred blocks take, and no failed peer
/// is waited for.
const SOON: u64 = 2 * SECOND;

#[test]
fn several_peers_give_bodies_at_once_and_each_block_is_fetched_once() {
    let full = chain(600, NONE);
    let mut lab = lab();
    for _ in 0..4 {
        lab.join(Kind::Honest, &full);
    }
    lab.run_to(full.tip().id, SOON);
    assert_eq!(lab.came.len(), 600);
    assert!(lab.came.values().all(|times| *times == 1), "something came twice");
    assert_eq!(lab.gave.len(), 4, "all of them gave something: {:?}", lab.gave);
    assert!(lab.tips < 100, "many blocks are stored as one change: {}", lab.tips);
    assert!(lab.penalised.is_empty());
}

#[test]
fn each_strategy_catches_up() {
    let full = chain(300, NONE);
    for strategy in [Strategy::Random, Strategy::RoundRobin, Strategy::Weighted] {
        let mut lab = Lab::new(strategy, empty());
        for _ in 0..3 {
            lab.join(Kind::Honest, &full);
        }
        lab.run_to(full.tip().id, SOON);
        assert_eq!(lab.gave.len(), 3, "{strategy:?}: {:?}", lab.gave);
    }
}

#[test]
fn four_peers_are_faster_than_one() {
    let full = chain(1_200, NONE);
    let time = |count| {
        let mut lab = lab();
        for _ in 0..count {
            lab.join(Kind::Slow(300 * MS), &full);
        }
        lab.run_to(full.tip().id, 60 * SECOND)
    };
    let (one, four) = (time(1), time(4));
    assert!(one > 3 * four, "one took {one} us, four took {four} us");
}

#[test]
fn a_slow_peer_gives_less_and_what_it_holds_up_is_stolen() {
    let full = chain(600, NONE);
    let mut lab = lab();
    let slow = lab.join(Kind::Slow(3 * SECOND), &full);
    for _ in 0..2 {
        lab.join(Kind::Honest, &full);
    }
    // The slow one may be the guide, so one of its answers may have to be waited for.
    lab.run_to(full.tip().id, 6 * SECOND);
    assert!(lab.gave.get(&slow).copied().unwrap_or(0) < 100, "{:?}", lab.gave);
}

#[test]
fn liars_are_turned_away_and_hold_nothing_up() {
    for kind in [Kind::FalseBodies, Kind::FalseHeaders, Kind::Confused] {
        let full = chain(400, NONE);
        let mut lab = lab();
        let liars = [lab.join(kind, &full), lab.join(kind, &full)];
        lab.join(Kind::Honest, &full);
        lab.run_to(full.tip().id, SOON);
        let asked = liars.iter().filter(|liar| lab.penalised.contains(*liar)).count();
        assert!(asked >= 1, "{kind:?} was believed");
        assert!(lab.penalised.iter().all(|peer| liars.contains(peer)), "an honest one was blamed");
    }
}

#[test]
fn peers_that_claim_much_and_give_nothing_cost_seconds_at_most() {
    for kind in [Kind::Silent, Kind::Empty] {
        let full = chain(400, NONE);
        let mut lab = lab();
        for _ in 0..2 {
            lab.join(kind, &full);
        }
        lab.join(Kind::Honest, &full);
        // Five seconds for each silent guide.
        lab.run_to(full.tip().id, 12 * SECOND);
        assert!(lab.penalised.is_empty(), "saying nothing is no lie");
    }
}

#[test]
fn a_pruned_peer_is_asked_for_what_it_has_alone() {
    let full = chain(400, NONE);
    let mut lab = lab();
    let pruned = lab.join(Kind::Pruned(350), &full);
    lab.join(Kind::Honest, &full);
    lab.run_to(full.tip().id, SOON);
    assert!(lab.gave.get(&pruned).copied().unwrap_or(0) <= 50, "{:?}", lab.gave);
    assert!(lab.came.values().all(|times| *times == 1));
}

#[test]
fn with_pruned_peers_alone_a_new_node_waits_and_says_how_far_it_is() {
    let full = chain(400, NONE);
    let mut lab = lab();
    lab.join(Kind::Pruned(350), &full);
    lab.run_for(3 * SECOND);
    assert_eq!(lab.chain().ends().height, 0);
    lab.join(Kind::Honest, &full);
    lab.run_to(full.tip().id, 20 * SECOND);
}

#[test]
fn a_node_that_is_stopped_half_way_goes_on_where_it_was() {
    let full = chain(900, NONE);
    let mut lab = lab();
    for _ in 0..3 {
        lab.join(Kind::Honest, &full);
    }
    while lab.chain().ends().height < 300 {
        lab.run_for(5 * MS);
    }
    let stored = lab.chain().ends().height;
    assert!(stored < 900, "it was too fast for this test");
    let store = lab.chain().store().clone();
    lab.came.clear();
    lab.start(Strategy::default(), Chain::open(store, genesis()).unwrap());
    lab.run_to(full.tip().id, SOON);
    assert_eq!(lab.came.len() as u64, 900 - stored, "what was stored is not fetched again");
}

#[test]
fn a_longer_branch_from_far_below_takes_over_in_one_change() {
    // Two authorities build each branch, so neither is final.
    let ours = chain(150, |slot| slot % 4 >= 2);
    let theirs = chain(200, |slot| slot % 4 < 2);
    let mut lab = Lab::new(Strategy::default(), ours);
    lab.join(Kind::Honest, &theirs);
    lab.join(Kind::Honest, &theirs);
    lab.run_to(theirs.tip().id, SOON);
    assert_eq!(lab.deepest, 150);
    assert!(lab.came.values().all(|times| *times == 1));
}

#[test]
fn a_branch_that_is_no_better_costs_its_headers_and_no_bodies() {
    let ours = chain(150, |slot| slot % 4 >= 2);
    let theirs = chain(140, |slot| slot % 4 < 2);
    let tip = ours.tip();
    let mut lab = Lab::new(Strategy::default(), ours);
    // It boasts, so it is asked.
    lab.join(Kind::Slow(0), &theirs);
    lab.join(Kind::Empty, &theirs);
    lab.run_for(10 * SECOND);
    assert_eq!(lab.chain().tip(), tip);
    assert!(lab.came.is_empty());
}

#[test]
fn two_tips_of_one_height_end_as_one_though_no_block_follows() {
    let base = chain(20, |slot| slot % 4 >= 2);
    let fork = |skip: u64| {
        let mut branch = Chain::open(base.store().clone(), genesis()).unwrap();
        extend(&mut branch, 21, |slot| slot % 4 >= 2 || slot % 2 == skip);
        branch
    };
    let (a, b) = (fork(0), fork(1));
    assert_ne!(a.tip(), b.tip());
    let (better, worse) = if a.tip() > b.tip() { (a, b) } else { (b, a) };
    let mut lab = Lab::new(Strategy::default(), worse);
    lab.join(Kind::Honest, &better);
    lab.run_to(better.tip().id, SOON);
}

#[test]
fn a_peer_whose_branch_parts_below_our_final_block_is_left_alone() {
    let ours = chain(60, NONE);
    assert!(ours.ends().final_height > 50);
    let theirs = chain(200, |slot| slot % 4 >= 2);
    let tip = ours.tip();
    let mut lab = Lab::new(Strategy::default(), ours);
    lab.join(Kind::Honest, &theirs);
    lab.run_for(20 * SECOND);
    assert_eq!(lab.chain().tip(), tip);
    assert!(lab.came.is_empty(), "no body is fetched");
}

#[test]
fn headers_whose_last_body_nobody_has_do_not_end_catching_up() {
    let shared = chain(100, |slot| slot % 4 >= 2);
    let branch = |length, skip: fn(u64) -> bool| {
        let mut branch = Chain::open(shared.store().clone(), genesis()).unwrap();
        extend(&mut branch, length, skip);
        branch
    };
    let stale = branch(103, |slot| slot % 4 >= 2);
    let full = branch(120, |slot| slot % 4 < 2);
    let mut lab = lab();
    lab.join(Kind::Stump(100), &stale);
    lab.run_for(SECOND);
    assert!(lab.chain().ends().height <= 100);
    lab.join(Kind::Honest, &full);
    lab.run_to(full.tip().id, 20 * SECOND);
}

#[test]
fn a_guide_that_repeats_itself_is_left_for_another() {
    let full = chain(2_600, NONE);
    let mut lab = lab();
    for _ in 0..2 {
        lab.join(Kind::Replaying, &full);
    }
    lab.join(Kind::Honest, &full);
    lab.run_to(full.tip().id, 10 * SECOND);
}

#[test]
fn a_fork_of_several_pages_of_headers_is_healed_also_after_a_restart_in_the_middle() {
    let ours = chain(4_500, |slot| slot % 4 >= 2);
    let theirs = chain(4_600, |slot| slot % 4 < 2);
    let mut lab = Lab::new(Strategy::default(), ours);
    lab.join(Kind::Honest, &theirs);
    while lab.chain().store().side(0, u64::MAX).unwrap().len() < 2_200 {
        lab.run_for(20 * MS);
    }
    assert_eq!(lab.deepest, 0, "it was too fast for this test");
    let store = lab.chain().store().clone();
    lab.came.clear();
    lab.start(Strategy::default(), Chain::open(store, genesis()).unwrap());
    lab.run_to(theirs.tip().id, 20 * SECOND);
    assert_eq!(lab.deepest, 4_500);
    assert!(lab.came.len() <= 2_400, "{} blocks were fetched again", lab.came.len());
}

#[test]
fn a_guide_that_changes_its_branch_is_followed() {
    let base = chain(50, |slot| slot % 4 >= 2);
    let mut longer = Chain::open(base.store().clone(), genesis()).unwrap();
    extend(&mut longer, 80, |slot| slot % 4 < 2);
    let mut lab = lab();
    lab.join(Kind::Slow(200 * MS), &base);
    lab.run_for(300 * MS);
    lab.join(Kind::Honest, &longer);
    lab.run_to(longer.tip().id, 5 * SECOND);
}

#[test]
fn little_is_asked_for_at_once_and_progress_is_told() {
    let full = chain(3_000, NONE);
    let mut lab = lab();
    for _ in 0..4 {
        lab.join(Kind::Slow(700 * MS), &full);
    }
    lab.run_to(full.tip().id, 60 * SECOND);
    assert!(lab.most_open <= 8, "two for each peer: {}", lab.most_open);
    assert!(lab.told.len() >= 3, "{:?}", lab.told);
    assert!(lab.told.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{:?}", lab.told);
    for (height, headers, target) in &lab.told {
        assert!(height <= headers && headers <= target, "{:?}", lab.told);
    }
}

fn any_kind() -> impl proptest::strategy::Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Honest),
        (0u64..2_000).prop_map(|late| Kind::Slow(late * MS)),
        Just(Kind::Silent),
        Just(Kind::Empty),
        Just(Kind::FalseBodies),
        Just(Kind::FalseHeaders),
        Just(Kind::Confused),
        (0u64..200).prop_map(Kind::Pruned),
        (0u64..200).prop_map(Kind::Stump),
        Just(Kind::Replaying),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn one_honest_peer_is_enough_whatever_the_others_are(
        others in prop::collection::vec(any_kind(), 0..6),
        place in any::<prop::sample::Index>(),
        length in 1u64..250,
    ) {
        let full = chain(length, NONE);
        let mut lab = lab();
        let honest = place.index(others.len() + 1);
        for (number, kind) in others.iter().enumerate() {
            if number == honest {
                lab.join(Kind::Honest, &full);
            }
            lab.join(*kind, &full);
        }
        if honest == others.len() {
            lab.join(Kind::Honest, &full);
        }
        lab.run_to(full.tip().id, 60 * SECOND);
        let tip = lab.chain().tip();
        prop_assert_eq!(tip, Candidate { height: length, id: full.tip().id });
        prop_assert_eq!(lab.chain().store().ends().unwrap().unwrap().tip, tip.id);
    }
}
