//! Drives the membership machine: hands it what comes and what time it is, and does what it wants; and keeps the
//! connections that the plan of the slots asks for. A node may do either without the other: who takes no part in
//! membership connects to those that its table, its local network or its address book knows of.

mod found;
mod shelf;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hearsay_chain::GenesisId;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use self::found::Found;
use self::shelf::Shelf;
use super::{DiscoveryConfig, MembersConfig};
use crate::event::MemberList;
use crate::members::address::{self, Reach};
use crate::members::profile::MAX_ADDRESSES;
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

/// The machine of a node that takes part, the slots, and the address book.
pub(super) struct Membership {
    machine: Option<Machine>,
    slots: Option<Slots>,
    shelf: Shelf,
    /// Peers that no member told of.
    found: Found,
    since: BTreeMap<PeerId, Duration>,
    plan_at: Duration,
    /// Where the nearest peers are: what is nearer than they is not believed to be there.
    reach: Reach,
    /// Whether others are told set addresses, not those that this node listens on.
    announced: bool,
    /// Whether this node listens within its process, so that others do.
    in_process: bool,
}

impl Membership {
    /// # Errors
    /// The node's key is none that members have.
    pub(super) fn new(
        members: Option<MembersConfig>,
        discovery: DiscoveryConfig,
        genesis: GenesisId,
        keypair: &Keypair,
        listen: &[Multiaddr],
    ) -> Result<Self, NewError> {
        let DiscoveryConfig { seed, slots, book, .. } = discovery;
        let own = keypair.public().to_peer_id();
        let announced = members.as_ref().is_some_and(|it| !it.about.addresses.is_empty());
        let machine = members.map(|it| {
            let MembersConfig { machine, mut about, started, seed } = it;
            if !announced {
                // More of them, as each interface has its own, are told as they come.
                about.addresses = address::worth_telling(listen);
            }
            Machine::new(machine, genesis, keypair.clone(), about, started, seed)
        });
        Ok(Self {
            machine: machine.transpose()?,
            slots: slots.map(|config| Slots::new(config, own, seed)),
            shelf: Shelf::open(book, genesis),
            found: Found::default(),
            since: BTreeMap::new(),
            plan_at: Duration::ZERO,
            reach: Reach::Public,
            announced,
            in_process: listen.iter().any(is_in_process),
        })
    }

    /// When [`Membership::tick`] is wanted.
    pub(super) fn wake_at(&self) -> Duration {
        let wake = self.machine.as_ref().and_then(Machine::next_wake);
        wake.map_or(self.plan_at, |wake| wake.min(self.plan_at))
    }

    pub(super) fn set_load(&mut self, now: Duration, load: Load) {
        if let Some(machine) = &mut self.machine {
            machine.set_load(now, load);
        }
    }

    /// The addresses that this node listens on now.
    pub(super) fn listens(&mut self, now: Duration, addresses: &[Multiaddr]) {
        if let Some(machine) = self.machine.as_mut().filter(|_| !self.announced) {
            machine.set_addresses(now, address::worth_telling(addresses));
        }
    }

    /// Datagrams can be sent to a peer.
    pub(super) fn linked(&mut self, now: Duration, peer: PeerId) {
        self.plan_at = now;
        if let Some(machine) = &mut self.machine {
            machine.linked(now, peer);
        }
    }

    /// They cannot any more.
    pub(super) fn unlinked(&mut self, now: Duration, peer: PeerId, graceful: bool) {
        self.plan_at = now;
        if let Some(machine) = &mut self.machine {
            machine.unlinked(now, peer, graceful);
        }
    }

    pub(super) fn received(&mut self, now: Duration, from: PeerId, datagram: &[u8]) {
        if let Some(machine) = &mut self.machine {
            machine.received(now, from, datagram);
        }
    }

    pub(super) fn leave(&mut self, now: Duration) {
        if let Some(machine) = &mut self.machine {
            machine.leave(now);
        }
    }

    /// A dial to a member came to nothing.
    pub(super) fn dial_failed(&mut self, now: Duration, peer: &PeerId) {
        self.shelf.failed(peer);
        if let Some(slots) = &mut self.slots {
            slots.failed(peer, now);
        }
    }

    /// A connection to a peer stands, which is there.
    pub(super) fn connected(&mut self, now: Duration, peer: PeerId, address: &Multiaddr) {
        self.reach = Reach::of(address).map_or(self.reach, |reach| reach.min(self.reach));
        self.shelf.succeeded(&peer);
        self.since.entry(peer).or_insert(now);
        self.plan_at = now;
    }

