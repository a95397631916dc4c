use std::time::Duration;

use hearsay_node::api::Taker;
use proptest::prelude::*;

use super::super::plan::{Access, Action, Heal, Slow, TimedAction};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Something of everything that is drawn.
const DRAWN: &str = "seed = 7\n[topology]\nkind = \"small-world\"\ndegree = 4\nrewire = 0.5\n\
    [links]\nprofile = \"world-cities\"\naccess = [{ weight = 1, uplink = \"8Mbit\" }, { weight = 3 }]\n\
    [[load]]\nkind = \"poisson\"\nrate = 5\npayload = [64, 256]\n";

fn drawn(seed: u64, load: &str) -> LabPlan {
    let drawn = DRAWN.replace("seed = 7\n", "");
    parse(&format!("seed = {seed}\n{}{load}", text(&drawn))).layout()
}

#[test]
fn the_plan_of_one_seed_is_this_byte_for_byte() {
    let plan = drawn(7, "");
    let due: Vec<_> =
        plan.loads[0].spec.schedule.arrivals().take(3).map(|due| due.as_nanos()).collect();
    let found = format!(
        "{:?}\n{:?}\n{:?}\n{} {:?}",
        plan.edges,
        plan.node_region,
        plan.access.iter().map(|access| access.up.unwrap_or(0)).collect::<Vec<_>>(),
        plan.link_seed,
        due,
    );
    assert_eq!(found, PINNED);
}

const PINNED: &str = "\
    [(0, 3), (0, 4), (0, 5), (0, 6), (0, 7), (1, 3), (1, 4), (1, 6), (2, 3), (2, 4), (2, 5), (3, 4), \
    (3, 7), (4, 5), (4, 7), (6, 7)]\n[5, 4, 1, 0, 3, 2, 8, 4]\n\
    [0, 0, 1000000, 0, 0, 0, 1000000, 0]\n1567295833501911998 [126108069, 402077289, 440898679]";

#[test]
fn the_same_seed_gives_the_same_plan_and_another_seed_another() {
    assert_eq!(drawn(7, ""), drawn(7, ""));
    let (seven, eight) = (drawn(7, ""), drawn(8, ""));
    assert_ne!(seven.edges, eight.edges);
    assert_ne!(seven.node_region, eight.node_region);
    assert_ne!(seven.loads[0].spec.seed, eight.loads[0].spec.seed);
}

#[test]
fn another_load_moves_neither_topology_nor_regions_nor_the_load_before_it() {
    let (one, two) = (drawn(7, ""), drawn(7, "[[load]]\nrate = 9\n"));
    assert_eq!((&one.edges, &one.node_region), (&two.edges, &two.node_region));
    assert_eq!((&one.access, one.link_seed), (&two.access, two.link_seed));
    assert_eq!(one.loads[0], two.loads[0]);
    assert_ne!(two.loads[0].spec.seed, two.loads[1].spec.seed);
}

#[test]
fn without_anything_asked_the_network_is_small_plain_and_full() {
    let plan = plan("");
    assert_eq!((plan.edges.len(), plan.authorities.len()), (28, 4));
    assert_eq!((plan.region(0), plan.one_way_us.clone()), (None, vec![vec![0]]));
    assert!(!plan.shaped() && plan.actions.is_empty());
    assert_eq!(parse(&text("").replace("= 8", "= 20")).layout().edges.len(), 60);
}

#[test]
fn links_are_as_far_as_their_regions_unless_they_are_changed() {
    let plan = plan(
        "[links]\nprofile = \"interop-8\"\nplacement = [\"europe\", \"na-west\"]\njitter = 0.1\n\
         rate = \"8Mbit\"\n[[links.edge]]\nfrom = \"n1\"\nto = \"n0\"\ndelay = \"7ms\"\nloss = 0.2\n",
    );
    let link = plan.link(0, 1);
    assert_eq!((link.delay, link.jitter), (Duration::from_millis(110), 0.1));
    assert_eq!((link.rate, link.loss), (Some(1_000_000), 0.0));
    let back = plan.link(1, 0);
    assert_eq!((back.delay, back.jitter, back.loss), (Duration::from_millis(7), 0.1, 0.2));
    assert_eq!(plan.link(0, 2).delay, Duration::from_millis(2), "both in Europe");
    assert!(plan.shaped());
}

