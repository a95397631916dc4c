//! What a test sees of the network.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Sim;
use crate::members::{Change, State};

impl Sim {
    /// Whom a node holds to be there, by number.
    pub(in crate::members::tests) fn alive_with(&self, node: usize) -> BTreeSet<usize> {
        let members = self.nodes[node].machine.members(self.now);
        members
            .iter()
            .filter(|member| !member.own && !matches!(member.state, State::Down(_)))
            .filter_map(|member| self.number_of(&member.peer))
            .collect()
    }

    pub(in crate::members::tests) fn living(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|node| self.nodes[*node].alive).collect()
    }

    /// Whether the lists of all who live hold exactly those who live.
    pub(in crate::members::tests) fn agrees(&self) -> bool {
        let living: BTreeSet<usize> = self.living().into_iter().collect();
        living.iter().all(|node| {
            let mut there = self.alive_with(*node);
            there.insert(*node);
            there == living
        })
    }

    /// When a node first told such a change about another since `since`.
    pub(in crate::members::tests) fn told(
        &self,
        node: usize,
        about: usize,
        since: Duration,
        which: impl Fn(Change) -> bool,
    ) -> Option<Duration> {
        let peer = self.nodes[about].peer;
        let news = self.nodes[node].news.iter();
        news.filter(|(at, _)| *at >= since)
            .find(|(_, news)| news.member.peer == peer && which(news.change))
            .map(|(at, _)| *at - since)
    }

    /// How long each living node took to hold another to be down, ascending; none for those who
    /// have not.
    pub(in crate::members::tests) fn detected(
        &self,
        about: usize,
        since: Duration,
    ) -> Vec<Option<Duration>> {
        let others = self.living().into_iter().filter(|node| *node != about);
        let mut times: Vec<_> = others
            .map(|node| self.told(node, about, since, |c| matches!(c, Change::Down(_))))
            .collect();
        times.sort_by_key(|time| time.unwrap_or(Duration::MAX));
        times
    }
}
