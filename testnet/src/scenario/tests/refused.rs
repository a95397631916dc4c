//! What is said of wrong scenarios: each mistake with its place, and with what to do about it.

mod course;

use super::*;

/// Each wrong scenario has one mistake, which is told with its place, and with what to do about it.
#[test]
fn every_mistake_is_told_with_its_place_and_what_to_do() {
    let wrong = MISTAKES.iter().chain(course::MISTAKES).filter_map(|(more, says)| {
        let told = told(&text(more));
        (told != [format!("t.toml:{says}")]).then(|| format!("{more}{told:#?}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Mistakes in what a scenario says of its network: what is put after a small one, and what is said
/// of it.
const MISTAKES: &[(&str, &str)] = &[
    // Keys.
    ("[link]\n", "5:2: unknown key `link`; did you mean `links`?"),
    ("[gossip]\nmehs = 4\n", "6:1: unknown key `mehs` in [gossip]; did you mean `mesh`?"),
    ("[limits]\nfoo = 1\n", "6:1: unknown key `foo` in [limits]; it can be lag_p99"),
    // Values of the wrong kind.
    ("authorities = \"2\"\n", "5:15: `authorities` must be a whole number, not the text \"2\""),
    ("slot = 500\n", "5:8: `slot` must be a time such as \"50ms\" or \"2s\", not 500"),
    (
        "slot = \"500\"\n",
        "5:8: `slot` is wrong: `500` has no unit; write a time as 50ms or 2s; the units are us, ms, s, m, min, h",
    ),
    ("slot = \"5ms\"\n", "5:8: `slot` is 5ms; a slot lasts 10ms to 1h"),
    ("[gossip]\nmesh = -1\n", "6:8: `mesh` is -1; it cannot be negative"),
    ("[mempool]\nmax_count = true\n", "6:13: `max_count` must be a whole number, not true"),
    (
        "[links]\nuplink = \"50mbit\"\n",
        "6:10: `uplink` is wrong: `mbit` is no unit of rate; did you mean `50Mbit`?",
    ),
    (
        "[links]\njitter = \"5ms\"\n",
        "6:10: `jitter` must be a share of the delay such as 0.05, not the text \"5ms\"",
    ),
    ("[links]\nloss = 0.9\n", "6:8: `loss` is 0.9; it must be 0 to 0.5"),
    (
        "[links]\nprofile = \"world-citys\"\n",
        "6:11: `profile` cannot be `world-citys`; did you mean `world-cities`?",
    ),
    // Nodes.
    ("authorities = 9\n", "5:15: 9 authorities among 8 nodes; at most 8 can be authorities"),
    ("authorities = 0\n", "5:15: `authorities` is 0; it must be 1 to 1024"),
    ("in-process = 9\n", "5:1: `count` and `in-process` cannot both be given; keep one of them"),
    (
        "transport = \"memory\"\n",
        "5:13: `transport = \"memory\"` joins nodes of one process only; give `in-process` in place of `count`",
    ),
    ("chance = 0.5\n", "5:1: `chance` says nothing about a round-robin schedule; take it out"),
    ("schedule = \"lotery\"\n", "5:12: `schedule` cannot be `lotery`; did you mean `lottery`?"),
    // Topologies.
    ("[topology]\n", "5:2: [topology] has no `kind`; add kind = \"random\""),
    ("[topology]\nkind = \"rnig\"\n", "6:8: `kind` cannot be `rnig`; did you mean `ring`?"),
    (
        "[topology]\nkind = \"ring\"\ndegree = 4\n",
        "7:1: `degree` says nothing about kind = \"ring\"; take it out",
    ),
    (
        "[topology]\nkind = \"random\"\ndegree = 8\n",
        "7:10: a degree of 8 among 8 nodes; each can know 7 others at most",
    ),
    (
        "[topology]\nkind = \"random\"\ndegree = 1\n",
        "7:10: a degree of 1 cannot connect more than two nodes; give 2 or more",
    ),
    (
        "[topology]\nkind = \"small-world\"\ndegree = 3\n",
        "7:10: a small world cannot have the degree 3; it begins as a ring in which each node knows as many others on either side; give an even number",
    ),
    (
        "[topology]\nkind = \"bridge\"\nsize = 8\n",
        "7:8: a first cluster of 8 leaves 8 nodes no second; `size` must be 1 to 7",
    ),
    (
        "[topology]\nkind = \"star\"\nhub = \"n8\"\n",
        "7:7: `hub` is wrong: there is no node n8; the nodes are n0 to n7",
    ),
    (
        "[topology]\nkind = \"full\"\ndiscovery = true\n",
        "6:1: `kind` says nothing about nodes that find each other (`discovery = true`) and choose their own connections; take it out",
    ),
    (
        "[topology]\ndiscovery = true\ndegree = 4\n",
        "7:1: `degree` says nothing about nodes that find each other (`discovery = true`) and choose their own connections; take it out",
    ),
    (
        "[topology]\ndiscovery = true\nbootstrap = \"n8\"\n",
        "7:13: `bootstrap` is wrong: there is no node n8; the nodes are n0 to n7",
    ),
    (
        "[topology]\nkind = \"ring\"\nbootstrap = \"n1\"\n",
        "7:1: `bootstrap` says nothing about nodes that are told whom to connect to; take it out",
    ),
    (
        "[topology]\ndiscovery = true\n[[node]]\nnames = \"n0\"\nstart = \"4s\"\n",
        "6:13: n0 joins late, and all others begin with it; let it start at once, or name another `bootstrap`",
    ),
    (
        "[discovery]\nrandom = 5\n",
        "5:2: [discovery] says nothing about nodes that are told whom to connect to; give `discovery = true` in place of a `kind` in [topology]",
    ),
    (
        "[topology]\nkind = \"edges\"\n",
        "5:2: [topology] has no `edges`; add edges = [[\"n0\", \"n1\"]]",
    ),
    (
        "[topology]\nedges = [[\"n0\", \"n1\"]]\n",
        "6:9: n2, n3, n4, n5, n6 and n7 cannot be reached from n0; add an edge that joins the parts",
    ),
    (
        "[topology]\nedges = [[\"n0\", \"n8\"]]\n",
        "6:10: there is no node n8; the nodes are n0 to n7",
    ),
    (
        "[topology]\nedges = [[\"n0\", \"n0\"]]\n",
        "6:10: n0 is connected to itself; an edge has two ends; take it out",
    ),
    (
        "[topology]\nedges = [[\"n0\", \"n1\"],\n [\"n1\", \"n0\"]]\n",
        "7:2: n1 and n0 are connected twice; an edge has no direction; keep one of them",
    ),
    (
        "[topology]\nedges = [[\"n0\"]]\n",
        "6:10: an edge with 1 ends; write the names of two nodes, such as [\"n0\", \"n1\"]",
    ),
    // Links.
    (
        "[links]\nprofile = \"interop-8\"\ndelay = \"50ms\"\n",
        "7:1: `profile` and `delay` cannot both be given; keep one of them",
    ),
    (
        "[links]\nplacement = \"even\"\n",
        "6:1: `placement` says nothing about links without a `profile`; take it out",
    ),
    (
        "[links]\nprofile = \"interop-8\"\nplacement = { erope = 1 }\n",
        "7:13: `placement` cannot be `erope`, which is no region of interop-8; did you mean `europe`?",
    ),
    (
        "[[node]]\nnames = [\"n1\"]\nregion = \"europe\"\n",
        "7:10: `region` says nothing without a `profile` in [links]; add profile = \"world-cities\" to [links]",
    ),
    (
        "[topology]\nkind = \"line\"\n[[links.edge]]\nbetween = [\"n0\", \"n2\"]\ndelay = \"1s\"\n",
        "8:11: n0 and n2 are not connected; the [topology] has no such link to change",
    ),
    (
        "[[links.edge]]\nbetween = [\"n0\", \"n2\"]\n",
        "6:11: [[links.edge]] changes nothing; give it a `delay`, `jitter`, `rate` or `loss`",
    ),
    (
        "[links]\nrate = \"0Mbit\"\n",
        "6:8: `rate` is wrong: `0Mbit` lets nothing through; give a rate above nothing, or cut the link with [[at]] cut",
    ),
    // Settings.
    ("[gossip]\nmesh = \"six\"\n", "6:8: `mesh` must be a whole number, not the text \"six\""),
    ("[sync]\npeers = \"weigted\"\n", "6:9: `peers` cannot be `weigted`; did you mean `weighted`?"),
    (
        "[gossip]\nmesh = 4\nmesh_low = 5\n",
        "5:2: gossip.mesh_low, gossip.mesh and gossip.mesh_high are 5, 4 and 8; they must be at least 1 and in rising order",
    ),
    (
        "[[node]]\nnames = \"n1\"\nrpc = \"127.0.0.1:1\"\n",
        "7:1: `rpc` is made by the lab for each node; take it out",
    ),
    (
        "[[node]]\nnames = \"n1\"\nkeep_bodys = 64\n",
        "7:1: unknown key `keep_bodys` in [[node]]; did you mean `keep_bodies`?",
    ),
    (
        "[[node]]\nkeep_bodies = 64\n",
        "5:1: [[node]] has no `names`; add names = [\"n0\", \"n2-n5\"]",
    ),
    (
        "[peers]\nmax_inbound = 3\n",
        "5:2: peers.max_inbound is 3, but the topology connects n0 with 7 others; raise it to 7, or leave it out",
    ),
];

#[test]
fn what_a_scenario_lacks_altogether_is_told() {
    assert_eq!(
        told(""),
        [
            "t.toml:1:1: the scenario has no `name`; add name = \"my-scenario\"",
            "t.toml:1:1: the scenario has no `duration`; add duration = \"30s\"",
            "t.toml:1:1: the scenario has no `nodes`; add [nodes] with count = 8",
        ]
    );
    let empty = "name = \"t\"\nduration = \"1s\"\n[nodes]\n";
    assert_eq!(told(empty), ["t.toml:3:2: [nodes] has no `count`; add count = 8"]);
    let none = "name = \"t\"\nduration = \"1s\"\n[nodes]\ncount = 0\n";
    assert_eq!(told(none), ["t.toml:4:9: `count` is 0; a network has at least one node"]);
    let many = "name = \"t\"\nduration = \"1s\"\n[nodes]\ncount = 500\n";
    assert_eq!(
        told(many),
        ["t.toml:4:9: `count` is 500; it must be 1 to 200; more nodes fit with `in-process = 500`"]
    );
    let odd = "name = \"a b\"\nduration = \"0s\"\nseed = -1\n[nodes]\ncount = 1\n";
    assert_eq!(told(odd).len(), 3, "{:#?}", told(odd));
}

#[test]
fn nodes_of_one_process_cannot_be_paused() {
    let text = "name = \"t\"\nduration = \"9s\"\n[nodes]\nin-process = 4\n[[at]]\ntime = \"1s\"\npause = \"n1\"\n";
    assert_eq!(
        told(text),
        [
            "t.toml:7:9: `pause` stops a process, and here all nodes run in one; give `processes` in \
          place of `in-process`, or cut the node off"
        ]
    );
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_text() {
    let told = told(
        "name = \"t\"\nduraton = \"30s\"\n[nodes]\ncount = 4\nauthorities = 9\n[load]\nrate = -1\n\
         [[at]]\ntime = \"1s\"\nkill = [\"n0\", \"n7\"]\n[assert]\ncoverge = 1\n",
    );
    let places: Vec<_> = told.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        ["t.toml:1:1", "t.toml:2:1", "t.toml:5:15", "t.toml:7:8", "t.toml:10:15", "t.toml:12:1"],
        "{told:#?}"
    );
}

#[test]
fn a_load_that_no_node_is_up_for_is_refused() {
    let told = told(&text("[load]\nrate = 5\n[[at]]\ntime = \"5s\"\nkill = \"*\"\n"));
    assert_eq!(
        told,
        [
            "t.toml:5:2: no node is up for the whole of this load; name the nodes that are to take it \
          with `entry`"
        ]
    );
}

#[test]
fn what_the_lab_sets_of_discovery_no_scenario_can() {
    for key in ["slots", "book"] {
        let told =
            told(&text(&format!("[topology]\ndiscovery = true\n[discovery]\n{key} = true\n")));
        assert!(told[0].starts_with(&format!("t.toml:8:1: unknown key `{key}` in [discovery]")));
        assert_eq!(told.len(), 1, "{told:#?}");
    }
}

#[test]
fn nodes_in_one_process_cannot_be_starved_and_a_memory_address_is_found_by_nobody() {
    let one = "name = \"t\"\nduration = \"30s\"\n[nodes]\nin-process = 8\n";
    let starve =
        told(&format!("{one}[[at]]\ntime = \"5s\"\nstarve = {{ nodes = \"n1\", share = 0.1 }}\n"));
    assert!(starve[0].contains("`starve` holds a process still"), "{starve:#?}");
    let memory = told(&format!("{one}transport = \"memory\"\n[topology]\ndiscovery = true\n"));
    assert!(memory[0].contains("give `transport = \"tcp\"`"), "{memory:#?}");
    let many = one.replace("= 8", "= 501");
    let many = told(&format!("{many}[topology]\ndiscovery = true\n"));
    assert!(many[0].contains("501 nodes that find each other; at most 500"), "{many:#?}");
}
