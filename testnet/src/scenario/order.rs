//! Goes through the actions of a scenario in their order and keeps account of what is up and what is
//! cut, so that an action that could not be done is refused before anything starts.

use std::collections::BTreeSet;
use std::time::Duration;

use super::actions::{Placed, What};
use super::names::listed;
use super::plan::{Action, Heal};
use super::problem::{Problems, Wrong};
use crate::topology::Topology;

/// What a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is still to join.
    Waiting,
    Up,
    Paused(Duration),
    Killed(Duration),
    Left(Duration),
}

/// What there is at a moment.
#[derive(Debug)]
struct World<'a> {
    nodes: Vec<State>,
    cut: BTreeSet<(usize, usize)>,
    topology: &'a Topology,
    in_process: bool,
}

/// When each node is up: stretches of time, in order.
#[derive(Clone, Debug)]
pub(super) struct Uptimes(Vec<Vec<(Duration, Option<Duration>)>>);

impl Uptimes {
    /// The nodes that are up from `from` to `until` without a break.
    pub(super) fn throughout(&self, from: Duration, until: Duration) -> Vec<usize> {
        let covers = |&(begin, end): &(Duration, Option<Duration>)| {
            begin <= from && end.is_none_or(|end| until <= end)
        };
        (0..self.0.len()).filter(|&node| self.0[node].iter().any(covers)).collect()
    }
}

/// Checks the actions, which are in the order of time. Returns when each node is up.
pub(super) fn check(
    actions: &[Placed],
    topology: &Topology,
    in_process: bool,
    problems: &Problems,
) -> Uptimes {
    let late = |node: &usize| {
        actions.iter().any(|placed| {
            matches!(&placed.what, What::Action(Action::Start(nodes)) if nodes.contains(node))
        })
    };
    let state = |node| if late(&node) { State::Waiting } else { State::Up };
    let nodes: Vec<_> = (0..topology.nodes()).map(state).collect();
    let up = |state: &State| match state {
        State::Up => vec![(Duration::ZERO, None)],
        _ => Vec::new(),
    };
    let mut uptimes = Uptimes(nodes.iter().map(up).collect());
    let mut world = World { nodes, cut: BTreeSet::new(), topology, in_process };
    for Placed { at, what, place } in actions {
        let What::Action(action) = what else { continue };
        if let Err(wrong) = world.apply(*at, action) {
            problems.add(place, wrong);
        }
        for (node, state) in world.nodes.iter().enumerate() {
            let stretches = &mut uptimes.0[node];
            let open = stretches.last().is_some_and(|(_, end)| end.is_none());
            match (*state == State::Up, open) {
                (true, false) => stretches.push((*at, None)),
                (false, true) => stretches[..].last_mut().expect("it is open").1 = Some(*at),
                _ => {}
            }
        }
    }
    uptimes
}

impl World<'_> {
    fn apply(&mut self, at: Duration, action: &Action) -> Result<(), Wrong> {
        match action {
            Action::Kill(nodes) => self.change(nodes, State::Killed(at), |state| match state {
                State::Up | State::Paused(_) => None,
                _ => Some("kill what runs"),
            }),
            Action::Restart(nodes) => self.change(nodes, State::Up, |state| match state {
                State::Killed(_) | State::Left(_) => None,
                State::Waiting => Some("a node joins with `start`"),
                _ => Some("restart what was killed"),
            }),
            Action::Leave(nodes) => self.change(nodes, State::Left(at), |state| match state {
                State::Up | State::Paused(_) => None,
                _ => Some("only who is there can leave"),
            }),
            Action::Starve { .. } if self.in_process => {
                Err(Wrong::new("`starve` holds a process still, and here all nodes run in one")
                    .hint("give `processes` in place of `in-process`"))
            }
            Action::Pause(_) if self.in_process => {
                Err(Wrong::new("`pause` stops a process, and here all nodes run in one")
                    .hint("give `processes` in place of `in-process`, or cut the node off"))
            }
            Action::Pause(nodes) => self.change(nodes, State::Paused(at), |state| match state {
                State::Up => None,
                _ => Some("pause what runs"),
            }),
            Action::Resume(nodes) => self.change(nodes, State::Up, |state| match state {
                State::Paused(_) => None,
                _ => Some("resume what was paused"),
            }),
            Action::Start(nodes) => self.change(nodes, State::Up, |state| match state {
                State::Waiting => None,
                State::Killed(_) | State::Left(_) => Some("use `restart`"),
                _ => Some("it starts once"),
            }),
            Action::Slow { nodes, .. }
            | Action::Starve { nodes, .. }
            | Action::Skew { nodes, .. } => {
                let down = nodes.iter().find(|&&node| self.nodes[node] != State::Up);
                down.map_or(Ok(()), |&node| {
                    Err(self.told(node).hint("only a node that runs can be told to change"))
                })
            }
            Action::Cut { from, to, one_way } => self.cut(from, to, *one_way),
            Action::Heal(heal) => self.heal(heal),
            Action::Load(_) => Ok(()),
        }
    }

    /// Puts nodes into a state, unless `refuse` has an objection to the one that one of them is in.
    fn change(
        &mut self,
        nodes: &[usize],
        to: State,
        refuse: impl Fn(State) -> Option<&'static str>,
    ) -> Result<(), Wrong> {
        let refused = nodes.iter().find_map(|&node| Some((node, refuse(self.nodes[node])?)));
        if let Some((node, hint)) = refused {
            return Err(self.told(node).hint(hint));
        }
        for &node in nodes {
            self.nodes[node] = to;
        }
        Ok(())
    }

    /// In what state a node is, as something that is wrong.
    fn told(&self, node: usize) -> Wrong {
        Wrong::new(match self.nodes[node] {
            State::Waiting => format!("n{node} has not joined by then"),
            State::Up => format!("n{node} is up and running by then"),
            State::Paused(at) => format!("n{node} is paused since {at:?}"),
            State::Left(at) => format!("n{node} has left by then, at {at:?}"),
            State::Killed(at) => format!("n{node} is dead by then: it was killed at {at:?}"),
        })
    }

    fn cut(&mut self, from: &[usize], to: &[usize], one_way: bool) -> Result<(), Wrong> {
        let joined = pairs(from, to).filter(|&(a, b)| self.topology.joins(a, b));
        let joined: Vec<_> = joined.collect();
        if joined.is_empty() {
            return Err(Wrong::new(format!(
                "no link joins {} and {}, so this cuts nothing",
                listed(from),
                listed(to)
            ))
            .hint("name nodes that the [topology] connects"));
        }
        self.cut.extend(joined.iter().copied());
        if !one_way {
            self.cut.extend(joined.iter().map(|&(a, b)| (b, a)));
        }
        Ok(())
    }

    fn heal(&mut self, heal: &Heal) -> Result<(), Wrong> {
        let before = self.cut.len();
        match heal {
            Heal::All => self.cut.clear(),
            Heal::Between { from, to } => {
                for (a, b) in pairs(from, to) {
                    self.cut.remove(&(a, b));
                    self.cut.remove(&(b, a));
                }
            }
        }
        if self.cut.len() < before {
            return Ok(());
        }
        Err(Wrong::new("nothing is cut there by then").hint("cut before you heal"))
    }
}

fn pairs<'a>(from: &'a [usize], to: &'a [usize]) -> impl Iterator<Item = (usize, usize)> + 'a {
    from.iter().flat_map(move |&a| to.iter().map(move |&b| (a, b)))
}
