//! Shaped links: arrival, hops, copies and stretch on topologies whose delays are known, to the last
//! digit.

use hearsay_node::trace::event::Kind::Tx;
use serde_json::json;

use super::*;

const S: i64 = 1_000_000;

/// A manifest with these connections, and the delay between regions in milliseconds. `node_region`
/// has a place for each node.
fn shape(edges: &[(usize, usize)], delays: &[&[u64]], node_region: &[usize]) -> String {
    let name = |node: usize| format!("n{node}");
    let row = |row: &&[u64]| row.iter().map(|ms| ms * 1_000).collect::<Vec<_>>();
    let regions: Vec<_> = (0..delays.len()).map(|region| format!("r{region}")).collect();
    json!({
        "scenario": "hand",
        "nodes": (0..node_region.len()).map(|node| json!({"name": name(node)})).collect::<Vec<_>>(),
        "edges": edges.iter().map(|&(one, other)| [name(one), name(other)]).collect::<Vec<_>>(),
        "shape": {
            "regions": regions,
            "one_way_us": delays.iter().map(row).collect::<Vec<_>>(),
            "node_region": node_region,
        },
    })
    .to_string()
}

/// `node` has transaction 1 from `from`, so many milliseconds after its publication at 2 s, and
/// accepts it a millisecond later.
fn arrive(lab: &mut Lab, node: usize, from: usize, ms: i64) {
    let (node, from) = (format!("n{node}"), format!("n{from}"));
    let at = 2 * S + ms * 1_000;
    lab.receive(&node, at, Tx, 1, &from).accept(&node, at + 1_000, Tx, 1, 200, 300);
}

fn again(lab: &mut Lab, node: usize, from: usize, ms: i64) {
    lab.duplicate(&format!("n{node}"), 2 * S + ms * 1_000, Tx, 1, &format!("n{from}"));
}

fn links(spread: &Spread) -> Vec<(&str, &str, u64, u64)> {
    let row = |link: &'_ LinkCopies| (link.first, link.redundant);
    let links = spread.by_link.iter();
    links.map(|link| (&*link.from, &*link.to, row(link).0, row(link).1)).collect()
}

#[test]
fn on_a_line_of_twelve_each_hop_takes_its_delay_and_the_relay_s_millisecond() {
    let mut lab = Lab::new(12);
    lab.publish("n0", 2 * S, Tx, 1);
    for node in 1..12 {
        let hop = i64::try_from(node).expect("small");
        arrive(&mut lab, node, node - 1, 50 * hop + (hop - 1));
    }
    let edges: Vec<_> = (1..12).map(|node| (node - 1, node)).collect();
    lab.manifest(&shape(&edges, &[&[50]], &[0; 12]));
    let report = lab.report();
    let tx = &report.tx.spread;
    assert!(report.valid, "{:?}", report.invalid_reasons);
    assert_eq!(report.links, "modelled links: delays given by hand");
    // The sixth of eleven, six hops away, and the last one.
    assert_eq!((tx.latency_ms.p50, tx.latency_ms.max), (Some(305.0), Some(560.0)));
    assert_eq!((tx.hops.p50, tx.hops.max, tx.copies_per_node), (Some(6), Some(11), Some(1.0)));
    let connections = Pair { p50: Some(255.0 / 250.0), p99: Some(560.0 / 550.0) };
    let full = Pair { p50: Some(305.0 / 50.0), p99: Some(560.0 / 50.0) };
    // (51k - 1) / 50k grows with k, so that the sixth of eleven is the one six hops away.
    let connections = Pair { p50: Some(305.0 / 300.0), ..connections };
    assert_eq!(tx.stretch, Stretch { connections, full });
    let chain: Vec<_> = tx.by_link.iter().map(|link| (link.first, link.first_bytes)).collect();
    assert_eq!(chain, [(1, 100); 11]);
}

#[test]
fn on_a_line_the_parts_of_the_time_add_up_to_the_mean_latency() {
    let mut lab = Lab::new(4);
    lab.publish("n0", 2 * S, Tx, 1);
    for (node, ms) in [(1, 50), (2, 101), (3, 152)] {
        arrive(&mut lab, node, node - 1, ms);
    }
    let spent = &lab.report().tx.spread.where_time_went;
    let expected = TimeSpent {
        of: "all".to_owned(),
        deliveries: 3,
        total_ms: Some(303.0 / 3.0),
        network_ms: Some(300.0 / 3.0),
        pull_ms: Some(0.0),
        // n1's on the way to n2, n1's and n2's on the way to n3: three times, of three deliveries.
        queue_ms: Some(0.6 / 3.0),
        check_ms: Some(0.9 / 3.0),
        other_ms: Some(1.5 / 3.0),
        store_ms: None,
    };
    assert_eq!(spent[0], expected);
    let slowest = (&*spent[1].of, spent[1].deliveries, spent[1].total_ms);
    assert_eq!(slowest, ("slowest_10", 1, Some(152.0)));
    assert_eq!((spent[2].deliveries, spent[2].network_ms), (1, Some(150.0)));
}

