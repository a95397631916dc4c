//! The whereabouts of messages in logs written by hand, with answers worked out by hand.

use hearsay_node::trace::event::{Event, Kind, Kind::Block, Kind::Tx, VerdictName, Via};

use super::*;
use crate::report::Stage;
use crate::report::testing::{END, Lab, id, peer};

const S: i64 = 1_000_000;

/// n0 publishes; n1 and n2 have it from n0 after 0.5 and 0.6 ms. n2 waits 0.2 ms, checks 0.4 ms and
/// passes it on to n4, which has it 2 ms later. n3 has it from n1. n5 is never reached.
fn lab() -> Lab {
    let mut lab = Lab::new(6);
    lab.publish("n0", S, Tx, 0xab);
    lab.receive("n1", S + 500, Tx, 0xab, "n0").accept("n1", S + 700, Tx, 0xab, 50, 150);
    lab.receive("n2", S + 600, Tx, 0xab, "n0").accept("n2", S + 1_214, Tx, 0xab, 200, 400);
    lab.receive("n3", S + 1_000, Tx, 0xab, "n1").accept("n3", S + 1_100, Tx, 0xab, 0, 100);
    lab.receive("n4", S + 3_214, Tx, 0xab, "n2").accept("n4", S + 3_300, Tx, 0xab, 0, 86);
    lab.duplicate("n4", S + 4_000, Tx, 0xab, "n3").duplicate("n4", S + 4_100, Tx, 0xab, "n3");
    lab.duplicate("n0", S + 900, Tx, 0xab, "n1");
    lab
}

fn find_in(lab: &Lab, id: &str) -> Result<Whereabouts, WhereError> {
    find(lab.write().path(), id)
}

fn found(lab: &Lab, byte: u8) -> Whereabouts {
    find_in(lab, &id(byte)).expect("the message is there")
}

#[test]
fn the_tree_has_each_node_under_the_one_it_heard_from_the_earlier_branch_first() {
    let whereabouts = found(&lab(), 0xab);
    let rows: Vec<_> = whereabouts
        .nodes
        .iter()
        .map(|visit| (&*visit.node, visit.indent, visit.hop, visit.ms, visit.copies))
        .collect();
    let expected = [
        ("n0", 0, Some(0), 0.0, 1),
        ("n1", 1, Some(1), 0.5, 1),
        ("n3", 2, Some(2), 1.0, 1),
        ("n2", 1, Some(1), 0.6, 1),
        ("n4", 2, Some(2), 3.214, 3),
    ];
    assert_eq!(rows, expected);
    assert_eq!(whereabouts.origin.as_deref(), Some("n0"));
    assert_eq!(whereabouts.published, "2026-01-01T00:00:01.000000Z");
    assert_eq!(whereabouts.bytes, 100);
}

#[test]
fn the_last_node_its_path_and_the_largest_part_of_the_time_are_named() {
    let last = found(&lab(), 0xab).last.expect("it arrived");
    assert_eq!((&*last.node, last.ms), ("n4", 3.214));
    let journey = last.journey.expect("a known way");
    assert_eq!(journey.path, ["n0", "n2", "n4"]);
    let steps: Vec<_> = journey.steps.iter().map(|step| (step.stage, step.ms)).collect();
    let expected = [
        (Stage::Network, 0.6),
        (Stage::Queue, 0.2),
        (Stage::Check, 0.4),
        (Stage::Handling, 0.014),
        (Stage::Network, 2.0),
    ];
    assert_eq!(steps, expected);
    assert_eq!(journey.reason, "62 % of it was network time on n2 → n4");
}