#[test]
fn some_nodes_differ_in_place_link_start_and_settings() {
    let plan = plan(
        "[links]\nprofile = \"interop-8\"\nuplink = \"8Mbit\"\n[mempool]\nmax_count = 9\n\
         [[node]]\nnames = [\"n2-n3\"]\nregion = \"australia\"\nuplink = \"16Mbit\"\nkeep_bodies = 64\n\
         [[node]]\nnames = \"n3\"\nstart = \"4s\"\ngossip.mesh = 3\nmempool.max_memory = 70000\n",
    );
    assert_eq!((plan.region(2), plan.region(3)), (Some("australia"), Some("australia")));
    assert_eq!(plan.access[3], Access { up: Some(2_000_000), down: None });
    assert_eq!(plan.access[4], Access { up: Some(1_000_000), down: None });
    assert_eq!(plan.starts[3], 4 * SECOND);
    assert_eq!(plan.actions, [TimedAction { at: 4 * SECOND, action: Action::Start(vec![3]) }]);
    let written = |node: usize| toml::to_string(&plan.overrides[node]).unwrap();
    assert_eq!(written(0), "[mempool]\nmax_count = 9\n");
    assert_eq!(
        written(3),
        "keep_bodies = 64\n\n[gossip]\nmesh = 3\nmesh_high = 6\nmesh_low = 2\n\n\
         [mempool]\nmax_count = 9\nmax_memory = 70000\n"
    );
}

#[test]
fn a_node_has_room_for_all_that_the_topology_connects_it_with() {
    let star = parse(
        "name = \"t\"\nduration = \"9s\"\n[nodes]\ncount = 150\n[topology]\nkind = \"star\"\n",
    );
    let plan = star.layout();
    let peers = &plan.overrides[0]["peers"];
    assert_eq!(peers["max_inbound"].as_integer(), Some(149));
    assert_eq!(peers["max_outbound"].as_integer(), Some(149));
    assert!(plan.overrides[1].is_empty());
}

#[test]
fn whoever_joins_late_dials_and_is_not_dialled_before() {
    let plan = plan("[[node]]\nnames = \"n0\"\nstart = \"4s\"\n");
    assert_eq!(plan.dials(0).count(), 7);
    let dialled: usize = (0..8).map(|node| plan.dials(node).count()).sum();
    assert_eq!(dialled, plan.edges.len());
    assert_eq!(plan.neighbours(3).collect::<Vec<_>>(), [0, 1, 2, 4, 5, 6, 7]);
}

#[test]
fn nodes_that_find_each_other_are_given_one_address_and_a_link_to_everyone() {
    let plan = plan(
        "[topology]\ndiscovery = true\nbootstrap = \"n2\"\n[links]\ndelay = \"9ms\"\n\
         [discovery]\nrandom = 5\n[[at]]\ntime = \"3s\"\ncut = [[\"n0\"], [\"n7\"]]\n",
    );
    assert_eq!((plan.bootstrap, plan.edges.len(), plan.pairs().count()), (Some(2), 0, 28));
    assert_eq!(plan.dials(2).count(), 0);
    assert!((0..8).filter(|node| *node != 2).all(|node| plan.dials(node).eq([2])));
    assert_eq!(plan.neighbours(3).collect::<Vec<_>>(), [0, 1, 2, 4, 5, 6, 7]);
    assert_eq!(plan.overrides[4]["discovery"]["random"].as_integer(), Some(5));
    assert_eq!(plan.actions.len(), 1, "any two may be connected, so any two can be cut");
}

#[test]
fn who_leaves_may_come_back_and_is_up_until_then_and_who_is_starved_is_up_all_the_time() {
    let plan = plan(
        "[[load]]\nrate = 5\nvia = \"auto\"\n[[at]]\ntime = \"5s\"\nleave = \"n1\"\n\
         starve = { nodes = [\"n2\", \"n3\"], share = 0.1 }\n\
         [[at]]\ntime = \"9s\"\nrestart = \"n1\"\nstarve = { nodes = \"n2\", share = 1 }\n",
    );
    assert_eq!(plan.loads[0].entries, [0, 2, 3, 4, 5, 6, 7]);
    assert_eq!(plan.loads[0].spec.via, Some(Taker::Auto));
    let actions: Vec<_> = plan.actions.into_iter().map(|timed| timed.action).collect();
    assert_eq!(
        actions[1..],
        [
            Action::Leave(vec![1]),
            Action::Starve { nodes: vec![2, 3], share: 0.1 },
            Action::Restart(vec![1]),
            Action::Starve { nodes: vec![2], share: 1.0 },
        ]
    );
}

#[test]
fn who_joins_at_zero_is_there_from_the_beginning_like_all_others() {
    for more in
        ["[[at]]\ntime = \"0s\"\nstart = \"n3\"\n", "[[node]]\nnames = \"n3\"\nstart = \"0s\"\n"]
    {
        let plan = plan(more);
        assert_eq!((plan.starts[3], plan.actions.len()), (Duration::ZERO, 0), "{more}");
    }
}

