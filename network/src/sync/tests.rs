use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::genesis::{Genesis, Limits, Rules, Schedule};
use hearsay_chain::{BlockId, Keypair, SignedHeader, VerifiedBlock};
use libp2p::PeerId;

use super::*;
use crate::choice::{Chooser, Strategy};
use crate::event::RequestId;
use crate::wire::{MAX_HEADERS, Standing};

fn rules() -> Rules {
    Rules::new(Genesis {
        name: "plan".to_owned(),
        time_ms: 0,
        slot_ms: 1_000,
        schedule: Schedule::RoundRobin,
        authorities: vec![Keypair::from_seed(&[1; 32]).public()],
        limits: Limits::default(),
        allocations: [].into(),
    })
}

fn blocks(count: u64) -> Vec<VerifiedBlock> {
    let rules = rules();
    let key = Keypair::from_seed(&[1; 32]);
    let mut parent = (rules.genesis().block().id(), 0);
    (1..=count)
        .map(|slot| {
            let block = VerifiedBlock::propose(rules.chain(), parent, slot, vec![], &key);
            parent = (block.id(), block.height());
            block
        })
        .collect()
}

fn headers(blocks: &[VerifiedBlock]) -> Vec<SignedHeader> {
    let headers = blocks.iter().map(|block| block.header().clone()).collect();
    let (signed, fault) = SignedHeader::verify_all(&rules(), headers);
    assert_eq!(fault, None);
    signed
}

fn plan(blocks: &[VerifiedBlock]) -> Plan {
    let mut plan = Plan::new(Candidate { height: 0, id: rules().genesis().block().id() });
    plan.extend(headers(blocks));
    plan
}

fn peer(number: u8) -> PeerId {
    crate::peer_id(&[number; 32])
}

fn everything(_: u64) -> bool {
    true
}

/// Asks a peer for the next chunk at a moment.
fn ask(plan: &mut Plan, number: u8, request: u64, now: u64, overdue: u64) -> Option<Ask> {
    let ask = plan.next_for(peer(number), everything, overdue)?;
    plan.asked(ask.first, RequestId(request), peer(number), now);
    Some(ask)
}

fn give(plan: &mut Plan, blocks: &[VerifiedBlock], first: u64, request: u64, count: usize) {
    let at = first as usize - 1;
    let bodies = blocks[at..at + count].iter().map(VerifiedBlock::encode_body).collect();
    let parts = plan.arrived(first, RequestId(request), bodies).expect("somebody waits");
    let (verified, fault) = hearsay_chain::signed::verify_bodies(&rules(), parts);
    assert_eq!(fault, None);
    plan.ready(first, verified);
}

#[test]
fn chunks_that_come_in_any_order_leave_in_the_order_of_heights() {
    let blocks = blocks(50);
    let mut plan = plan(&blocks);
    let asks: Vec<Ask> =
        (0..4).map(|number| ask(&mut plan, number, u64::from(number), 0, 0).unwrap()).collect();
    assert_eq!(asks.iter().map(|ask| ask.first).collect::<Vec<_>>(), [1, 17, 33, 49]);
    assert_eq!(asks[3].ids.len(), 2);
    for (number, ask) in asks.iter().enumerate().rev() {
        assert!(plan.take_ready(100).is_empty(), "the lowest is not there yet");
        give(&mut plan, &blocks, ask.first, number as u64, ask.ids.len());
    }
    assert_eq!(plan.take_ready(20).len(), 32, "whole chunks, no fewer than asked");
    assert_eq!(plan.base().height, 32);
    assert_eq!(plan.take_ready(100).last().unwrap().id(), blocks[49].id());
    assert!(plan.is_empty());
}

#[test]
fn an_answer_that_is_cut_short_leaves_the_rest_to_be_asked_for() {
    let blocks = blocks(20);
    let mut plan = plan(&blocks);
    ask(&mut plan, 1, 1, 0, 0).unwrap();
    give(&mut plan, &blocks, 1, 1, 5);
    assert_eq!(plan.take_ready(100).len(), 5);
    let next = ask(&mut plan, 1, 2, 0, 0).unwrap();
    assert_eq!((next.first, next.ids.len(), next.ids[0]), (6, 11, blocks[5].id()));
}

