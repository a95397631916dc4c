//! What can be done to a running testnet, and doing it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use hearsay_node::lab::LabChange;
use hearsay_node::rpc::CallError;
use tokio::time::timeout;

use super::links::Slowed;
use super::{Fault, Lab};
use crate::cluster::{Client, Duty, Seat, State};
use crate::scenario::{Action, Heal, Slow};

/// How long a node may take to be told of its links: one that was just started opens its store first.
const TELLING: Duration = Duration::from_secs(10);

/// The time between two tries to reach one that does not listen yet.
const ASK_AGAIN: Duration = Duration::from_millis(50);

impl Lab {
    /// Does it, and writes down that it was done. Returns what was done, in a few words.
    ///
    /// # Errors
    /// Why it was not done, or not to every node, in a sentence.
    pub async fn act(&mut self, action: &Action) -> Result<String, String> {
        let what = self.describe(action);
        match action {
            Action::Kill(nodes) => self.kill(nodes).await?,
            Action::Leave(nodes) => self.leave(nodes).await?,
            Action::Restart(nodes) => self.restart(nodes).await?,
            Action::Start(nodes) => self.start_late(nodes).await?,
            Action::Pause(nodes) => self.pause(nodes)?,
            Action::Resume(nodes) => self.resume(nodes).await?,
            Action::Cut { from, to, one_way } => {
                if !self.links.any_between(from, to) {
                    return Err("there is no link between them that could be cut".to_owned());
                }
                let concerned = self.links.cut(from, to, *one_way);
                self.record_cuts();
                self.tell(concerned).await?;
            }
            Action::Heal(heal) => {
                let concerned = match heal {
                    Heal::All => self.links.heal(None),
                    Heal::Between { from, to } => self.links.heal(Some((from, to))),
                };
                self.record_cuts();
                self.tell(concerned).await?;
            }
            Action::Slow { nodes, slow } => {
                let concerned = self.links.slow(nodes, slowed(slow));
                self.tell(concerned).await?;
            }
            Action::Starve { nodes, share } => self.starve(nodes, *share)?,
            Action::Skew { nodes, ms } => self.skew(nodes, *ms).await?,
            Action::Load(index) => self.loads.begin(*index),
        }
        self.record_done(what.clone(), touched(action));
        self.write_manifest();
        Ok(what)
    }

    async fn kill(&mut self, nodes: &[usize]) -> Result<(), String> {
        self.must_be(nodes, &[State::Up, State::Paused], "killed")?;
        for &node in nodes {
            self.cluster.seat(node).kill().await;
            self.tail.gone(&self.name(node));
            self.record_resume(node);
        }
        Ok(())
    }

    /// Lets nodes end in order, all at once.
    async fn leave(&mut self, nodes: &[usize]) -> Result<(), String> {
        self.must_be(nodes, &[State::Up, State::Paused], "told to leave")?;
        self.stop_nodes(nodes).await;
        for &node in nodes {
            self.tail.gone(&self.name(node));
            self.record_resume(node);
        }
        Ok(())
    }

    async fn stop_nodes(&mut self, nodes: &[usize]) {
        for (node, end) in self.cluster.stop_some(nodes).await {
            let how = end.map_or("it had to be killed".to_owned(), |end| end.to_string());
            let name = self.name(node);
            let what = format!("{name} did not stop in order: {how}");
            self.fault(Fault::of_node(&self.layout, &name, what));
        }
    }