#[test]
fn the_text_tells_all_of_it() {
    let text = found(&lab(), 0xab).to_text();
    let expected = format!(
        "\
tx {}
100 bytes, published by n0 at 2026-01-01T00:00:01.000000Z

n0             0.000 ms  introduced it; 1 copy (n1)
├─ n1          0.500 ms  gossip from n0, hop 1; 1 copy (n0); accept, queue 0.050, check 0.150
│  └─ n3       1.000 ms  gossip from n1, hop 2; 1 copy (n1); accept, queue 0.000, check 0.100
└─ n2          0.600 ms  gossip from n0, hop 1; 1 copy (n0); accept, queue 0.200, check 0.400
   └─ n4       3.214 ms  gossip from n2, hop 2; 3 copies (n2, n3 ×2); accept, queue 0.000, check 0.086

never at n5: it ran all the time
last: n4 after 3.214 ms, path n0 → n2 → n4
  network time on n0 → n2                              0.600 ms    19 %
  waiting in n2's queue                                0.200 ms     6 %
  checking at n2                                       0.400 ms    12 %
  time at n2 outside of its queue and its checks       0.014 ms     0 %
  network time on n2 → n4                              2.000 ms    62 %
why:  62 % of it was network time on n2 → n4
",
        id(0xab)
    );
    assert_eq!(text, expected);
}

#[test]
fn a_transaction_says_where_it_was_pooled_and_in_which_block_it_is() {
    let mut lab = lab();
    for (node, us) in [("n0", 0), ("n1", 700), ("n2", 1_214)] {
        let (kind, ready) = (Tx, true);
        lab.event(node, S + us, Event::Pooled { kind, id: id(0xab), ready });
        let (block, height) = (id(0xcd), 7);
        let included = Event::Included { kind, id: id(0xab), block, height };
        lab.event(node, 2 * S + us, included);
    }
    let reason = "full".to_owned();
    let evicted = Event::Evicted { kind: Tx, id: id(0xab), reason };
    lab.event("n3", 2 * S, evicted);
    let whereabouts = found(&lab, 0xab);
    let outcome = whereabouts.outcome.as_ref().expect("the logs tell");
    assert_eq!(outcome.pooled, 3);
    let ms = Span { first: 1_000.0, last: 1_001.214 };
    let block = Included { block: id(0xcd), height: 7, nodes: 3, ms };
    assert_eq!(outcome.included, [block]);
    assert_eq!(outcome.evicted[0].reason, "full");
    let text = whereabouts.to_text();
    assert!(text.contains("evicted at n3 after 1000.000 ms: full"), "{text}");
    assert!(text.contains(&format!("included in block {}", id(0xcd))), "{text}");
    assert!(text.contains("at height 7, at 3 nodes, after 1000.000 to 1001.214 ms"), "{text}");
}

#[test]
fn a_block_says_whose_tip_it_became() {
    let mut lab = Lab::new(2);
    lab.publish("n0", S, Block, 1).tip("n0", S, 1, 1, 0, 0);
    lab.receive_via("n1", S + 800, Block, 1, "n0", Via::Compact).tip("n1", S + 900, 1, 1, 0, 0);
    let whereabouts = found(&lab, 1);
    assert_eq!(whereabouts.kind, Block);
    assert_eq!(whereabouts.nodes[1].tip_ms, Some(0.9));
    let text = whereabouts.to_text();
    assert!(text.contains("produced by n0"), "{text}");
    assert!(text.contains("compact from n0, hop 1"), "{text}");
    assert!(text.contains("the tip of 2 nodes, after 0.000 to 0.900 ms"), "{text}");
}

#[test]
fn a_beginning_of_four_digits_in_either_case_is_enough_when_it_is_the_only_one() {
    let mut lab = lab();
    lab.publish("n0", S, Tx, 0xac);
    assert_eq!(find_in(&lab, "abab").expect("unique").id, id(0xab));
    assert_eq!(find_in(&lab, " ACAC ").expect("unique").id, id(0xac));
}

fn lookup_error(lab: &Lab, id: &str) -> LookupError {
    match find_in(lab, id) {
        Err(WhereError::Lookup(error)) => error,
        other => panic!("expected a lookup error, had {other:?}"),
    }
}