#[test]
fn an_idle_peer_steals_a_chunk_that_is_overdue_and_the_first_answer_counts() {
    let blocks = blocks(10);
    let mut plan = plan(&blocks);
    ask(&mut plan, 1, 1, 100, 0).unwrap();
    assert_eq!(plan.next_for(peer(2), everything, 99), None, "it is not overdue yet");
    assert_eq!(plan.next_for(peer(1), everything, 100), None, "nobody steals from itself");
    let stolen = ask(&mut plan, 2, 2, 150, 100).unwrap();
    assert!(stolen.stolen);
    assert_eq!(plan.next_for(peer(3), everything, 900), None, "two are enough");
    give(&mut plan, &blocks, 1, 2, 10);
    let late = blocks.iter().map(VerifiedBlock::encode_body).collect();
    assert_eq!(plan.arrived(1, RequestId(1), late), None);
    assert_eq!(plan.take_ready(100).len(), 10);
}

#[test]
fn what_a_peer_fails_to_give_is_wanted_again() {
    let blocks = blocks(40);
    let mut plan = plan(&blocks);
    ask(&mut plan, 1, 1, 0, 0).unwrap();
    ask(&mut plan, 2, 2, 5, 0).unwrap();
    assert_eq!(plan.overdue(3), [(1, RequestId(1), peer(1))]);
    plan.failed(1, RequestId(1));
    plan.forget_peer(peer(2));
    assert_eq!(plan.overdue(9), []);
    assert_eq!(ask(&mut plan, 3, 3, 9, 0).unwrap().first, 1);
    assert_eq!(ask(&mut plan, 3, 4, 9, 0).unwrap().first, 17);
    let bodies = vec![vec![0; 9]; 16];
    assert!(plan.arrived(1, RequestId(3), bodies).is_some());
    plan.unready(1);
    assert_eq!(ask(&mut plan, 3, 5, 9, 0).unwrap().first, 1, "false bodies are asked for again");
}

#[test]
fn nobody_is_asked_for_what_it_does_not_have() {
    let blocks = blocks(40);
    let plan = plan(&blocks);
    assert_eq!(plan.next_for(peer(1), |height| height > 16, 0).unwrap().first, 17);
    assert_eq!(plan.next_for(peer(1), |height| height < 10, 0), None);
}

#[test]
fn bodies_are_fetched_a_window_ahead_and_no_further() {
    let blocks = blocks(2_000);
    let mut plan = plan(&blocks);
    let mut asked = 0;
    while ask(&mut plan, 1, asked, 0, 0).is_some() {
        asked += 1;
    }
    // 24 MiB at 1 MiB a chunk that is asked for.
    assert_eq!(asked, 24);
    assert_eq!(plan.len(), 2_000);
}

#[test]
fn another_branch_takes_the_place_of_headers_above_the_fork() {
    let blocks = blocks(40);
    let mut plan = plan(&blocks);
    assert_eq!(plan.header_at(20).unwrap().id(), blocks[19].id());
    assert_eq!(plan.header_at(41), None);
    assert_eq!(plan.locator()[..3], [blocks[39].id(), blocks[38].id(), blocks[36].id()]);
    assert_eq!(plan.locator().last(), Some(&plan.base().id));
    plan.truncate(20);
    assert_eq!(plan.end(), Candidate { height: 20, id: blocks[19].id() });
    plan.extend(headers(&blocks[20..30]));
    assert_eq!(plan.len(), 30);
    plan.truncate(0);
    assert!(plan.is_empty());
    assert_eq!(plan.end(), plan.base());
}

fn standing(height: u64, id: u8, first_body: u64) -> Standing {
    Standing { genesis: rules().id(), tip: BlockId([id; 32]), height, final_height: 0, first_body }
}

