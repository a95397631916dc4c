use proptest::prelude::*;

use super::*;

fn every_shape(nodes: usize, degree: usize, share: f64, seed: u64) -> Vec<Topology> {
    let mut shapes = vec![
        Topology::full(nodes),
        Topology::line(nodes),
        Topology::ring(nodes),
        Topology::star(nodes, nodes / 2),
        Topology::random(nodes, degree, seed),
        Topology::small_world(nodes, degree, share, seed),
    ];
    if nodes > 1 {
        let size = 1 + (share * (nodes - 2) as f64) as usize;
        shapes.push(Topology::bridge(nodes, size, degree, seed));
    }
    shapes
}

proptest! {
    #[test]
    fn every_node_reaches_every_other(
        nodes in 1..40usize, degree in 0..45usize, share in 0.0..=1.0f64, seed: u64,
    ) {
        for topology in every_shape(nodes, degree, share, seed) {
            prop_assert_eq!(topology.unreachable(), [0usize; 0]);
            prop_assert!(topology.edges().all(|(a, b)| a < b && b < nodes));
        }
    }

    #[test]
    fn no_node_knows_more_others_than_the_degree_and_hardly_one_knows_fewer(
        nodes in 4..40usize, degree in 2..12usize, seed: u64,
    ) {
        let topology = Topology::random(nodes, degree, seed);
        let degree = degree.min(nodes - 1);
        let degrees = topology.degrees();
        prop_assert!(degrees.iter().all(|&found| (2..=degree).contains(&found)));
        let missing: usize = degrees.iter().map(|found| degree - found).sum();
        prop_assert!(missing <= 2, "{degrees:?}");
        prop_assert!((0..nodes).all(|node| topology.degree(node) == degrees[node]));
    }

    #[test]
    fn a_small_world_keeps_its_edges_and_each_node_its_half_of_them(
        nodes in 8..60usize, half in 1..3usize, rewire in 0.0..=1.0f64, seed: u64,
    ) {
        let topology = Topology::small_world(nodes, 2 * half, rewire, seed);
        prop_assert_eq!(topology.edges().count(), nodes * half);
        prop_assert!(topology.degrees().iter().all(|&found| found >= half));
    }

    #[test]
    fn one_link_joins_the_clusters_of_a_bridge(
        nodes in 2..40usize, share in 0.0..1.0f64, degree in 2..10usize, seed: u64,
    ) {
        let size = 1 + (share * (nodes - 2) as f64) as usize;
        let topology = Topology::bridge(nodes, size, degree, seed);
        let across: Vec<_> = topology.edges().filter(|&(a, b)| a < size && b >= size).collect();
        prop_assert_eq!(across, [(size - 1, size)]);
    }

    #[test]
    fn each_connection_is_dialled_from_one_end(nodes in 1..30usize, seed: u64) {
        let topology = Topology::random(nodes, 5, seed);
        let dialled: Vec<_> = (0..nodes)
            .flat_map(|from| topology.dials(from).map(move |to| edge(from, to)))
            .collect();
        prop_assert_eq!(dialled.len(), topology.edges.len());
        prop_assert_eq!(dialled.into_iter().collect::<BTreeSet<_>>(), topology.edges);
    }
}

#[test]
fn the_same_seed_gives_the_same_graph_and_another_seed_another() {
    type Draw = fn(u64) -> Topology;
    let draws: [Draw; 3] = [
        |seed| Topology::random(20, 6, seed),
        |seed| Topology::small_world(20, 4, 0.5, seed),
        |seed| Topology::bridge(20, 10, 4, seed),
    ];
    for draw in draws {
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}

#[test]
fn plain_shapes_have_the_edges_that_their_names_say() {
    let edges = |topology: Topology| topology.edges().collect::<Vec<_>>();
    assert_eq!(edges(Topology::line(4)), [(0, 1), (1, 2), (2, 3)]);
    assert_eq!(edges(Topology::ring(4)), [(0, 1), (0, 3), (1, 2), (2, 3)]);
    assert_eq!(edges(Topology::ring(2)), [(0, 1)]);
    assert_eq!(edges(Topology::star(4, 1)), [(0, 1), (1, 2), (1, 3)]);
    assert_eq!(edges(Topology::bridge(4, 2, 9, 1)), [(0, 1), (1, 2), (2, 3)]);
    assert_eq!(edges(Topology::small_world(5, 2, 0.0, 1)), edges(Topology::ring(5)));
    assert_eq!(Topology::small_world(9, 4, 0.0, 1).degrees(), [4; 9]);
}

#[test]
fn one_node_knows_nobody_and_a_few_know_everyone() {
    assert_eq!(Topology::random(1, 6, 1).edges().count(), 0);
    assert_eq!(Topology::random(2, 1, 1).edges().collect::<Vec<_>>(), [(0, 1)]);
    assert_eq!(Topology::random(5, 6, 1), Topology::full(5));
    assert_eq!(Topology::full(5).edges().count(), 10);
}

#[test]
fn a_large_small_world_is_rewired_as_often_as_asked_and_no_more() {
    let ring = Topology::small_world(400, 6, 0.0, 1);
    for (rewire, moved) in [(0.1, 68..=172), (1.0, 1_100..=1_200)] {
        let drawn = Topology::small_world(400, 6, rewire, 1);
        let elsewhere = drawn.edges.difference(&ring.edges).count();
        // Binomial: of 1,200 edges 120 expected at a tenth, standard deviation 10.4, five to each side; those drawn
        // back to a near place count as unmoved.
        assert!(moved.contains(&elsewhere), "{rewire}: {elsewhere}");
    }
}

#[test]
fn parts_that_nothing_joins_are_found() {
    let mut topology = Topology::empty(5);
    assert!(topology.add(1, 0) && !topology.add(0, 1) && topology.add(3, 4));
    assert_eq!(topology.unreachable(), [2, 3, 4]);
}