#[test]
fn in_a_ring_it_goes_both_ways_and_meets_opposite_with_one_copy_too_many() {
    let mut lab = Lab::new(6);
    lab.publish("n0", 2 * S, Tx, 1);
    for (node, from, ms) in [(1, 0, 10), (5, 0, 10), (2, 1, 21), (4, 5, 21), (3, 2, 32)] {
        arrive(&mut lab, node, from, ms);
    }
    again(&mut lab, 3, 4, 32);
    let edges: Vec<_> = (0..6).map(|node| (node, (node + 1) % 6)).collect();
    lab.manifest(&shape(&edges, &[&[10]], &[0; 6]));
    let tx = lab.report().tx.spread;
    assert_eq!((tx.latency_ms.p50, tx.latency_ms.max), (Some(21.0), Some(32.0)));
    assert_eq!((tx.hops.max, tx.copies_per_node), (Some(3), Some(1.2)));
    let connections = Pair { p50: Some(1.05), p99: Some(32.0 / 30.0) };
    let full = Pair { p50: Some(2.1), p99: Some(3.2) };
    assert_eq!(tx.stretch, Stretch { connections, full });
    let expected = [
        ("n0", "n1", 1, 0),
        ("n0", "n5", 1, 0),
        ("n1", "n2", 1, 0),
        ("n2", "n3", 1, 0),
        ("n4", "n3", 0, 1),
        ("n5", "n4", 1, 0),
    ];
    assert_eq!(links(&tx), expected);
    assert_eq!(tx.by_link[4].redundant_bytes, 100);
}

/// A hub and three spokes, the delays of the two directions different. n1 publishes, the hub has it
/// after 30 ms, and the other spokes 1 ms and 20 ms later.
fn star(between_spokes: u64) -> Spread {
    let mut lab = Lab::new(4);
    lab.publish("n1", 2 * S, Tx, 1);
    for (node, from, ms) in [(0, 1, 30), (2, 0, 51), (3, 0, 51)] {
        arrive(&mut lab, node, from, ms);
    }
    let edges = [(0, 1), (0, 2), (0, 3)];
    lab.manifest(&shape(&edges, &[&[1, 20], &[30, between_spokes]], &[0, 1, 1, 1]));
    lab.report().tx.spread
}

#[test]
fn in_a_star_every_spoke_is_two_hops_from_every_other_and_regions_are_told_apart() {
    let tx = star(40);
    assert_eq!((tx.hops.p50, tx.hops.max), (Some(2), Some(2)));
    assert_eq!(tx.stretch.connections, Pair { p50: Some(51.0 / 50.0), p99: Some(51.0 / 50.0) });
    // Straight from spoke to spoke it would take 40 ms.
    assert_eq!(tx.stretch.full, Pair { p50: Some(51.0 / 40.0), p99: Some(51.0 / 40.0) });
    let pair = |to: &str, deliveries, ms, asked_ms| RegionPair {
        from: "r1".to_owned(),
        to: to.to_owned(),
        deliveries,
        latency_ms: Pair { p50: Some(ms), p99: Some(ms) },
        asked_ms,
    };
    assert_eq!(tx.by_region, [pair("r0", 1, 30.0, 30.0), pair("r1", 2, 51.0, 40.0)]);
}

#[test]
fn where_the_straight_way_is_the_longer_one_the_shortest_path_is_a_detour() {
    assert_eq!(star(60).stretch.full.p50, Some(51.0 / 50.0));
}

