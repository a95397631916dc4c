//! The place of one node in a testnet: what it is to be, and whether it runs.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Command;

use hearsay_chain::Genesis;
use hearsay_node::embed::{Embedded, Shared};
use hearsay_node::handle::Handle;
use hearsay_node::lab::LabSettings;
use tokio::sync::{mpsc, watch};

use super::client::Client;
use super::duty::Duty;
use super::host::{End, Exit, Host};
use super::layout::Layout;
use super::plan::NodePlan;
use super::process::Process;
use super::{ClusterError, LOG_VARIABLE, VARIABLES};

/// How a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has yet to be started.
    Waiting,
    /// It runs.
    Up,
    /// It stands still.
    Paused,
    /// It was killed or stopped, as was asked.
    Down,
    /// It ended, and nobody had asked for it.
    Dead,
}

impl State {
    /// In one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Up => "up",
            State::Paused => "paused",
            State::Down => "down",
            State::Dead => "dead",
        }
    }
}

/// What all nodes of a testnet are started with.
#[derive(Debug)]
pub struct Maker<'a> {
    /// The files.
    pub layout: &'a Layout,
    /// The network.
    pub genesis: &'a Genesis,
    /// The node's program, for nodes that are processes.
    pub program: &'a Path,
    /// What nodes in this process share, for those that are.
    pub shared: Option<&'a Shared>,
    /// Takes the end of each.
    pub exits: &'a mpsc::UnboundedSender<Exit>,
}

/// One node's place.
#[derive(Debug)]
pub struct Seat {
    /// What it is to be.
    pub plan: NodePlan,
    /// Asks it.
    pub client: Client,
    number: usize,
    state: State,
    life: u64,
    host: Option<Host>,
    /// Where a node in this process puts its handle.
    handle: watch::Sender<Option<Handle>>,
}

impl Seat {
    /// A place that is still empty.
    ///
    /// # Errors
    /// The RPC's address cannot be used.
    pub fn new(number: usize, plan: NodePlan) -> Result<Self, ClusterError> {
        let (handle, handles) = watch::channel(None);
        let client = match plan.url() {
            Some(url) => Client::new(&url)
                .map_err(|source| ClusterError::Rpc { node: plan.name.clone(), source })?,
            None => Client::embedded(handles),
        };
        Ok(Self { plan, client, number, state: State::Waiting, life: 0, host: None, handle })
    }

    /// How it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Its process, if it runs in one of its own.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.host.as_ref().and_then(Host::own_process).map(Process::pid)
    }

    /// Starts the node with its settings written anew, so that one that comes back finds the links as
    /// they are by then.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn start(&mut self, maker: &Maker<'_>, lab: LabSettings) -> Result<(), ClusterError> {
        let failed = |source| ClusterError::Start { node: self.plan.name.clone(), source };
        let settings = self.plan.settings(maker.layout, lab).map_err(io::Error::other);
        let settings = settings.map_err(failed)?;
        let life = (self.number, self.life + 1);
        let host = match maker.shared {
            None => {
                let config = maker.layout.config(&self.plan.name);
                let text = toml::to_string(&settings).map_err(io::Error::other);
                let command = text
                    .and_then(|text| std::fs::write(&config, text))
                    .and_then(|()| self.command(maker, &config));
                let host =
                    command.and_then(|command| Host::process(command, life, maker.exits.clone()));
                host.map_err(failed)?
            }
            Some(shared) => {
                let (key, authority) = (self.plan.identity.clone(), self.plan.authority.clone());
                let genesis = maker.genesis.clone();
                let node = Embedded::start(settings, genesis, key, authority, shared).await;
                let node = node.map_err(|error| failed(io::Error::other(format!("{error:#}"))))?;
                Host::embedded(node, life, self.handle.clone(), maker.exits.clone())
            }
        };
        self.life += 1;
        self.host = Some(host);
        self.state = State::Up;
        Ok(())
    }

    /// The node's command line, free of settings in our own environment: a run is to follow from its
    /// scenario alone.
    fn command(&self, maker: &Maker<'_>, config: &Path) -> io::Result<Command> {
        let log = maker.layout.log(&self.plan.name);
        let log = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new(maker.program);
        command.args(self.plan.arguments(config)).stdout(log.try_clone()?).stderr(log);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with(VARIABLES) && text != LOG_VARIABLE {
                command.env_remove(&name);
            }
        }
        Ok(command)
    }

    /// Tells it to stop, and waits for that. Returns how it ended, if not in order; none inside if it
    /// had to be killed. Whoever gives up waiting can still kill it.
    pub async fn stop(&mut self) -> Option<Option<End>> {
        self.goes_down();
        let end = self.host.as_ref()?.stop().await;
        self.host = None;
        (!end.as_ref().is_some_and(End::in_order)).then_some(end)
    }

    /// Kills it, and waits for its end.
    pub async fn kill(&mut self) {
        self.goes_down();
        if let Some(host) = &self.host {
            host.kill().await;
        }
        self.host = None;
    }

    /// From here on its end is no surprise.
    fn goes_down(&mut self) {
        if self.state != State::Dead {
            self.state = State::Down;
        }
    }

    /// Lets it stand still. Only a process can.
    pub fn pause(&mut self) {
        if let Some(process) = self.host.as_ref().and_then(Host::own_process) {
            process.pause();
            self.state = State::Paused;
        }
    }

    /// Lets it go on.
    pub fn resume(&mut self) {
        if let Some(process) = self.host.as_ref().and_then(Host::own_process) {
            process.resume();
            self.state = State::Up;
        }
    }

    /// Lets it run for a share of the time only; none: all the time again. It is up all the same. Only a
    /// process can.
    pub fn starve(&mut self, duty: Option<Duty>) {
        if let Some(process) = self.host.as_ref().and_then(Host::own_process) {
            process.starve(duty);
        }
    }

    /// Whether an end is that of the node as it is now: it may run again by then.
    #[must_use]
    pub fn is_current(&self, exit: &Exit) -> bool {
        exit.life == self.life && self.host.is_some()
    }

    /// Takes the news that it has ended by itself. Whether it is so.
    pub fn ended(&mut self, exit: &Exit) -> bool {
        let is_so = self.is_current(exit);
        if is_so {
            self.host = None;
            self.state = State::Dead;
        }
        is_so
    }

    /// Whether it is there to be asked.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.state == State::Up
    }
}