#[test]
fn peers_that_are_ahead_rested_and_free_are_chosen() {
    let mut peers = Peers::new(Chooser::new(Strategy::RoundRobin, 1));
    for number in 1..=3 {
        peers.joined(peer(number));
    }
    let tip = Candidate { height: 5, id: BlockId([5; 32]) };
    assert!(!peers.any_stands());
    peers.stands(&peer(1), &standing(5, 9, 1));
    assert_eq!(peers.choose_ahead(tip, 0), None, "a larger id at the same height is no better");
    peers.stands(&peer(2), &standing(5, 1, 1));
    assert_eq!(peers.choose_ahead(tip, 0), Some(peer(2)), "a smaller one is");
    peers.failed(&peer(2), 0, 10, 100);
    assert_eq!(peers.choose_ahead(tip, 5), None);
    assert_eq!(peers.choose_ahead(tip, 10), Some(peer(2)));
    peers.exhausted(&peer(2), tip);
    assert_eq!(peers.choose_ahead(tip, 10), None);
    for _ in 0..2 {
        assert_eq!(peers.choose_free(10, |who, _, _| who == peer(2)), Some(peer(2)));
        peers.opened(&peer(2));
    }
    assert_eq!(peers.choose_free(10, |who, _, _| who == peer(2)), None);
    peers.closed(&peer(2));
    assert_eq!(peers.choose_free(10, |who, _, _| who == peer(2)), Some(peer(2)));
}

#[test]
fn a_peer_that_asks_for_headers_without_end_is_given_a_few_pages_a_second() {
    let mut peers = Peers::new(Chooser::new(Strategy::Random, 1));
    assert!(!peers.may_ask_headers(&peer(1), 1, 0), "it is not known");
    peers.joined(peer(1));
    let given = |peers: &mut Peers, from: u64| {
        (0..1_000)
            .filter(|n| peers.may_ask_headers(&peer(1), MAX_HEADERS, from + n * 1_000))
            .count()
    };
    assert_eq!(given(&mut peers, 0), 41);
    assert_eq!(given(&mut peers, 1_000_000), 2);
    assert_eq!(given(&mut peers, 60_000_000), 41, "rest fills it up again");
}

#[test]
fn a_fast_and_idle_peer_is_chosen_more_often_than_a_slow_or_busy_one() {
    let mut peers = Peers::new(Chooser::new(Strategy::Weighted, 1));
    for number in 1..=2 {
        peers.joined(peer(number));
        for _ in 0..40 {
            peers.gave(&peer(number), 1_000_000, if number == 1 { 100_000 } else { 1_000_000 });
        }
    }
    let choose = |peers: &mut Peers| {
        let all = (0..1_000).map(|_| peers.choose_free(0, |_, _, _| true).unwrap());
        all.filter(|chosen| *chosen == peer(1)).count()
    };
    let idle = choose(&mut peers);
    assert!((860..960).contains(&idle), "ten to one: {idle}");
    peers.opened(&peer(1));
    let busy = choose(&mut peers);
    assert!((790..880).contains(&busy), "five to one: {busy}");
}

#[test]
fn a_peer_that_asks_for_bodies_without_end_is_given_so_many_bytes_a_second() {
    const MIB: usize = 1 << 20;
    let mut peers = Peers::new(Chooser::new(Strategy::Random, 1));
    assert!(!peers.may_ask_bodies(&peer(1), 1, 0), "it is not known");
    peers.joined(peer(1));
    let given = |peers: &mut Peers, from: u64| {
        let one = |n: &u64| {
            let now = from + n * 1_000;
            peers.may_ask_bodies(&peer(1), 1, now) && peers.may_have_bodies(&peer(1), MIB, now)
        };
        (0..1_000).filter(one).count()
    };
    let at_once = given(&mut peers, 0);
    assert!((90..=96).contains(&at_once), "64 at once, and 32 in the second: {at_once}");
    let more = given(&mut peers, 1_000_000);
    assert!((20..=32).contains(&more), "{more}");
}

#[test]
fn a_peer_that_asks_where_a_node_stands_without_end_is_told_a_few_times_a_second() {
    let mut peers = Peers::new(Chooser::new(Strategy::Random, 1));
    peers.joined(peer(1));
    let told = |peers: &mut Peers, who: u8| {
        (0..1_000).filter(|n| peers.may_ask_standing(&peer(who), n * 1_000)).count()
    };
    assert_eq!(told(&mut peers, 1), 35);
    let strangers = told(&mut peers, 2);
    assert!((140..=144).contains(&strangers), "one that is not known yet shares: {strangers}");
    assert!(told(&mut peers, 3) < 20);
}
