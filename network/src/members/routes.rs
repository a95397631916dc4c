//! Which neighbour brings a datagram nearer to a member that is no neighbour.
//!
//! Each member says who its neighbours are, so every node knows the graph of connections (link
//! state) and finds shortest paths in it. Neighbours are named by four bytes of their keys: if two
//! members share them, both are taken to be meant, and a path that does not exist costs a lost
//! datagram, which is why there is more than one way to try. A connection counts if either end tells
//! of it, as the news of it does not come from both at once; those of this node are known at first
//! hand, and what others say of them does not count.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::profile::{Key, MAX_NEIGHBOURS, Short};

/// Members that are known at most. Full membership costs each node a few hundred bytes a member and
/// a probe cycle as long as the list; what is larger wants Kademlia.
pub const MAX_MEMBERS: usize = 1_024;

/// Neighbours that are named for one destination: the best, and two in case it fails.
pub const MAX_NEXT_HOPS: usize = 3;

/// The graph of connections, as far as this node knows.
#[derive(Debug)]
pub struct Routes {
    own: Key,
    neighbours: BTreeSet<Key>,
    told: BTreeMap<Key, Vec<Short>>,
    graph: Option<Graph>,
}

/// The same graph by numbers, and what was worked out on it.
#[derive(Debug, Default)]
struct Graph {
    number: BTreeMap<Key, usize>,
    edges: Vec<Vec<usize>>,
    /// By destination: neighbours of this node, and the hops from this node over each.
    found: BTreeMap<usize, Vec<(Key, usize)>>,
}

impl Routes {
    /// Of a node that knows nobody yet.
    #[must_use]
    pub fn new(own: Key) -> Self {
        Self { own, neighbours: BTreeSet::new(), told: BTreeMap::new(), graph: None }
    }

    /// A connection to `neighbour` stands.
    pub fn link(&mut self, neighbour: Key) {
        if neighbour != self.own && self.neighbours.insert(neighbour) {
            self.graph = None;
        }
    }

    /// The connection to `neighbour` is gone.
    pub fn unlink(&mut self, neighbour: &Key) {
        if self.neighbours.remove(neighbour) {
            self.graph = None;
        }
    }

    /// A member told of its neighbours; this replaces what it told before. Says whether there was
    /// room for it. No more than [`MAX_NEIGHBOURS`] of them count.
    pub fn set(&mut self, member: Key, neighbours: &[Short]) -> bool {
        let neighbours = &neighbours[..neighbours.len().min(MAX_NEIGHBOURS)];
        if member == self.own {
            return true;
        }
        match self.told.get(&member) {
            Some(told) if told == neighbours => return true,
            None if self.told.len() >= MAX_MEMBERS => return false,
            _ => {}
        }
        self.told.insert(member, neighbours.to_vec());
        self.graph = None;
        true
    }

    /// A member is down or forgotten: no path leads over it or to it.
    pub fn remove(&mut self, member: &Key) {
        if self.told.remove(member).is_some() {
            self.graph = None;
        }
    }

    /// Whether a connection to it stands.
    #[must_use]
    pub fn is_neighbour(&self, key: &Key) -> bool {
        self.neighbours.contains(key)
    }

    /// The neighbours of this node, in the order of their keys.
    pub fn neighbours(&self) -> impl Iterator<Item = &Key> {
        self.neighbours.iter()
    }

    /// The neighbours that bring a datagram to `to`, the shortest path first: up to
    /// [`MAX_NEXT_HOPS`], none if no path is known. Among equals the order depends on the
    /// destination, so that one neighbour does not carry it all.
    pub fn next_hops(&mut self, to: &Key) -> Vec<Key> {
        self.find(to).iter().map(|(key, _)| *key).collect()
    }

    /// The hops of the shortest known path: 1 to a neighbour; none if there is no path.
    pub fn hops(&mut self, to: &Key) -> Option<usize> {
        self.find(to).first().map(|(_, hops)| *hops)
    }