#[test]
fn an_ambiguous_beginning_lists_what_may_be_meant() {
    let mut lab = Lab::new(1);
    let line = |kind, id: &str| Event::Published {
        kind,
        id: id.to_owned(),
        bytes: 1,
        origin: Origin::Rpc,
    };
    for id in ["abcd01", "abcd02", "abcd03", "abcd04", "abcd05", "abcd"] {
        lab.event("n0", S, line(Tx, id));
    }
    lab.event("n0", S, line(Block, "abcd06"));
    let error = lookup_error(&lab, "abcd0");
    let LookupError::Ambiguous { candidates, more, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!((candidates.len(), *more), (5, 1));
    assert!(error.to_string().contains("\n  tx abcd01\n"), "{error}");
    assert!(error.to_string().ends_with("and 1 more"), "{error}");
    // A whole id is never ambiguous.
    assert_eq!(find_in(&lab, "abcd").expect("whole").id, "abcd");
    assert_eq!(find_in(&lab, "abcd06").expect("unique").kind, Block);
}

#[test]
fn an_unknown_id_lists_the_closest_ones() {
    let mut lab = lab();
    lab.publish("n0", S, Block, 0x11);
    let error = lookup_error(&lab, "abab77");
    let candidate = Candidate { kind: Kind::Tx, id: id(0xab) };
    assert_eq!(
        error,
        LookupError::Unknown { given: "abab77".to_owned(), candidates: vec![candidate] }
    );
    assert!(error.to_string().contains(&id(0xab)));
    let error = lookup_error(&lab, "9999");
    assert_eq!(error.to_string(), "no message begins with 9999");
}

#[test]
fn what_cannot_be_an_id_is_refused() {
    for given in ["aba", "", "hs1qqqq", &"a".repeat(65)] {
        let error = lookup_error(&lab(), given);
        assert!(matches!(error, LookupError::NotAnId { .. }), "{given}: {error:?}");
    }
}

#[test]
fn a_node_that_did_not_run_says_so_and_a_late_one_is_not_the_last() {
    let mut lab = lab();
    lab.kill("n5", S - 1).start("late", 2 * S).stop("late", END);
    lab.receive_via("late", 3 * S, Tx, 0xab, "n0", Via::Sync);
    lab.start("absent", 4 * S).stop("absent", END);
    lab.start("fell", 0).wire("fell", S + 2_000, 1);
    let whereabouts = found(&lab, 0xab);
    let last = whereabouts.last.as_ref().expect("it arrived");
    assert_eq!(last.node, "n4");
    let late = whereabouts.nodes.iter().find(|visit| visit.node == "late");
    assert!(late.is_some_and(|visit| visit.late_start));
    let missed: Vec<_> =
        whereabouts.missed.iter().map(|missed| (&*missed.node, &*missed.why)).collect();
    let expected = [
        ("absent", "was not running; it started 3000.000 ms later"),
        ("fell", "ran until 2.000 ms after it"),
        ("n5", "was not running any more"),
    ];
    assert_eq!(missed, expected);
}

#[test]
fn a_message_from_a_stranger_is_timed_from_its_first_receipt() {
    let mut lab = Lab::new(3);
    lab.receive("n1", S, Tx, 1, "a-stranger-with-a-long-peer-id");
    lab.receive("n2", S + 250, Tx, 1, "n1");
    let verdict = Event::Verdict {
        kind: Tx,
        id: id(1),
        verdict: VerdictName::Ignore,
        reason: Some("fee_too_low".to_owned()),
        queue_us: 1,
        check_us: 2,
    };
    lab.event("n2", S + 300, verdict);
    let whereabouts = found(&lab, 1);
    assert_eq!(whereabouts.origin, None);
    assert_eq!(whereabouts.nodes[0].from, Some(peer("a-stranger-with-a-long-peer-id")));
    assert_eq!((whereabouts.nodes[1].indent, whereabouts.nodes[1].hop), (1, None));
    let last = whereabouts.last.as_ref().expect("it arrived");
    assert_eq!((&*last.node, last.ms, &last.journey), ("n2", 0.25, &None));
    let text = whereabouts.to_text();
    assert!(text.contains("published by none of these nodes"), "{text}");
    assert!(text.contains("gossip from -peer-id;"), "{text}");
    assert!(text.contains("ignore (fee_too_low), queue 0.001, check 0.002"), "{text}");
    assert!(text.contains("last: n2 after 0.250 ms, its way there is not in the logs"), "{text}");
}

#[test]
fn nodes_that_heard_of_it_in_a_circle_are_all_drawn() {
    let mut lab = Lab::new(4);
    lab.publish("n0", S, Tx, 1);
    lab.receive("n1", S + 1, Tx, 1, "n2").receive("n2", S + 2, Tx, 1, "n1");
    lab.receive("n3", S + 3, Tx, 1, "n2");
    let whereabouts = found(&lab, 1);
    let drawn: Vec<_> = whereabouts.nodes.iter().map(|visit| &*visit.node).collect();
    assert_eq!(drawn, ["n0", "n1", "n2", "n3"]);
}

#[test]
fn a_relay_that_logs_too_late_is_pointed_out() {
    let mut lab = Lab::new(3);
    lab.publish("n0", S, Tx, 1).receive("n1", S + 10, Tx, 1, "n0");
    lab.accept("n1", S + 40, Tx, 1, 10, 20).receive("n2", S + 30, Tx, 1, "n1");
    let text = found(&lab, 1).to_text();
    assert!(text.contains("before its relay logged that it accepted it"), "{text}");
}

#[test]
fn a_message_that_went_nowhere_says_so() {
    let mut lab = Lab::new(2);
    lab.publish("n0", S, Tx, 1);
    let whereabouts = found(&lab, 1);
    assert_eq!(whereabouts.last, None);
    let text = whereabouts.to_text();
    assert!(text.contains("never at n1: it ran all the time"), "{text}");
    assert!(text.contains("last: it arrived at no other node"), "{text}");
}

#[test]
fn the_json_form_has_the_same_facts() {
    let json = serde_json::to_value(found(&lab(), 0xab)).expect("it serialises");
    assert_eq!(json["kind"], "tx");
    assert_eq!(json["last"]["node"], "n4");
    assert_eq!(json["last"]["journey"]["steps"][4]["stage"], "network");
    assert_eq!(json["last"]["journey"]["steps"][4]["to"], "n4");
    assert_eq!(json["nodes"][4]["copies_from"][1]["copies"], 2);
    assert_eq!(json["missed"][0]["node"], "n5");
}

#[test]
fn regions_are_shown_where_the_manifest_tells_them() {
    let mut lab = lab();
    lab.manifest(
        r#"{"nodes":[{"name":"n0","region":"paris"},{"name":"n1","region":"sao-paulo"},{"name":"n2"}]}"#,
    );
    let whereabouts = found(&lab, 0xab);
    assert_eq!(whereabouts.nodes[0].region.as_deref(), Some("paris"));
    let text = whereabouts.to_text();
    let lines: Vec<_> =
        text.lines().skip(3).take(4).map(|line| &line[..line.find(" ms").unwrap_or(0)]).collect();
    let expected = [
        "n0        paris           0.000",
        "├─ n1     sao-paulo       0.500",
        "│  └─ n3                  1.000",
        "└─ n2                     0.600",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_node_held_still_says_so() {
    let mut lab = lab();
    let from = crate::report::testing::EPOCH_US + S - 10;
    lab.manifest(&format!(r#"{{"pauses":[{{"node":"n5","from_us":{from}}}]}}"#));
    let missed = &found(&lab, 0xab).missed[0];
    assert_eq!((&*missed.node, &*missed.why), ("n5", "was held still when it was published"));
}

#[test]
fn in_a_testnet_that_still_runs_a_message_is_found_though_the_last_lines_are_half_written() {
    let mut lab = Lab::default();
    for node in ["n0", "n1", "n2"] {
        lab.start(node, 0).wire(node, S + 900, 1);
    }
    lab.publish("n0", S, Tx, 0xab).receive("n1", S + 500, Tx, 0xab, "n0");
    let half = r#"{"t":"2026-01-01T00:00:01.001000Z","mono_us":1001000,"node":"n2","event":"rece"#;
    lab.raw("n2", S + 1_000, half);
    let whereabouts = found(&lab, 0xab);
    assert_eq!(whereabouts.nodes.len(), 2);
    assert_eq!(
        (&*whereabouts.missed[0].node, &*whereabouts.missed[0].why),
        ("n2", "ran all the time")
    );
    assert_eq!(whereabouts.last.map(|last| last.node), Some("n1".to_owned()));
}