#[test]
fn actions_come_in_the_order_of_time_and_of_the_text() {
    let plan = plan(
        "[[at]]\ntime = \"9s\"\nheal = true\nrestart = \"n4\"\n\
         [[at]]\ntime = \"5s\"\nkill = \"n4\"\ncut = [[\"n0\", \"n1\"], [\"*\"]]\n\
         [[at]]\ntime = \"7s\"\ncut = [[\"*\"], [\"n7\"]]\none-way = true\n\
         [[at]]\ntime = \"8s\"\nheal = [[\"n7\"], [\"n6\"]]\n\
         slow = { nodes = [\"n1\"], factor = 10, delay = \"5ms\" }\n\
         skew = { nodes = \"n2\", by = \"-250ms\" }\n",
    );
    let rest = |of: &[usize]| (0..8).filter(|node| !of.contains(node)).collect::<Vec<_>>();
    let slow =
        Slow { factor: Some(10.0), delay: Some(Duration::from_millis(5)), ..Slow::default() };
    let cut = |from, to, one_way| Action::Cut { from, to, one_way };
    let found: Vec<_> =
        plan.actions.into_iter().map(|timed| (timed.at.as_secs(), timed.action)).collect();
    assert_eq!(
        found,
        [
            (5, Action::Kill(vec![4])),
            (5, cut(vec![0, 1], rest(&[0, 1]), false)),
            (7, cut(rest(&[7]), vec![7], true)),
            (8, Action::Heal(Heal::Between { from: vec![7], to: vec![6] })),
            (8, Action::Slow { nodes: vec![1], slow }),
            (8, Action::Skew { nodes: vec![2], ms: -250 }),
            (9, Action::Heal(Heal::All)),
            (9, Action::Restart(vec![4])),
        ]
    );
}

#[test]
fn loads_have_accounts_of_their_own_and_each_is_begun_by_an_action() {
    let plan = plan(
        "[[load]]\nrate = 5\nsenders = 3\nuntil = \"9s\"\n\
         [[at]]\ntime = \"4s\"\nload = { count = 7, for = \"2s\", senders = 2, entry = \"n5\", fee = 9 }\n",
    );
    let [steady, later] = plan.loads.as_slice() else { panic!("{:?}", plan.loads) };
    assert_eq!((&steady.senders, &later.senders, plan.senders), (&(0..3), &(3..5), 5));
    assert_eq!((steady.entries.len(), later.entries.as_slice()), (8, [5].as_slice()));
    assert_eq!((later.from, later.until), (4 * SECOND, 6 * SECOND));
    assert_eq!((later.spec.schedule.count(), later.spec.fee.max()), (7, 9));
    let found: Vec<_> = plan.actions.iter().map(|timed| (timed.at, &timed.action)).collect();
    assert_eq!(found, [(Duration::ZERO, &Action::Load(0)), (4 * SECOND, &Action::Load(1))]);
}

#[test]
fn a_load_for_all_is_for_those_that_are_up_throughout_it() {
    let plan = plan(
        "[[load]]\nrate = 5\n[[load]]\nrate = 5\nfrom = \"12s\"\n[[load]]\nrate = 5\nuntil = \"5s\"\n\
         [[at]]\ntime = \"5s\"\nkill = \"n1\"\npause = \"n2\"\n\
         [[at]]\ntime = \"10s\"\nrestart = \"n1\"\nstart = \"n3\"\n",
    );
    let entries: Vec<_> = plan.loads.iter().map(|load| load.entries.as_slice()).collect();
    assert_eq!(entries[0], [0, 4, 5, 6, 7]);
    assert_eq!(entries[1], [0, 1, 3, 4, 5, 6, 7]);
    assert_eq!(entries[2], [0, 1, 2, 4, 5, 6, 7]);
}

proptest! {
    #[test]
    fn every_plan_of_every_shape_is_connected_and_whole(
        nodes in 3..40usize, seed in 0..1_000_000u64,
        kind in proptest::sample::select(vec![
            "line", "ring", "star", "bridge", "random", "small-world", "full",
        ]),
    ) {
        let plan = parse(&format!(
            "name = \"t\"\nseed = {seed}\nduration = \"9s\"\n[nodes]\ncount = {nodes}\n\
             [topology]\nkind = \"{kind}\"\n[links]\nprofile = \"world-cities\"\n",
        ))
        .layout();
        let mut topology = crate::topology::Topology::empty(nodes);
        for &(a, b) in &plan.edges {
            prop_assert!(topology.add(a, b));
        }
        prop_assert!(topology.unreachable().is_empty());
        prop_assert_eq!(plan.node_region.len(), nodes);
        prop_assert!(plan.edges.iter().all(|&(a, b)| !plan.link(a, b).delay.is_zero()));
    }
}