    fn find(&mut self, to: &Key) -> &[(Key, usize)] {
        let graph = self.graph.get_or_insert_with(|| Graph::of(&self.neighbours, &self.told));
        let Some(number) = graph.number.get(to).copied() else { return &[] };
        if !graph.found.contains_key(&number) {
            let mut found = graph.search(number, &self.neighbours);
            found.sort_by_key(|(key, hops)| (*hops, key.distance(to)));
            found.truncate(MAX_NEXT_HOPS);
            graph.found.insert(number, found);
        }
        graph.found.get(&number).map_or(&[], Vec::as_slice)
    }
}

impl Graph {
    /// Without this node, so that no path leads back over it.
    fn of(neighbours: &BTreeSet<Key>, told: &BTreeMap<Key, Vec<Short>>) -> Self {
        let keys: BTreeSet<&Key> = neighbours.iter().chain(told.keys()).collect();
        let number: BTreeMap<Key, usize> = keys.iter().enumerate().map(|(n, k)| (**k, n)).collect();
        let mut by_short: BTreeMap<Short, Vec<usize>> = BTreeMap::new();
        for (key, n) in &number {
            by_short.entry(key.short()).or_default().push(*n);
        }
        let mut edges = vec![Vec::new(); number.len()];
        for (key, list) in told {
            let Some(from) = number.get(key).copied() else { continue };
            for to in list.iter().filter_map(|short| by_short.get(short)).flatten() {
                edges[from].push(*to);
                edges[*to].push(from);
            }
        }
        Self { number, edges, found: BTreeMap::new() }
    }

