//! The loop: one event of the swarm or one command at a time, and never a wait for the reader.

mod charging;
mod dialling;
mod finding;
mod membership;
mod pushing;
mod requests;
mod spread;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::request_response::OutboundRequestId;
use libp2p::swarm::{ConnectionId, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, identify};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, sleep_until};

use self::finding::Finding;
use super::bans::Bans;
use super::bridge::Bridge;
use super::drops::Drops;
use super::members::Membership;
use super::peers::{Peers, Spread};
use super::probes::Probes;
use super::{COMMAND_QUEUE, Config, NetworkError};
use crate::behaviour::{Behaviour, BehaviourEvent, protocol_version};
use crate::bundler::Bundler;
use crate::dialer::Dialer;
use crate::event::{Command, NetEvent, PeerView, RequestId};
use crate::gossip::Mode;
use crate::lanes::Lanes;
use crate::outbox::{Closed, Outbox, ROOM};
use crate::push::stream::TrafficCount;
use crate::table;
use crate::topic::{Topic, Topics};

/// How often the dialling plan is looked at: well below its shortest wait.
const DIAL_TICK: Duration = Duration::from_millis(100);

/// Commands that are carried out before the swarm has its turn: a millisecond of work.
const COMMANDS_AT_ONCE: usize = 32;

/// The swarm and what the shell keeps beside it.
pub(super) struct Service {
    swarm: Swarm<Behaviour>,
    topics: Topics,
    speaks: String,
    peers: Peers,
    dialer: Dialer,
    outbox: Outbox,
    asked: HashMap<OutboundRequestId, RequestId>,
    /// The addresses that it listens on: those of this machine's interfaces.
    listening: Vec<Multiaddr>,
    /// Addresses being dialled: an error does not always name its own.
    dialling: HashMap<ConnectionId, Multiaddr>,
    bans: Bans,
    probes: Probes,
    mode: Mode,
    bundler: Bundler,
    bridge: Bridge,
    drops: Drops,
    traffic: TrafficCount,
    /// None once it is closed.
    membership: Option<Membership>,
    finding: Finding,
    table_protocol: String,
    /// When peers of the address book are tried again, if there are no others.
    book_at: Duration,
    /// Peers whose connections are to be closed, and when.
    parting: Vec<(Duration, PeerId)>,
    started: Instant,
    dilation: u32,
    /// When peers are looked at next that gossipsub does not hear.
    unheard_at: Duration,
}