#[test]
fn over_a_bridge_it_crosses_once_and_each_cluster_has_its_redundant_copies() {
    let mut lab = Lab::new(6);
    lab.publish("n0", 2 * S, Tx, 1);
    for (node, from, ms) in [(1, 0, 5), (2, 0, 5), (3, 2, 206), (4, 3, 212), (5, 3, 212)] {
        arrive(&mut lab, node, from, ms);
    }
    for (node, from, ms) in [(1, 2, 11), (2, 1, 11), (4, 5, 218), (5, 4, 218)] {
        again(&mut lab, node, from, ms);
    }
    let edges = [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (3, 5), (4, 5)];
    lab.manifest(&shape(&edges, &[&[5, 200], &[200, 5]], &[0, 0, 0, 1, 1, 1]));
    let tx = lab.report().tx.spread;
    assert_eq!((tx.hops.max, tx.hops.mean), (Some(3), Some(2.0)));
    assert_eq!(tx.copies_per_node, Some(9.0 / 5.0));
    // Of 1, 1, 206/205, 212/210 and 212/210, and of 1, 1, 1.03, 1.06 and 1.06.
    let connections = Pair { p50: Some(206.0 / 205.0), p99: Some(212.0 / 210.0) };
    let full = Pair { p50: Some(206.0 / 200.0), p99: Some(212.0 / 200.0) };
    assert_eq!(tx.stretch, Stretch { connections, full });
    let bridge: Vec<_> = links(&tx).into_iter().filter(|link| link.1 == "n3").collect();
    assert_eq!(bridge, [("n2", "n3", 1, 0)]);
    let crossing: Vec<_> = tx.by_region.iter().map(|pair| (&*pair.to, pair.deliveries)).collect();
    assert_eq!(crossing, [("r0", 2), ("r1", 3)]);
    assert_eq!(tx.by_region[1].latency_ms, Pair { p50: Some(212.0), p99: Some(212.0) });
}

#[test]
fn a_link_that_differs_counts_with_its_own_delay_and_the_shortest_path_may_go_round_it() {
    // The bridge from n2 to n3 takes 300 ms and not 200; the way straight from n0 to n5 only 50.
    let mut lab = Lab::new(6);
    lab.publish("n0", 2 * S, Tx, 1);
    for (node, from, ms) in [(1, 0, 5), (2, 0, 5), (3, 2, 306), (4, 3, 312), (5, 3, 312)] {
        arrive(&mut lab, node, from, ms);
    }
    let edges = [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (3, 5), (4, 5)];
    let plain = shape(&edges, &[&[5, 200], &[200, 5]], &[0, 0, 0, 1, 1, 1]);
    let mut manifest: serde_json::Value = serde_json::from_str(&plain).expect("JSON");
    manifest["shape"]["links"] = json!([
        {"from": "n2", "to": "n3", "delay_us": 300_000},
        {"from": "n0", "to": "n5", "delay_us": 50_000, "rate": 1_000},
    ]);
    lab.manifest(&manifest.to_string());
    let report = lab.report();
    let tx = &report.tx.spread;
    assert_eq!(report.shape.expect("a shape").links.len(), 2);
    // Of 5/5, 5/5, 306/305, 312/310 and 312/310.
    let connections = Pair { p50: Some(306.0 / 305.0), p99: Some(312.0 / 310.0) };
    // Over n5: n3 and n4 are 55 ms away. Of 1, 1, 306/55, 312/55 and 312/50.
    let full = Pair { p50: Some(306.0 / 55.0), p99: Some(312.0 / 50.0) };
    assert_eq!(tx.stretch, Stretch { connections, full });
    // Straight from n0: 200 ms to n3 and n4, 50 to n5.
    assert_eq!((&*tx.by_region[1].to, tx.by_region[1].asked_ms), ("r1", 150.0));
    // Its other direction is as the regions say: the bridge is one way.
    lab.manifest(&plain);
    assert_eq!(lab.report().tx.spread.by_region[1].asked_ms, 200.0);
}

#[test]
fn a_single_region_without_a_name_is_no_region() {
    let mut lab = Lab::new(2);
    lab.publish("n0", 2 * S, Tx, 1);
    arrive(&mut lab, 1, 0, 50);
    let manifest = shape(&[(0, 1)], &[&[50]], &[0, 0]);
    lab.manifest(&manifest);
    assert_eq!(lab.report().tx.spread.by_region.len(), 1);
    lab.manifest(&manifest.replace("\"r0\"", "\"\""));
    let report = lab.report();
    assert_eq!(report.tx.spread.by_region, []);
    assert_eq!(report.per_node[0].region, None);
    assert_eq!(report.tx.spread.stretch.full.p50, Some(1.0));
}

#[test]
fn without_a_shape_or_without_a_path_there_is_no_stretch() {
    let mut lab = super::spreading::line();
    assert_eq!(lab.report().tx.spread.stretch, Stretch::default());
    assert_eq!(lab.report().tx.spread.by_region, []);
    // n4 is in no connection, and links without delay give nothing to compare with.
    lab.manifest(&shape(&[(0, 1), (1, 2), (2, 3)], &[&[10]], &[0; 5]));
    let stretch = lab.report().tx.spread.stretch;
    assert_eq!(stretch.connections.p99, Some(36.0 / 30.0));
    assert_eq!(stretch.full.p99, Some(49.0 / 10.0));
    lab.manifest(&shape(&[(0, 1)], &[&[0]], &[0; 5]));
    assert_eq!(lab.report().tx.spread.stretch, Stretch::default());
}