    /// None does any more.
    pub(super) fn disconnected(&mut self, now: Duration, peer: &PeerId) {
        self.since.remove(peer);
        self.plan_at = now;
    }

    /// Somebody other than a member says where a peer is, from so far away.
    pub(super) fn told(
        &mut self,
        now: Duration,
        peer: PeerId,
        addresses: &[Multiaddr],
        teller: Option<Reach>,
    ) {
        let addresses = self.dialable_from(&peer, addresses, teller.unwrap_or(self.reach));
        self.found.told(now, peer, &addresses);
        self.shelf.seen(peer, &addresses);
        self.plan_at = now;
    }

    /// Whether this node fills slots, and all are filled.
    pub(super) fn is_settled(&self) -> bool {
        self.slots.as_ref().is_some_and(|slots| !slots.has_room())
    }

    /// How near the nearest neighbour is, and whether others are within this process.
    pub(super) fn nearest(&self) -> (Reach, bool) {
        (self.reach, self.in_process)
    }

    /// Whether more peers are wanted than are known.
    pub(super) fn seeks(&self) -> bool {
        self.slots.as_ref().is_some_and(Slots::has_room)
    }

    /// The addresses of a peer that are worth noting, when a neighbour tells of them.
    pub(super) fn dialable(&self, peer: &PeerId, addresses: &[Multiaddr]) -> Vec<Multiaddr> {
        self.dialable_from(peer, addresses, self.reach)
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
        if let Some(machine) = &mut self.machine {
            machine.tick(now);
        }
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
        while let Some(output) = self.machine.as_mut().and_then(Machine::output) {
            match output {
                Output::Send { neighbour, bytes } => errands.push(Errand::Send(neighbour, bytes)),
                // A node that is to connect to nobody but its bootstrap addresses dials those by itself.
                Output::Dial { .. } if self.slots.is_none() => {}
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
                // It says so itself, and so it may be anything.
                let addresses = self.dialable(&member.peer, &member.addresses);
                if !addresses.is_empty() {
                    self.shelf.seen(member.peer, &addresses);
                }
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
        let known = self.known(now, connected);
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

    /// Everybody to whom this node could be connected. Of members, their list is the last word.
    fn known(&self, now: Duration, connected: &[(Connected, Multiaddr)]) -> Vec<Known> {
        let members = self.machine.as_ref().map(|machine| machine.members(now));
        let is_alone = members.is_none();
        let members = members.unwrap_or_default();
        let listed: BTreeSet<PeerId> = members.iter().map(|member| member.peer).collect();
        let there = |member: &MemberView| !member.own && !matches!(member.state, State::Down(_));
        let mut known: Vec<Known> = members
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
        let stranger = |peer, addresses| Known {
            peer,
            addresses,
            alive: true,
            rtt: None,
            load: Load::default(),
            introducer: None,
        };
        let mut others: BTreeMap<PeerId, Vec<Multiaddr>> = BTreeMap::new();
        if is_alone {
            // They are there: no list has to say so.
            others.extend(connected.iter().map(|(it, _)| (it.peer, Vec::new())));
        }
        others.extend(self.found.all(now).map(|(peer, at)| (peer, at.to_vec())));
        others.retain(|peer, _| !listed.contains(peer));
        known.extend(others.into_iter().map(|(peer, addresses)| stranger(peer, addresses)));
        known
    }

    /// The members, if this node takes part.
    pub(super) fn list(&self, now: Duration) -> Option<MemberList> {
        let machine = self.machine.as_ref()?;
        let members = machine.members(now);
        let slot = |member: &MemberView| {
            let kind = self.slots.as_ref().and_then(|slots| slots.kind(&member.peer));
            kind.map(|kind| (member.peer, kind))
        };
        let slots = members.iter().filter_map(slot).collect();
        Some(MemberList { slots, members, stats: machine.stats(), now })
    }

    /// The addresses of a peer that are worth dialling from here, if somebody that is so near tells of them.
    fn dialable_from(
        &self,
        peer: &PeerId,
        addresses: &[Multiaddr],
        teller: Reach,
    ) -> Vec<Multiaddr> {
        let usable = |address: &Multiaddr| match is_in_process(address) {
            true => Some(address.clone()).filter(|_| self.in_process),
            false => address::usable(address, peer, teller),
        };
        addresses.iter().filter_map(usable).take(MAX_ADDRESSES).collect()
    }

    /// Writes the address book a last time.
    pub(super) fn close(&mut self) {
        self.shelf.put_away(true);
    }
}

fn is_in_process(address: &Multiaddr) -> bool {
    matches!(address.iter().next(), Some(Protocol::Memory(_)))
}