    /// Stops those that run, all at once, and starts all of them.
    async fn restart(&mut self, nodes: &[usize]) -> Result<(), String> {
        self.stop_nodes(nodes).await;
        for &node in nodes {
            self.record_resume(node);
            self.start_node(node).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    async fn start_late(&mut self, nodes: &[usize]) -> Result<(), String> {
        self.must_be(nodes, &[State::Waiting, State::Down, State::Dead], "started")?;
        for &node in nodes {
            self.start_node(node).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn pause(&mut self, nodes: &[usize]) -> Result<(), String> {
        if self.scenario.nodes.in_process {
            return Err("a node in this process cannot stand still while others go on; run \
                        the nodes as processes"
                .to_owned());
        }
        self.must_be(nodes, &[State::Up], "paused")?;
        for &node in nodes {
            self.cluster.seat(node).pause();
            self.record_fed(node);
            self.record_pause(node);
        }
        Ok(())
    }

    /// Lets nodes run for a share of the time only, or all the time again. They are up all the same.
    fn starve(&mut self, nodes: &[usize], share: f64) -> Result<(), String> {
        if self.scenario.nodes.in_process {
            return Err("a node in this process cannot stand still while others go on; run \
                        the nodes as processes"
                .to_owned());
        }
        self.must_be(nodes, &[State::Up], "starved")?;
        let duty = Duty::of(share);
        for &node in nodes {
            self.cluster.seat(node).starve(duty);
            self.record_fed(node);
            if duty.is_some() {
                self.record_starved(node, share);
            }
        }
        Ok(())
    }

    async fn resume(&mut self, nodes: &[usize]) -> Result<(), String> {
        self.must_be(nodes, &[State::Paused], "resumed")?;
        for &node in nodes {
            self.cluster.seat(node).resume();
            self.record_resume(node);
        }
        // What changed for them meanwhile.
        self.tell(nodes.iter().copied().collect()).await
    }

    async fn skew(&mut self, nodes: &[usize], ms: i64) -> Result<(), String> {
        for &node in nodes {
            self.skews[node] = ms;
        }
        self.tell(nodes.iter().copied().collect()).await
    }

    /// Tells nodes what their links and clocks are now, all at once, and with them those that could not
    /// be told before. Those that do not run find out when they start, those that stand still when
    /// they go on.
    pub(super) async fn tell(&mut self, mut nodes: BTreeSet<usize>) -> Result<(), String> {
        nodes.append(&mut self.untold);
        let there = nodes.iter().filter(|node| self.cluster.seats()[**node].answers());
        let told = there.map(async |&node| {
            let peer = |other: usize| self.network.nodes[other].peer().to_string();
            let skew_ms = Some(self.skews[node]);
            let change = LabChange { skew_ms, ..self.links.told(node, peer) };
            let Seat { client, plan, .. } = &self.cluster.seats()[node];
            match timeout(TELLING, tell_one(client, &change)).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some((node, format!("{}: {error}", plan.name))),
                Err(_) => Some((node, format!("{}: no answer", plan.name))),
            }
        });
        let failed: Vec<(usize, String)> = join_all(told).await.into_iter().flatten().collect();
        if failed.is_empty() {
            return Ok(());
        }
        let (untold, why): (Vec<usize>, Vec<String>) = failed.into_iter().unzip();
        self.untold.extend(untold);
        Err(format!("not all nodes could be told of their links: {}", why.join("; ")))
    }

    fn must_be(&self, nodes: &[usize], states: &[State], done: &str) -> Result<(), String> {
        let wrong =
            nodes.iter().find(|node| !states.contains(&self.cluster.seats()[**node].state()));
        match wrong {
            None => Ok(()),
            Some(&node) => {
                let state = self.cluster.seats()[node].state().word();
                Err(format!("{} is {state}, so it cannot be {done}", self.name(node)))
            }
        }
    }

    /// What an action is, in a few words. Pure.
    fn describe(&self, action: &Action) -> String {
        let list = |nodes: &[usize]| match nodes.len() {
            all if all > 1 && all == self.plan.nodes() => "all nodes".to_owned(),
            0..=6 => self.names(nodes).join(", "),
            many => format!("{} and {} more", self.names(&nodes[..5]).join(", "), many - 5),
        };
        match action {
            Action::Kill(nodes) => format!("kill {}", list(nodes)),
            Action::Leave(nodes) => format!("let {} leave", list(nodes)),
            Action::Restart(nodes) => format!("restart {}", list(nodes)),
            Action::Start(nodes) => format!("start {}", list(nodes)),
            Action::Pause(nodes) => format!("pause {}", list(nodes)),
            Action::Resume(nodes) => format!("resume {}", list(nodes)),
            Action::Cut { from, to, one_way: false } => {
                format!("cut {} from {}", list(from), list(to))
            }
            Action::Cut { from, to, one_way: true } => {
                format!("cut the way from {} to {}", list(from), list(to))
            }
            Action::Heal(Heal::All) => "heal everything".to_owned(),
            Action::Heal(Heal::Between { from, to }) => {
                format!("heal between {} and {}", list(from), list(to))
            }
            Action::Slow { nodes, slow } => match slowed(slow) {
                Some(_) => format!("slow {}{}", list(nodes), how_slow(slow)),
                None => format!("let {} be as fast as at first", list(nodes)),
            },
            Action::Starve { nodes, share } if *share < 1.0 => {
                format!("starve {}: it runs for {share} of the time", list(nodes))
            }
            Action::Starve { nodes, .. } => format!("let {} run all the time", list(nodes)),
            Action::Skew { nodes, ms } => format!("set {} off by {ms} ms", list(nodes)),
            Action::Load(index) => format!("begin load {}", index + 1),
        }
    }
}

/// Tells one node, however often it takes: one that was started a moment ago does not listen yet.
async fn tell_one(client: &Client, change: &LabChange) -> Result<(), CallError> {
    loop {
        match client.lab_set(change.clone()).await {
            Err(CallError::Unreachable(_)) => tokio::time::sleep(ASK_AGAIN).await,
            told => return told,
        }
    }
}

/// What the links know as being slow; none takes it back.
fn slowed(slow: &Slow) -> Option<Slowed> {
    let undone = slow.factor == Some(1.0) && Slow { factor: None, ..*slow } == Slow::default();
    let micros = |delay: Duration| u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
    (!undone).then(|| Slowed {
        factor: slow.factor,
        more_delay_us: slow.delay.map_or(0, micros),
        up: slow.up,
        down: slow.down,
    })
}

fn how_slow(slow: &Slow) -> String {
    let mut how = String::new();
    if let Some(factor) = slow.factor {
        how += &format!(", {factor} times less bandwidth");
    }
    if let Some(up) = slow.up {
        how += &format!(", {up} bytes a second up");
    }
    if let Some(down) = slow.down {
        how += &format!(", {down} bytes a second down");
    }
    if let Some(delay) = slow.delay {
        how += &format!(", {} ms more delay", delay.as_secs_f64() * 1e3);
    }
    how
}

/// The nodes that an action is done to.
fn touched(action: &Action) -> &[usize] {
    match action {
        Action::Kill(nodes)
        | Action::Leave(nodes)
        | Action::Starve { nodes, .. }
        | Action::Restart(nodes)
        | Action::Start(nodes)
        | Action::Pause(nodes)
        | Action::Resume(nodes)
        | Action::Slow { nodes, .. }
        | Action::Skew { nodes, .. }
        | Action::Cut { from: nodes, .. }
        | Action::Heal(Heal::Between { from: nodes, .. }) => nodes,
        Action::Heal(Heal::All) | Action::Load(_) => &[],
    }
}