    /// Walks away from `to`, the nearest first, until so many neighbours of this node were met that
    /// none further away can be among the best.
    fn search(&self, to: usize, neighbours: &BTreeSet<Key>) -> Vec<(Key, usize)> {
        let wanted: BTreeMap<usize, Key> =
            neighbours.iter().filter_map(|key| Some((*self.number.get(key)?, *key))).collect();
        let mut hops = vec![0usize; self.edges.len()];
        let mut queue = VecDeque::from([to]);
        let mut found: Vec<(Key, usize)> = Vec::new();
        // One more than the path without this node; 0 is where nobody has been.
        hops[to] = 1;
        while let Some(at) = queue.pop_front() {
            let here = hops[at];
            if found.len() >= MAX_NEXT_HOPS && found.last().is_some_and(|last| last.1 < here) {
                break;
            }
            if let Some(key) = wanted.get(&at) {
                found.push((*key, here));
            }
            for next in &self.edges[at] {
                if hops[*next] == 0 {
                    hops[*next] = here + 1;
                    queue.push_back(*next);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers stand at the end and at the start, so that short names differ.
    fn key(n: u8) -> Key {
        let mut bytes = [0; 32];
        (bytes[0], bytes[31]) = (n, n);
        Key(bytes)
    }

    fn shorts(of: &[u8]) -> Vec<Short> {
        of.iter().map(|n| key(*n).short()).collect()
    }

    fn routes(links: &[u8], told: &[(u8, &[u8])]) -> Routes {
        let mut routes = Routes::new(key(0));
        for (member, neighbours) in told {
            assert!(routes.set(key(*member), &shorts(neighbours)));
        }
        links.iter().for_each(|n| routes.link(key(*n)));
        routes
    }

    #[test]
    fn a_neighbour_is_its_own_next_hop() {
        let mut routes = routes(&[1], &[]);
        assert_eq!(routes.next_hops(&key(1)), [key(1)]);
        assert_eq!(routes.hops(&key(1)), Some(1));
        assert_eq!(routes.next_hops(&key(9)), []);
    }

    #[test]
    fn the_shortest_path_comes_first() {
        // 0 - 1 - 2 - 5, 0 - 3 - 5, 0 - 4 (a dead end).
        let mut routes = routes(&[1, 3, 4], &[(1, &[0, 2]), (2, &[1, 5]), (3, &[0, 5]), (4, &[0])]);
        assert!(routes.set(key(5), &[]));
        assert_eq!(routes.next_hops(&key(5)), [key(3), key(1)]);
        assert_eq!(routes.hops(&key(5)), Some(2));
    }

    #[test]
    fn a_connection_counts_if_one_end_tells_of_it() {
        let mut routes = routes(&[1], &[(1, &[]), (2, &[1])]);
        assert_eq!(routes.next_hops(&key(2)), [key(1)]);
    }

    #[test]
    fn what_others_say_of_this_nodes_connections_does_not_count() {
        let mut routes = routes(&[1], &[(1, &[]), (2, &[0])]);
        assert_eq!(routes.next_hops(&key(2)), []);
    }

    #[test]
    fn no_path_leads_over_the_dead_or_over_a_connection_that_is_gone() {
        let mut routes = routes(&[1, 3], &[(1, &[2]), (3, &[4]), (4, &[2]), (2, &[])]);
        assert_eq!(routes.next_hops(&key(2)), [key(1), key(3)]);
        routes.remove(&key(4));
        assert_eq!(routes.next_hops(&key(2)), [key(1)]);
        routes.unlink(&key(1));
        routes.remove(&key(1));
        assert_eq!(routes.next_hops(&key(2)), []);
    }

    #[test]
    fn equal_paths_are_shared_out_and_three_are_enough() {
        let hubs = [1, 2, 4, 8, 16];
        let ends: Vec<u8> = (100..200).collect();
        let told: Vec<(u8, &[u8])> = hubs.iter().map(|hub| (*hub, &[][..])).collect();
        let mut routes = routes(&hubs, &told);
        let mut first: BTreeMap<Key, usize> = BTreeMap::new();
        for end in ends {
            assert!(routes.set(key(end), &shorts(&hubs)));
            let hops = routes.next_hops(&key(end));
            assert_eq!(hops.len(), MAX_NEXT_HOPS);
            *first.entry(hops[0]).or_default() += 1;
        }
        assert!(first.len() > 3, "{first:?}");
    }

    #[test]
    fn members_beyond_the_bound_are_refused() {
        let mut routes = Routes::new(key(0));
        for n in 0..MAX_MEMBERS as u32 {
            let mut bytes = [1; 32];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            assert!(routes.set(Key(bytes), &[]));
        }
        assert!(!routes.set(key(255), &[]));
    }

    proptest! {
        #[test]
        fn every_first_hop_is_as_good_as_said(
            told in prop::collection::vec((1u8..20, prop::collection::vec(0u8..20, 0..5)), 0..20),
            links in prop::collection::vec(1u8..20, 0..6),
        ) {
            let told: BTreeMap<u8, Vec<u8>> = told.into_iter().collect();
            let list: Vec<(u8, &[u8])> = told.iter().map(|(m, n)| (*m, n.as_slice())).collect();
            let mut routes = routes(&links, &list);
            for to in 1u8..20 {
                let best = routes.hops(&key(to));
                // The plain way: grow the set of those who can be reached, one hop at a time.
                let mut reached: BTreeSet<u8> = links.iter().copied().collect();
                let mut naive = None;
                for hops in 1..20 {
                    if reached.contains(&to) {
                        naive = Some(hops);
                        break;
                    }
                    let known = |n: &u8| told.contains_key(n) || links.contains(n);
                    let edges = told.iter().flat_map(|(a, list)| list.iter().map(move |b| (*a, *b)));
                    let ends: Vec<(u8, u8)> = edges.flat_map(|(a, b)| [(a, b), (b, a)]).collect();
                    let next: Vec<u8> = ends.into_iter()
                        .filter(|(a, b)| reached.contains(a) && *b != 0 && known(a) && known(b))
                        .map(|(_, b)| b).collect();
                    reached.extend(next);
                }
                prop_assert_eq!(best, naive, "to {}", to);
            }
        }
    }
}
