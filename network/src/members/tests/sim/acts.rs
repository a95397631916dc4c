//! What a test does to the network: links, deaths, pauses and cuts.

use std::collections::VecDeque;
use std::time::Duration;

use rand::RngExt;

use super::{BORN, Event, Link, Sim, machine, ms, pair};

impl Sim {
    /// Opens a link with a delay of 5 to 150 ms, the same one each time.
    pub(in crate::members::tests) fn link(&mut self, a: usize, b: usize) {
        if a == b || self.links.get(&pair(a, b)).is_some_and(|link| link.up) {
            return;
        }
        let delay = ms(self.random.random_range(5..=150));
        let (now, epoch) = (self.now, self.number);
        let link = self.links.entry(pair(a, b)).or_insert(Link {
            delay,
            up: true,
            epoch,
            last: [now, now],
        });
        (link.up, link.epoch) = (true, epoch);
        let at = self.now + link.delay;
        self.push(at, Event::Linked { node: a, peer: b });
        self.push(at, Event::Linked { node: b, peer: a });
    }

    /// Breaks a link; what is on its way is lost.
    pub(in crate::members::tests) fn unlink(&mut self, a: usize, b: usize, graceful: bool) {
        let Some(link) = self.links.get_mut(&pair(a, b)).filter(|link| link.up) else { return };
        link.up = false;
        let at = self.now + link.delay;
        self.push(at, Event::Unlinked { node: a, peer: b, graceful });
        self.push(at, Event::Unlinked { node: b, peer: a, graceful });
    }

    fn links_of(&self, node: usize) -> Vec<(usize, usize)> {
        self.links.keys().filter(|(a, b)| *a == node || *b == node).copied().collect()
    }

    /// The process dies; its connections are reset.
    pub(in crate::members::tests) fn kill(&mut self, node: usize) {
        self.vanish(node);
        for (a, b) in self.links_of(node) {
            self.unlink(a, b, false);
        }
    }

    /// The machine dies, and says nothing.
    pub(in crate::members::tests) fn vanish(&mut self, node: usize) {
        self.nodes[node].alive = false;
    }

    /// It starts again, with the links it had, and with a later generation.
    pub(in crate::members::tests) fn restart(&mut self, number: usize) {
        let generation = BORN + self.now.as_millis() as u64 + 1_000;
        self.restart_with(number, generation);
    }

    pub(in crate::members::tests) fn restart_with(&mut self, number: usize, generation: u64) {
        let seed = self.seed ^ self.number;
        let node = &mut self.nodes[number];
        node.machine = machine(number, generation, seed);
        (node.alive, node.wake, node.busy_until) = (true, None, self.now);
        for (a, b) in self.links_of(number) {
            self.link(a, b);
        }
    }

    /// SIGSTOP: nothing is read, and nothing done.
    pub(in crate::members::tests) fn pause(&mut self, node: usize) {
        self.nodes[node].paused = Some(VecDeque::new());
    }

    /// SIGCONT: what has piled up is read, and timers are late.
    pub(in crate::members::tests) fn resume(&mut self, node: usize) {
        let now = self.now;
        for event in self.nodes[node].paused.take().unwrap_or_default() {
            self.push(now, event);
        }
        self.schedule_wake(node);
    }

    /// It does everything so much later, from 5 % of it to all of it.
    pub(in crate::members::tests) fn starve(&mut self, node: usize, most: Duration) {
        self.nodes[node].slow = Some(most);
    }

    /// Nothing passes between two groups; with `breaks` their connections are reset as well.
    pub(in crate::members::tests) fn cut(&mut self, group: &[usize], breaks: bool) {
        let across = |(a, b): &&(usize, usize)| group.contains(a) != group.contains(b);
        let cut: Vec<_> = self.links.keys().filter(across).copied().collect();
        for (a, b) in cut {
            if breaks {
                self.unlink(a, b, false);
            } else {
                self.dead_air.insert((a, b));
            }
        }
    }

    /// All links return, those that broke after a second.
    pub(in crate::members::tests) fn heal(&mut self) {
        self.dead_air.clear();
        let down: Vec<_> =
            self.links.iter().filter(|(_, link)| !link.up).map(|(pair, _)| *pair).collect();
        for (a, b) in down {
            self.link(a, b);
        }
    }
}
