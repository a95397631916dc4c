//! Drives the membership machine: hands it what comes and what time it is, and does what it wants; and keeps the
//! connections that the plan of the slots asks for.

mod shelf;

use std::collections::BTreeMap;
use std::time::Duration;

use hearsay_chain::GenesisId;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use self::shelf::Shelf;
use super::MembersConfig;
use crate::event::MemberList;
use crate::members::address::{self, Reach};
use crate::members::slots::{Connected, Decision, Known, Slots};
use crate::members::{Change, Load, Machine, MemberView, NewError, News, Output, State};

/// How often the plan of the slots is looked at, beside when somebody comes or goes.
const PLAN_EVERY: Duration = Duration::from_secs(1);

/// What the swarm is to do for it.
#[derive(Debug)]
pub(super) enum Errand {
    /// Send a datagram to a neighbour.
    Send(PeerId, Vec<u8>),
    /// Connect to a member; nothing if a connection stands or is being made.
    Dial(PeerId, Vec<Multiaddr>),
    /// Close all connections to a peer that is dead.
    Disconnect(PeerId),
    /// Say goodbye to a peer, and close all connections to it.
    Part(PeerId),
    /// Tell of a change.
    Tell(Box<News>),
    /// A neighbour did what nobody does by mistake.
    Offence(PeerId, &'static str),
}

/// The machine, the slots and the address book of a node that takes part.
pub(super) struct Membership {
    machine: Machine,
    slots: Option<Slots>,
    shelf: Shelf,
    since: BTreeMap<PeerId, Duration>,
    plan_at: Duration,
    /// Where the nearest peers are: what is nearer than they is not believed to be there.
    reach: Reach,
    /// Whether this node listens within its process, so that others do.
    in_process: bool,
}

impl Membership {
    /// # Errors
    /// The node's key is none that members have.
    pub(super) fn new(
        config: MembersConfig,
        genesis: GenesisId,
        keypair: &Keypair,
    ) -> Result<Self, NewError> {
        let MembersConfig { machine, about, generation, seed, slots, book } = config;
        let own = keypair.public().to_peer_id();
        let in_process = about.addresses.iter().any(is_in_process);
        let machine = Machine::new(machine, genesis, keypair.clone(), about, generation, seed)?;
        Ok(Self {
            machine,
            slots: slots.map(|config| Slots::new(config, own, seed)),
            shelf: Shelf::open(book, genesis),
            since: BTreeMap::new(),
            plan_at: Duration::ZERO,
            reach: Reach::Public,
            in_process,
        })
    }

    /// When [`Membership::tick`] is wanted.
    pub(super) fn wake_at(&self) -> Duration {
        self.machine.next_wake().map_or(self.plan_at, |wake| wake.min(self.plan_at))
    }

    pub(super) fn set_load(&mut self, now: Duration, load: Load) {
        self.machine.set_load(now, load);
    }

    /// Datagrams can be sent to a peer.
    pub(super) fn linked(&mut self, now: Duration, peer: PeerId) {
        self.since.entry(peer).or_insert(now);
        self.plan_at = now;
        self.machine.linked(now, peer);
    }

    /// They cannot any more.
    pub(super) fn unlinked(&mut self, now: Duration, peer: PeerId, graceful: bool) {
        self.since.remove(&peer);
        self.plan_at = now;
        self.machine.unlinked(now, peer, graceful);
    }

    pub(super) fn received(&mut self, now: Duration, from: PeerId, datagram: &[u8]) {
        self.machine.received(now, from, datagram);
    }

    pub(super) fn leave(&mut self, now: Duration) {
        self.machine.leave(now);
    }

    /// A dial to a member came to nothing.
    pub(super) fn dial_failed(&mut self, now: Duration, peer: &PeerId) {
        self.shelf.failed(peer);
        if let Some(slots) = &mut self.slots {
            slots.failed(peer, now);
        }
    }

    /// A connection to a peer stands.
    pub(super) fn connected(&mut self, peer: &PeerId) {
        self.shelf.succeeded(peer);
    }

    /// Peers of the address book to try, while nobody else is known: those with the most hope.
    pub(super) fn hopeful_of_the_book(&self, most: usize) -> Vec<(PeerId, Vec<Multiaddr>)> {
        self.shelf.hopeful(most)
    }

