//! Lists of members: deaths, leaves, returns, joins, heals, mistakes, cost.

use hearsay_node::trace::event::{
    Event, Kind::Block, Kind::Tx, MemberCause, MemberChange, MemberState, Via,
};

use super::super::testing::EPOCH_US;
use super::*;

/// A second.
const S: i64 = 1_000_000;

/// Adds a line of `node`'s list: `generation` is any number that rises with each start.
fn says(
    lab: &mut Lab,
    node: &str,
    us: i64,
    (about, change, state): (&str, MemberChange, MemberState),
    generation: u64,
) {
    let cause = (state == MemberState::Down).then_some(MemberCause::Probe);
    let event = Event::Member {
        peer: peer(about),
        name: about.to_owned(),
        change,
        state,
        cause,
        mistaken: None,
        generation,
        incarnation: 0,
    };
    lab.event(node, us, event);
}

fn joined(lab: &mut Lab, node: &str, us: i64, about: &str, generation: u64) {
    says(lab, node, us, (about, MemberChange::Joined, MemberState::Alive), generation);
}

fn down(lab: &mut Lab, node: &str, us: i64, about: &str, generation: u64) {
    says(lab, node, us, (about, MemberChange::Down, MemberState::Down), generation);
}

fn renewed(lab: &mut Lab, node: &str, us: i64, about: &str, generation: u64) {
    says(lab, node, us, (about, MemberChange::Renewed, MemberState::Alive), generation);
}

/// So many nodes from 0 to 60 s that know each other from 100 ms on.
fn network(nodes: usize) -> Lab {
    let mut lab = Lab::default();
    for node in (0..nodes).map(|node| format!("n{node}")) {
        lab.start(&node, 0).stop(&node, 60 * S);
        for about in (0..nodes).map(|about| format!("n{about}")).filter(|about| *about != node) {
            joined(&mut lab, &node, S / 10, &about, 1);
        }
    }
    lab
}

