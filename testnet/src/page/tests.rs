//! Pages: what must be in them, and what must not.

use hearsay_node::trace::event::Kind::{Block, Tx};
use hearsay_node::trace::event::{Event, MemberChange, MemberState};

use super::*;
use crate::report::testing::{Lab, peer};

mod browser;

/// Three nodes in two regions, a transaction and a block; n1 takes n2 for dead, which it is not.
pub(super) fn lab() -> Lab {
    let mut lab = Lab::new(3);
    lab.publish("n0", 2_000_000, Tx, 0xaa);
    lab.receive("n1", 2_020_000, Tx, 0xaa, "n0").accept("n1", 2_021_000, Tx, 0xaa, 200, 700);
    lab.receive("n2", 2_051_250, Tx, 0xaa, "n1").duplicate("n1", 2_083_000, Tx, 0xaa, "n2");
    lab.publish("n2", 4_000_000, Block, 0xb1).tip("n2", 4_000_000, 0xb1, 1, 0, 0);
    lab.receive("n1", 4_030_000, Block, 0xb1, "n2").tip("n1", 4_033_000, 0xb1, 1, 0, 0);
    let members =
        [(MemberChange::Joined, MemberState::Alive), (MemberChange::Down, MemberState::Down)];
    for (at, (change, state)) in (1..).zip(members) {
        let event = Event::Member {
            peer: peer("n2"),
            name: "n2".to_owned(),
            change,
            state,
            cause: None,
            mistaken: None,
            generation: 1,
            incarnation: 0,
        };
        lab.event("n1", at * 500_000, event);
    }
    lab.manifest(
        r#"{"scenario":"a <b> & \"c\"","description":"</script><script>alert(1)</script>","seed":7,
            "nodes":[{"name":"n0"},{"name":"n1"},{"name":"n2"}],
            "edges":[["n0","n1"],["n1","n2"]],
            "shape":{"profile":"two","regions":["here","there"],
                     "one_way_us":[[20000,30000],[30000,500]],"node_region":[0,0,1]},
            "calibration":[{"from":"n0","to":"n1","asked_rtt_us":40000,"rtt_us":[40100]},
                           {"from":"n1","to":"n2","asked_rtt_us":60000,"rtt_us":[60900]}],
            "load":{"outcome":{"planned":2,"submitted":2,"taken":1,"queued":0,"refused":{},
                               "failed":{},"late":1,"max_lag_us":30000}},
            "cuts":[{"from_us":1767225605000000,"until_us":1767225606000000,"from":["n0"],"to":["n1"]},
                    {"from_us":1767225605000000,"until_us":1767225606000000,"from":["n1"],"to":["n0"]}],
            "actions":[{"at_us":1767225605000000,"what":"slow n2","nodes":["n2"]}]}"#,
    );
    lab
}

#[test]
fn a_page_asks_for_nothing_from_outside() {
    let compared =
        Comparison::of(crate::compare::Options { repeats: 1, seed: 1 }, Vec::new(), false);
    for html in [report(&lab().report()), comparison(&compared)] {
        let lower = html.to_lowercase();
        for outside in
            ["src=", "href=", "url(", "@import", "//cdn", "fetch(", "xmlhttprequest", "import("]
        {
            assert!(!lower.contains(outside), "{outside}");
        }
        // The one address is the name of a vocabulary, which nobody fetches.
        let addresses: Vec<_> =
            lower.match_indices("://").map(|(at, _)| &lower[at - 4..at + 20]).collect();
        assert_eq!(addresses, ["http://www.w3.org/2000/s"]);
        assert!(lower.contains("default-src 'none'"));
    }
}

#[test]
fn what_the_manifest_says_is_text_and_never_markup() {
    let html = report(&lab().report());
    assert!(html.contains("a &lt;b&gt; &amp; &quot;c&quot;"));
    assert_eq!(html.matches("<script").count(), 2, "the data and the program");
    assert_eq!(html.matches("</script").count(), 2);
    assert!(!html.contains("alert(1)</script>"));
}

#[test]
fn the_headline_is_there_without_a_script() {
    let html = report(&lab().report());
    let before_data = html.split("<script").next().expect("a beginning");
    for part in [
        r#"data-figure="tx.latency_ms.max" data-value="51.25">51.25 <small>ms</small>"#,
        r#"data-figure="tx.coverage" data-value="1">100 <small>%</small>"#,
        r#"data-figure="block.coverage" data-value="0.5">50 <small>%</small>"#,
        r#"data-figure="valid" data-value="true">valid"#,
        "<noscript>",
        "modelled links: two",
        "measured; over modelled delays",
    ] {
        assert!(before_data.contains(part), "{part}");
    }
}

#[test]
fn a_report_of_nothing_is_a_page_that_says_so() {
    let html = report(&Lab::new(1).report());
    assert!(html.contains("No message was published within the window."));
}

#[test]
fn a_run_that_is_not_valid_says_why_before_anything_else() {
    let mut lab = lab();
    lab.raw("n1", 5_000_000, "garbage\n");
    let html = report(&lab.report());
    let alarm = html.find("n1: 1 unreadable line").expect("the reason");
    assert!(alarm < html.find("id=\"headline\"").expect("the figures"));
}