impl Service {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        config: Config,
        identity: &Keypair,
        (events, listen): (mpsc::Sender<NetEvent>, &[Multiaddr]),
        traffic: TrafficCount,
    ) -> Result<Self, NetworkError> {
        let genesis = config.genesis;
        let membership =
            Membership::new(config.members, config.discovery, genesis, identity, listen);
        let membership = membership.map_err(|error| NetworkError::Settings(error.to_string()))?;
        Ok(Self {
            dialer: Dialer::new(config.bootstrap, *swarm.local_peer_id()),
            swarm,
            topics: Topics::new(config.genesis),
            speaks: protocol_version(config.genesis),
            peers: Peers::default(),
            outbox: Outbox::new(events),
            asked: HashMap::new(),
            listening: listen.to_vec(),
            dialling: HashMap::new(),
            bans: Bans::default(),
            probes: Probes::default(),
            mode: config.gossip.mode,
            bundler: Bundler::new(config.gossip.bundle),
            bridge: Bridge::default(),
            drops: Drops::default(),
            traffic,
            membership: Some(membership),
            finding: Finding::default(),
            table_protocol: table::protocol(genesis),
            book_at: Duration::ZERO,
            parting: Vec::new(),
            started: Instant::now(),
            dilation: config.dilation.max(1),
            unheard_at: Duration::ZERO,
        })
    }

    /// Runs until told to stop, or until nobody reads the events or gives commands any more.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut tick = tokio::time::interval(DIAL_TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let queue = self.outbox.queue();
        let (mut taken, mut waiting, mut open) = (Vec::new(), Lanes::default(), true);
        loop {
            let behind = self.outbox.is_behind();
            let room = self.outbox.has_room();
            let push = self.swarm.behaviour_mut().push.as_mut();
            let waits = push.is_some_and(|push| {
                push.set_room(room);
                push.waits_for_room()
            });
            let flush = self.bundler.wake_at();
            let flush_at = self.at(flush.unwrap_or_default());
            let members = self.membership.as_ref().map(Membership::wake_at);
            let members_at = self.at(members.unwrap_or_default());
            let went_on = tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm(event),
                count = commands.recv_many(&mut taken, COMMAND_QUEUE),
                    if open && waiting.len() < COMMAND_QUEUE =>
                {
                    // What was said before everybody hung up is carried out first.
                    if count == 0 {
                        open = false;
                        waiting.put(Command::Stop, false);
                    }
                    for command in taken.drain(..) {
                        let urgent = command.is_urgent();
                        waiting.put(command, urgent);
                    }
                    Ok(())
                }
                () = std::future::ready(()), if !waiting.is_empty() => {
                    match self.on_commands(&mut waiting) {
                        Ok(true) => Ok(()),
                        Ok(false) => return self.close().await,
                        Err(closed) => Err(closed),
                    }
                }
                _ = tick.tick() => {
                    self.turn_away();
                    self.let_back();
                    self.part();
                    self.dial();
                    self.look_for_peers();
                    // Later copies cause no event of the swarm's that would hand them on.
                    let passed = self.pass_copies().and_then(|()| self.charge_unheard());
                    let passed = passed.and_then(|()| self.charge_floods());
                    passed.and_then(|()| self.drops.tell(&mut self.outbox))
                }
                () = sleep_until(flush_at), if flush.is_some() => self.flush_bundle(),
                () = sleep_until(members_at), if members.is_some() => self.tick_members(),
                // So much room that the frame that waits cannot fill it.
                permits = queue.reserve_many(ROOM), if waits => {
                    drop(permits);
                    Ok(())
                }
                permit = queue.reserve(), if behind => {
                    drop(permit);
                    self.outbox.flush()
                }
            };
            if went_on.is_err() {
                return;
            }
        }
    }

    /// The undilated time since the start, by which every wait below is counted.
    fn now(&self) -> Duration {
        self.started.elapsed() / self.dilation
    }

    /// When the undilated time since the start will be so much.
    fn at(&self, time: Duration) -> tokio::time::Instant {
        (self.started + time.saturating_mul(self.dilation)).into()
    }

    /// Disconnects peers of other networks, once they have been told what we are.
    fn turn_away(&mut self) {
        for peer in self.peers.to_turn_away(self.now()) {
            // It may be gone already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    /// Carries out what waits, blocks first, as far as it is this turn's. Whether to go on after it.
    fn on_commands(&mut self, waiting: &mut Lanes<Command>) -> Result<bool, Closed> {
        for _ in 0..COMMANDS_AT_ONCE {
            match waiting.take() {
                None => break,
                Some(Command::Stop) => return Ok(false),
                Some(command) => self.on_command(command)?,
            }
        }
        Ok(true)
    }

    fn on_command(&mut self, command: Command) -> Result<(), Closed> {
        match command {
            Command::Publish { topic, data, known } => return self.publish(topic, data, known),
            Command::Judge { ticket, verdict, topic: _ } => return self.judge(&ticket, verdict),
            Command::Ask { peer, id, request } => {
                let asked = self.swarm.behaviour_mut().sync.send_request(&peer, request);
                self.asked.insert(asked, id);
            }
            Command::Ban { peer, lasts } => self.ban(peer, lasts),
            Command::Unban { peer } => {
                self.bans.end(&peer);
                self.swarm.behaviour_mut().banned.unblock_peer(peer);
            }
            Command::Respond { responder, response } => {
                // The asker may have gone; then there is nobody to tell.
                let _ = self.swarm.behaviour_mut().sync.send_response(responder.0, response);
            }
            Command::Peers { reply } => {
                // Whoever asked may be gone.
                let _ = reply.send(self.views());
            }
            Command::Probe { peer, rounds, bytes, reply } => {
                let connected = self.swarm.is_connected(&peer);
                let probe = self.swarm.behaviour_mut().probe.as_mut();
                self.probes.start(probe.filter(|_| connected), peer, rounds, bytes, reply);
            }
            Command::Members { reply } => {
                let list = self.membership.as_ref().and_then(|it| it.list(self.now()));
                if let Some(list) = list {
                    // Whoever asked may be gone.
                    let _ = reply.send(list);
                }
            }
            Command::Load(load) => {
                return self.with_members(|members, now| members.set_load(now, load));
            }
            Command::Leave => return self.with_members(|members, now| members.leave(now)),
            Command::Stop => {}
        }
        Ok(())
    }

    /// What is known of the peers that have joined.
    fn views(&self) -> Vec<PeerView> {
        let Behaviour { gossip, push, .. } = self.swarm.behaviour();
        let mesh = |topic| {
            gossip.mesh_peers(&self.topics.ident(topic).hash()).copied().collect::<Vec<_>>()
        };
        let (tx, block) = (mesh(Topic::Tx), mesh(Topic::Block));
        self.peers.views(|peer| Spread {
            mesh_tx: tx.contains(peer),
            mesh_block: block.contains(peer),
            pushed: push.as_ref().filter(|push| push.has(peer)).map(|push| push.stats(peer)),
        })
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) -> Result<(), Closed> {
        self.pass_copies()?;
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(BehaviourEvent::Push(event)) => self.on_push(event),
            SwarmEvent::Behaviour(BehaviourEvent::Members(event)) => self.on_datagram(event),
            SwarmEvent::Behaviour(BehaviourEvent::Sync(event)) => self.on_sync(event),
            SwarmEvent::Behaviour(BehaviourEvent::Table(event)) => {
                self.on_table(event);
                Ok(())
            }
            SwarmEvent::Behaviour(BehaviourEvent::Local(event)) => {
                self.on_local(event);
                Ok(())
            }
            SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => self.on_identify(event),
            SwarmEvent::Behaviour(BehaviourEvent::Probe(event)) => {
                if let Some(probe) = self.swarm.behaviour_mut().probe.as_mut() {
                    self.probes.on_event(probe, event);
                }
                Ok(())
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => match event.result {
                Ok(rtt) => {
                    let rtt = rtt / self.dilation;
                    self.peers.measured(&event.peer, rtt);
                    if let Some(push) = self.swarm.behaviour_mut().push.as_mut() {
                        push.measured(&event.peer, rtt);
                    }
                    self.outbox.offer(NetEvent::RoundTrip(event.peer, rtt)).map(drop)
                }
                Err(_) => Ok(()),
            },
            SwarmEvent::NewListenAddr { address, .. } => {
                if !self.listening.contains(&address) {
                    self.listening.push(address);
                }
                self.tell_addresses()
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.listening.retain(|it| *it != address);
                self.tell_addresses()
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.dialling.remove(&connection_id);
                self.peers.connected(peer_id, connection_id, &endpoint);
                let dialled = endpoint.is_dialer().then(|| endpoint.get_remote_address());
                self.dialer.connected(peer_id, dialled);
                let remote = endpoint.get_remote_address();
                self.with_members(|members, now| members.connected(now, peer_id, remote))
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => {
                match self.peers.disconnected(&peer_id, connection_id) {
                    Some(peer) => {
                        self.bridge.left(peer_id);
                        self.dialer.disconnected(peer_id, self.now());
                        self.with_members(|members, now| members.disconnected(now, &peer_id))?;
                        if peer.joined { self.outbox.keep(NetEvent::Left(peer_id)) } else { Ok(()) }
                    }
                    None => Ok(()),
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id, connection_id, error } => {
                let address = self.dialling.remove(&connection_id);
                self.on_dial_error(peer_id, &error, address.as_ref());
                match peer_id {
                    Some(peer) => self.with_members(|members, now| members.dial_failed(now, &peer)),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn on_identify(&mut self, event: identify::Event) -> Result<(), Closed> {
        let (peer_id, info) = match event {
            identify::Event::Received { peer_id, info, .. } => (peer_id, info),
            identify::Event::Sent { peer_id, .. } => {
                self.peers.told(&peer_id);
                return Ok(());
            }
            identify::Event::Pushed { .. } | identify::Event::Error { .. } => return Ok(()),
        };
        if info.protocol_version == self.speaks {
            self.note_in_table(&peer_id, &info);
            if self.peers.identified(&peer_id, &info.agent_version) {
                return self.outbox.keep(NetEvent::Joined(peer_id));
            }
            return Ok(());
        }
        let speaks: String = info.protocol_version.chars().take(128).collect();
        let now = self.now();
        self.dialer.foreign(peer_id, now);
        self.peers.foreign(&peer_id, now);
        self.outbox.keep(NetEvent::Foreign { peer: peer_id, speaks })
    }
}