/// A manifest of actions, and of whatever else is given.
fn done(lab: &mut Lab, actions: &[(i64, &str, &str)], more: &str) {
    let actions = actions.iter().map(|(us, what, node)| {
        let at = EPOCH_US + us;
        format!(r#"{{"at_us":{at},"what":"{what} {node}","nodes":["{node}"]}}"#)
    });
    let actions = actions.collect::<Vec<_>>().join(",");
    lab.manifest(&format!(r#"{{"actions":[{actions}]{more}}}"#));
}

fn members(lab: &Lab) -> Members {
    lab.report().members.expect("the nodes log their lists")
}

#[test]
fn without_lists_there_is_no_such_part_and_an_older_report_reads() {
    let report = Lab::new(2).report();
    assert_eq!(report.members, None);
    let mut json = serde_json::to_value(&report).expect("it serialises");
    json.as_object_mut().expect("an object").remove("members");
    let read: Report = serde_json::from_value(json).expect("it reads");
    assert_eq!(read.members, None);
}

#[test]
fn a_death_is_detected_by_the_first_and_known_by_all_with_the_last() {
    let mut lab = network(4);
    lab.kill("n3", 10 * S).wire("n3", 9_900_000, 1);
    down(&mut lab, "n1", 12 * S, "n3", 1);
    down(&mut lab, "n0", 12_300_000, "n3", 1);
    down(&mut lab, "n2", 12_500_000, "n3", 1);
    done(&mut lab, &[(10 * S, "kill", "n3")], "");
    let found = members(&lab);
    assert_eq!((found.deaths, found.undetected, found.unaware), (1, 0, 0));
    assert_eq!((found.detected_ms.p50, found.detected_ms.max), (Some(2000.0), Some(2000.0)));
    assert_eq!(found.all_know_ms.p99, Some(500.0));
    let end = &found.ends[0];
    assert_eq!((&*end.node, end.at_us, end.why), ("n3", EPOCH_US + 10 * S, Why::Killed));
    assert_eq!((end.by.as_deref(), end.cause), (Some("n1"), Some(MemberCause::Probe)));
    assert_eq!((end.aware, end.unaware, end.back_us), (3, 0, None));
    assert_eq!((found.leaves, found.returns, found.false_positives), (0, 0, 0));
}

#[test]
fn deaths_at_one_moment_are_deaths_each_and_the_dead_need_not_know() {
    let mut lab = network(4);
    for node in ["n2", "n3"] {
        lab.kill(node, 10 * S).wire(node, 9_900_000, 1);
        down(&mut lab, "n0", 12 * S, node, 1);
    }
    down(&mut lab, "n1", 12_100_000, "n3", 1);
    done(&mut lab, &[(10 * S, "kill", "n2"), (10 * S, "kill", "n3")], "");
    let found = members(&lab);
    assert_eq!((found.deaths, found.undetected), (2, 0));
    // n1 never knew of n2, so that its time until all knew counts nowhere.
    assert_eq!((found.unaware, found.all_know_ms.max), (1, Some(100.0)));
    assert_eq!(found.ends[0].all_know_ms, None);
}

#[test]
fn a_death_that_nobody_noticed_before_the_node_was_back_is_undetected() {
    let mut lab = network(3);
    lab.kill("n2", 10 * S).wire("n2", 9_900_000, 1).start("n2", 14 * S).stop("n2", 60 * S);
    // Too late: it is back, and it is the earlier one that is meant.
    down(&mut lab, "n0", 15 * S, "n2", 1);
    renewed(&mut lab, "n0", 16 * S, "n2", 2);
    renewed(&mut lab, "n1", 15_500_000, "n2", 2);
    done(&mut lab, &[(10 * S, "kill", "n2"), (14 * S, "start", "n2")], "");
    let found = members(&lab);
    assert_eq!((found.deaths, found.undetected, found.unaware), (1, 1, 2));
    assert_eq!((found.detected_ms.p50, found.all_know_ms.p50), (None, None));
    assert_eq!(found.false_positives, 0, "it was dead when it was of that life");
    assert_eq!((found.returns, found.unreturned, found.returned_ms.p99), (1, 0, Some(2000.0)));
    assert_eq!(found.ends[0].returned_ms, Some(2000.0));
}

#[test]
fn a_return_that_one_never_learned_of_is_told() {
    let mut lab = network(3);
    lab.kill("n2", 10 * S).wire("n2", 9_900_000, 1).start("n2", 30 * S).stop("n2", 60 * S);
    down(&mut lab, "n0", 12 * S, "n2", 1);
    down(&mut lab, "n1", 12 * S, "n2", 1);
    renewed(&mut lab, "n0", 31 * S, "n2", 2);
    done(&mut lab, &[(10 * S, "kill", "n2"), (30 * S, "start", "n2")], "");
    let found = members(&lab);
    assert_eq!((found.returns, found.unreturned, found.returned_ms.p50), (1, 1, None));
    renewed(&mut lab, "n1", 30_500_000, "n2", 2);
    assert_eq!(members(&lab).returned_ms.p50, Some(1000.0));
}

#[test]
fn who_goes_before_it_knew_is_expected_nowhere() {
    let mut lab = network(4);
    lab.kill("n3", 10 * S).wire("n3", 9_900_000, 1);
    // Killed a second later, when it could not know yet.
    lab.kill("n2", 11 * S).wire("n2", 10_900_000, 1);
    for node in ["n0", "n1"] {
        down(&mut lab, node, 12 * S, "n3", 1);
        down(&mut lab, node, 13 * S, "n2", 1);
    }
    done(&mut lab, &[(10 * S, "kill", "n3"), (11 * S, "kill", "n2")], "");
    let found = members(&lab);
    assert_eq!((found.deaths, found.unaware), (2, 0));
    assert_eq!((found.ends[0].aware, found.ends[1].aware), (2, 2));
    assert_eq!(found.all_know_ms.max, Some(0.0));
}

#[test]
fn a_log_cut_off_by_a_kill_dates_the_death_where_the_manifest_does_not() {
    let mut lab = network(3);
    lab.kill("n2", 10 * S).wire("n2", 9_500_000, 1);
    lab.raw("n2", 9_600_000, r#"{"t":"2026-01-01T00:00:09"#);
    down(&mut lab, "n0", 12 * S, "n2", 1);
    down(&mut lab, "n1", 12 * S, "n2", 1);
    let found = members(&lab);
    assert_eq!((found.deaths, found.detected_ms.p50), (1, Some(2500.0)));
}

#[test]
fn a_leave_is_no_death_and_the_end_of_the_run_is_neither() {
    let mut lab = network(3);
    lab.kill("n2", 20 * S).stop("n2", 20 * S);
    for (node, at) in [("n0", 20_050_000), ("n1", 20_150_000)] {
        down(&mut lab, node, at, "n2", 1);
    }
    // They all stop now: n0 told n1.
    lab.kill("n1", 60 * S).stop("n1", 61 * S);
    down(&mut lab, "n1", 60_100_000, "n0", 1);
    done(&mut lab, &[(20_200_000, "leave", "n2")], "");
    let found = members(&lab);
    assert_eq!((found.deaths, found.leaves, found.left_unaware), (0, 1, 0));
    assert_eq!(found.left_detected_ms.p50, Some(50.0));
    assert_eq!(found.left_all_know_ms.p99, Some(100.0));
    assert_eq!(found.false_positives, 0);
    assert_eq!(found.ends[0].why, Why::Left);
}

/// n2 was held still from 10 s to `until`, in seconds.
fn held_still(until: i64) -> String {
    let [from, until] = [10, until].map(|s| EPOCH_US + s * S);
    format!(r#","pauses":[{{"node":"n2","from_us":{from},"until_us":{until}}}]"#)
}

#[test]
fn a_long_pause_is_a_death_and_a_short_one_is_none() {
    let mut lab = network(3);
    for node in ["n0", "n1"] {
        down(&mut lab, node, 15 * S, "n2", 1);
    }
    renewed(&mut lab, "n0", 21 * S, "n2", 2);
    renewed(&mut lab, "n1", 22 * S, "n2", 2);
    done(&mut lab, &[], &held_still(20));
    let found = members(&lab);
    assert_eq!((found.deaths, found.detected_ms.p50), (1, Some(5000.0)));
    assert_eq!((found.ends[0].why, found.ends[0].aware), (Why::Paused, 2));
    assert_eq!((found.returns, found.returned_ms.p99), (1, Some(2000.0)));
    assert_eq!(found.false_positives, 0);
    done(&mut lab, &[], &held_still(19));
    let found = members(&lab);
    assert_eq!((found.deaths, found.returns), (0, 1));
}

#[test]
fn who_was_held_still_is_excused_for_ten_seconds_and_no_longer() {
    let mut lab = network(3);
    down(&mut lab, "n0", 25 * S, "n2", 1);
    done(&mut lab, &[], &held_still(16));
    assert_eq!(members(&lab).false_positives, 0);
    done(&mut lab, &[], &held_still(14));
    assert_eq!(members(&lab).false_positives, 1);
}

#[test]
fn whoever_holds_a_running_node_to_be_down_is_mistaken_and_listed() {
    let mut lab = network(3);
    let suspected = ("n2", MemberChange::Suspected, MemberState::Suspect);
    says(&mut lab, "n0", 20 * S, suspected, 1);
    says(&mut lab, "n1", 20 * S, suspected, 1);
    says(&mut lab, "n1", 21 * S, ("n2", MemberChange::Refuted, MemberState::Alive), 1);
    down(&mut lab, "n0", 23 * S, "n2", 1);
    let found = members(&lab);
    assert_eq!((found.suspicions, found.suspicions_of_living, found.refuted), (2, 2, 1));
    assert_eq!((found.false_positives, found.deaths), (1, 0));
    let mistake = &found.mistakes[0];
    assert_eq!((&*mistake.node, &*mistake.by), ("n2", "n0"));
    assert_eq!(mistake.at_us, EPOCH_US + 23 * S);
}

#[test]
fn mistakes_beyond_the_twentieth_are_only_counted() {
    let mut lab = network(2);
    for turn in 0..25_u8 {
        down(&mut lab, "n0", 20 * S + i64::from(turn) * S, "n1", 1);
    }
    let found = members(&lab);
    assert_eq!((found.false_positives, found.mistakes.len()), (25, 20));
    assert_eq!(found.mistakes[19].at_us, EPOCH_US + 39 * S);
}

/// Four nodes in a row, cut in the middle from 10 s to 20 s.
fn halves() -> Lab {
    let mut lab = network(4);
    let [from, until] = [10, 20].map(|s| EPOCH_US + s * S);
    let cut = |one: &str, other: &str| {
        format!(r#"{{"from_us":{from},"until_us":{until},"from":["{one}"],"to":["{other}"]}}"#)
    };
    let cuts = [cut("n1", "n2"), cut("n2", "n1")].join(",");
    let edges = r#"[["n0","n1"],["n1","n2"],["n2","n3"]]"#;
    done(&mut lab, &[], &format!(r#","edges":{edges},"cuts":[{cuts}]"#));
    for (node, about) in [("n0", "n3"), ("n1", "n2"), ("n2", "n0"), ("n3", "n1")] {
        down(&mut lab, node, 15 * S, about, 1);
    }
    lab
}

#[test]
fn a_heal_is_over_when_every_node_holds_every_other_to_be_there() {
    let mut lab = halves();
    for (node, at, about) in
        [("n0", 22, "n3"), ("n1", 21, "n2"), ("n2", 23, "n0"), ("n3", 22, "n1")]
    {
        renewed(&mut lab, node, at * S, about, 2);
    }
    let found = members(&lab);
    assert_eq!((found.heals, found.heal_ms), (1, Some(3000.0)));
    assert_eq!(found.false_positives, 0, "each was cut off from the one that says so");
    assert_eq!((found.deaths, found.returns), (0, 0));
}

#[test]
fn a_list_that_stays_incomplete_never_heals() {
    let mut lab = halves();
    for (node, about) in [("n0", "n3"), ("n1", "n2"), ("n2", "n0")] {
        renewed(&mut lab, node, 22 * S, about, 2);
    }
    assert_eq!((members(&lab).heals, members(&lab).heal_ms), (1, None));
}

#[test]
fn a_death_on_one_side_of_a_cut_is_the_other_sides_to_know_only_afterwards() {
    let mut lab = halves();
    lab.kill("n1", 17 * S).wire("n1", 16_900_000, 1);
    down(&mut lab, "n0", 18 * S, "n1", 1);
    let found = members(&lab);
    assert_eq!((found.deaths, found.ends[0].aware, found.unaware), (1, 1, 0));
}

#[test]
fn a_cut_within_one_side_excuses_nobody() {
    let mut lab = halves();
    down(&mut lab, "n0", 16 * S, "n1", 1);
    let found = members(&lab);
    assert_eq!(found.false_positives, 1);
    assert_eq!((&*found.mistakes[0].by, &*found.mistakes[0].node), ("n0", "n1"));
}

#[test]
fn a_connection_that_a_node_logged_is_a_way_round_a_cut() {
    let mut lab = halves();
    assert_eq!(members(&lab).false_positives, 0);
    let state = hearsay_node::trace::event::PeerState::Connected;
    lab.event("n0", S, Event::Peer { peer: peer("n3"), state, rtt_us: None });
    assert_eq!(members(&lab).false_positives, 4);
}

#[test]
fn a_join_lasts_until_the_list_has_all_that_ran_or_started_along_with_it() {
    let mut lab = Lab::default();
    for (node, start) in [("n0", 0), ("n1", S), ("n2", 30 * S)] {
        lab.start(node, start).stop(node, 60 * S);
    }
    // n1 is there from 1 s on, and n0 has it on its list 400 ms later.
    joined(&mut lab, "n0", 1_400_000, "n1", 1);
    joined(&mut lab, "n1", 1_200_000, "n0", 1);
    joined(&mut lab, "n0", 30_500_000, "n2", 1);
    joined(&mut lab, "n1", 30_600_000, "n2", 1);
    joined(&mut lab, "n2", 30_300_000, "n0", 1);
    let found = members(&lab);
    assert_eq!((found.joins, found.undiscovered, found.discovered_ms.max), (3, 1, Some(400.0)));
    joined(&mut lab, "n2", 31_700_000, "n1", 1);
    let found = members(&lab);
    assert_eq!((found.joins, found.undiscovered), (3, 0));
    assert_eq!((found.discovered_ms.p50, found.discovered_ms.p99), (Some(400.0), Some(1700.0)));
}

#[test]
fn the_cost_is_what_nodes_sent_between_samples_of_the_window() {
    let mut lab = network(2);
    let wire = |sent| Event::Wire {
        sent: 9_999,
        received: 9_999,
        members_sent: Some(sent),
        members_received: None,
    };
    // The window is from 0 to 59 s: what comes after it does not count.
    for (at, sent) in [(10, 1_000), (20, 6_000), (30, 7_000), (60, 900_000)] {
        lab.event("n0", at * S - 1, wire(sent));
    }
    for (at, sent) in [(10, 0), (20, 2_000)] {
        lab.event("n1", at * S, wire(sent));
    }
    // 6,000 bytes in 20 s and 2,000 in 10 s.
    let rate = members(&lab).bytes_per_node_s.expect("samples");
    assert!((rate - 8_000.0 / 30.0).abs() < 1e-9, "{rate}");
    assert_eq!(members(&network(2)).bytes_per_node_s, None);
}

#[test]
fn the_text_tells_of_what_happened_and_of_nothing_else() {
    let text = network(3).report().to_text();
    assert!(text.contains("members: 0 false positives, 0 suspicions"), "{text}");
    assert!(!text.contains("deaths") && !text.contains("one list"), "{text}");
    let text = halves().report().to_text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("one list NEVER after the links returned"), "{text}");
}

#[test]
fn a_transaction_that_a_block_brought_did_not_spend_its_wait_on_the_network() {
    let stage = |kind, via| {
        let mut lab = Lab::new(2);
        lab.publish("n0", 2 * S, kind, 1).receive_via("n1", 3 * S, kind, 1, "n0", via);
        let report = lab.report();
        let spread = if kind == Tx { report.tx.spread } else { report.block.spread };
        let slowest = spread.slowest.and_then(|slowest| slowest.journey).expect("a way");
        (slowest.steps[0].stage, spread.stages.network_ms.p50, spread.stages.pull_ms.p50)
    };
    assert_eq!(stage(Tx, Via::Compact), (Stage::Carried, None, Some(1000.0)));
    assert_eq!(stage(Block, Via::Compact), (Stage::Network, Some(1000.0), None));
    assert_eq!(stage(Tx, Via::Fetch), (Stage::Pull, None, Some(1000.0)));
}