    /// Does what is due. `connected`: the peers of our network, and where they are.
    pub(super) fn tick(
        &mut self,
        now: Duration,
        connected: &[(Connected, Multiaddr)],
    ) -> Vec<Errand> {
        let reaches = connected.iter().filter_map(|(_, address)| Reach::of(address));
        self.reach = reaches.min().unwrap_or(self.reach);
        self.machine.tick(now);
        let mut errands = self.errands(now);
        if self.plan_at <= now {
            self.plan_at = now.saturating_add(PLAN_EVERY);
            self.plan(now, connected, &mut errands);
            self.shelf.put_away(false);
        }
        errands
    }

    /// What the machine has to say since it was asked last.
    pub(super) fn errands(&mut self, now: Duration) -> Vec<Errand> {
        let mut errands = Vec::new();
        while let Some(output) = self.machine.output() {
            match output {
                Output::Send { neighbour, bytes } => errands.push(Errand::Send(neighbour, bytes)),
                Output::Dial { peer, addresses } => {
                    let addresses = self.dialable(&peer, &addresses);
                    if !addresses.is_empty() {
                        errands.push(Errand::Dial(peer, addresses));
                    }
                }
                Output::Offence { neighbour, what } => {
                    errands.push(Errand::Offence(neighbour, what));
                }
                Output::News(news) => {
                    self.on_news(now, &news, &mut errands);
                    errands.push(Errand::Tell(Box::new(news)));
                }
            }
        }
        errands
    }

    fn on_news(&mut self, now: Duration, news: &News, errands: &mut Vec<Errand>) {
        let member = &news.member;
        if member.own {
            return;
        }
        match news.change {
            // At once, rather than after the transport's time: what waits for it is asked of others.
            Change::Down(_) => {
                self.plan_at = now;
                if member.neighbour {
                    errands.push(Errand::Disconnect(member.peer));
                }
            }
            Change::Joined | Change::Updated | Change::Renewed { .. } => {
                self.plan_at = now;
                self.shelf.seen(member.peer, &member.addresses);
            }
            Change::Suspected | Change::Refuted | Change::Forgotten => {}
        }
    }

    fn plan(
        &mut self,
        now: Duration,
        connected: &[(Connected, Multiaddr)],
        errands: &mut Vec<Errand>,
    ) {
        if self.slots.is_none() {
            return;
        }
        let there = |member: &MemberView| !member.own && !matches!(member.state, State::Down(_));
        let known: Vec<Known> = self
            .machine
            .members(now)
            .into_iter()
            .filter(there)
            .map(|member| Known {
                addresses: self.dialable(&member.peer, &member.addresses),
                peer: member.peer,
                alive: member.state == State::Alive,
                rtt: member.rtt,
                load: member.load.map(|(load, _)| load).unwrap_or_default(),
                introducer: None,
            })
            .collect();
        let since = |peer| self.since.get(peer).copied().unwrap_or(now);
        let connected: Vec<Connected> = connected
            .iter()
            .map(|(it, _)| Connected { since: since(&it.peer), ..it.clone() })
            .collect();
        let slots = self.slots.as_mut();
        let decisions = slots.map(|slots| slots.decide(now, &known, &connected));
        for decision in decisions.unwrap_or_default() {
            errands.push(match decision {
                Decision::Dial(peer, addresses) => Errand::Dial(peer, addresses),
                Decision::Drop(peer) => Errand::Part(peer),
            });
        }
    }

    pub(super) fn list(&self, now: Duration) -> MemberList {
        let members = self.machine.members(now);
        let slot = |member: &MemberView| {
            let kind = self.slots.as_ref().and_then(|slots| slots.kind(&member.peer));
            kind.map(|kind| (member.peer, kind))
        };
        let slots = members.iter().filter_map(slot).collect();
        MemberList { slots, members, stats: self.machine.stats(), now }
    }

    /// The addresses of a member that are worth dialling from here.
    fn dialable(&self, peer: &PeerId, addresses: &[Multiaddr]) -> Vec<Multiaddr> {
        let usable = |address: &Multiaddr| match is_in_process(address) {
            true => Some(address.clone()).filter(|_| self.in_process),
            false => address::usable(address, peer, self.reach),
        };
        addresses.iter().filter_map(usable).collect()
    }

    /// Writes the address book a last time.
    pub(super) fn close(&mut self) {
        self.shelf.put_away(true);
    }
}

fn is_in_process(address: &Multiaddr) -> bool {
    matches!(address.iter().next(), Some(Protocol::Memory(_)))
}
