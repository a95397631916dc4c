use super::super::set::split;
use super::*;

fn told_with(more: &str, key: &str, value: &str) -> Vec<String> {
    let problems = parse(&text(more)).set(key, value).expect_err(key);
    problems.iter().map(Problem::to_string).collect()
}

#[test]
fn an_override_replaces_a_value_or_adds_it() {
    let base = parse(&text("[gossip]\nmesh = 6\n"));
    for (key, value, line) in [
        ("gossip.mesh", "4", "mesh = 4"),
        ("gossip.heartbeat_ms", "100", "heartbeat_ms = 100"),
        ("links.delay", "50ms", "[links]\ndelay = \"50ms\""),
        ("nodes.slot", "250ms", "slot = \"250ms\""),
        ("seed", "9", "seed = 9"),
        ("load.rate", "2.5", "[load]\nrate = 2.5"),
        ("gossip.flood_publish", "false", "flood_publish = false"),
    ] {
        let set = base.set(key, value).unwrap_or_else(|problems| panic!("{key}: {problems:#?}"));
        assert!(set.to_toml().contains(line), "{key}: {}", set.to_toml());
    }
    assert_eq!(base.set("seed", "9").unwrap().seed, 9);
}

#[test]
fn what_results_is_what_its_text_says() {
    let base = parse(&text("[topology]\nkind = \"random\"\ndegree = 4\n[load]\nrate = 5\n"));
    let sets = [
        ("topology.kind", "ring"),
        ("load.count", "40"),
        ("load.kind", "burst"),
        ("nodes.in-process", "6"),
        ("assert.tx.latency_ms.p99", "< 800"),
    ];
    let set = base.set_all(sets).unwrap();
    let again = parse(&set.to_toml());
    assert_eq!(again.to_toml(), set.to_toml());
    assert_eq!((again.layout(), &again.asserts), (set.layout(), &set.asserts));
    assert!(set.nodes.in_process && set.nodes.count == 6);
    assert_eq!(set.layout().edges.len(), 6);
    for gone in ["degree", "rate", "count = 8"] {
        assert!(!set.to_toml().contains(gone), "{gone}: {}", set.to_toml());
    }
}

#[test]
fn entries_of_lists_are_set_by_their_place() {
    let base = parse(&text(
        "[[load]]\nrate = 5\n[[load]]\nrate = 6\n[[at]]\ntime = \"5s\"\nkill = [\"n1\", \"n2\"]\n\
         [assert]\n\"tx.latency_ms.p99\" = \"< 8\"\n",
    ));
    let set = base.set("load.1.count", "9").unwrap();
    assert_eq!(set.layout().loads[1].spec.schedule.count(), 9);
    assert!(base.set("at.0.time", "7s").unwrap().to_toml().contains("time = \"7s\""));
    assert!(base.set("at.0.kill.1", "n3").unwrap().to_toml().contains("[\"n1\", \"n3\"]"));
    let set = base.set("assert.tx.latency_ms.p99", "< 9").unwrap();
    assert_eq!(set.asserts.list.len(), 1, "the key with dots is meant");
    let problems = base.set("load.2.rate", "1").unwrap_err();
    assert!(problems[0].to_string().contains("`load` is a list of 2"), "{}", problems[0]);
}

#[test]
fn an_override_is_checked_as_the_text_is_and_named_in_what_is_told() {
    assert_eq!(
        told_with("", "gossip.mehs", "4"),
        ["t.toml with gossip.mehs=4: unknown key `mehs` in [gossip]; did you mean `mesh`?"]
    );
    assert_eq!(
        told_with("", "gossip.mesh", "four"),
        ["t.toml with gossip.mesh=four: `mesh` must be a whole number, not the text \"four\""]
    );
    assert_eq!(
        told_with("authorities = 8\n", "nodes.count", "4"),
        ["t.toml:5:15: 8 authorities among 4 nodes; at most 4 can be authorities"]
    );
    assert_eq!(
        told_with("", "name.first", "x"),
        ["t.toml with name.first=x: `name` has no keys within it"]
    );
    assert_eq!(
        told_with("", "..", "x"),
        ["t.toml with ..=x: `..` is no key; write one such as gossip.mesh"]
    );
}

#[test]
fn a_mesh_alone_may_be_varied_as_its_marks_follow() {
    let base = parse(&text(""));
    let variants = base.variants("gossip.mesh=4,6,8").unwrap();
    let found: Vec<_> = variants
        .iter()
        .map(|(name, scenario)| {
            let gossip = scenario.layout().overrides[0]["gossip"].clone();
            let value = |key: &str| gossip[key].as_integer().unwrap();
            (name.as_str(), value("mesh_low"), value("mesh"), value("mesh_high"))
        })
        .collect();
    assert_eq!(
        found,
        [("gossip.mesh=4", 3, 4, 8), ("gossip.mesh=6", 5, 6, 12), ("gossip.mesh=8", 7, 8, 16)]
    );
    assert!(base.variants("gossip.mesh").is_err() && base.variants("gossip.mesh=").is_err());
}

#[test]
fn values_are_split_at_commas_that_are_not_within_something() {
    assert_eq!(split("a.b=1, 2,3").unwrap(), ("a.b", vec!["1", "2", "3"]));
    assert_eq!(split("a=[1,2],[3]").unwrap().1, ["[1,2]", "[3]"]);
    assert_eq!(split("a=\"x,y\",'z,'").unwrap().1, ["\"x,y\"", "'z,'"]);
    assert_eq!(split("a={ b = 1, c = 2 }").unwrap().1, ["{ b = 1, c = 2 }"]);
}
