//! The loop: one event of the swarm or one command at a time, and never a wait for the reader.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::StreamExt;
use hearsay_chain::Verdict;
use libp2p::gossipsub::{self, MessageAcceptance, MessageId, PublishError};
use libp2p::request_response::{self, OutboundRequestId};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, DialError, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, identify};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tracing::{debug, warn};

use super::Config;
use super::bans::Bans;
use super::peers::Peers;
use super::probes::Probes;
use crate::behaviour::{Behaviour, BehaviourEvent, protocol_version};
use crate::dialer::Dialer;
use crate::event::{Command, NetEvent, PublishFailure, RequestId, Responder, Route, Ticket};
use crate::outbox::{Closed, Offered, Outbox};
use crate::topic::{Topic, Topics};
use crate::wire::Response;

/// How often the dialling plan is looked at: well below its shortest wait.
const DIAL_TICK: Duration = Duration::from_millis(100);

/// The swarm and what the shell keeps beside it.
pub(super) struct Service {
    swarm: Swarm<Behaviour>,
    topics: Topics,
    speaks: String,
    peers: Peers,
    dialer: Dialer,
    outbox: Outbox,
    asked: HashMap<OutboundRequestId, RequestId>,
    /// Addresses being dialled: an error does not always name its own.
    dialling: HashMap<ConnectionId, Multiaddr>,
    bans: Bans,
    probes: Probes,
    started: Instant,
    dilation: u32,
}

impl Service {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        config: Config,
        events: mpsc::Sender<NetEvent>,
    ) -> Self {
        Self {
            dialer: Dialer::new(config.bootstrap, *swarm.local_peer_id()),
            swarm,
            topics: Topics::new(config.genesis),
            speaks: protocol_version(config.genesis),
            peers: Peers::default(),
            outbox: Outbox::new(events),
            asked: HashMap::new(),
            dialling: HashMap::new(),
            bans: Bans::default(),
            probes: Probes::default(),
            started: Instant::now(),
            dilation: config.dilation.max(1),
        }
    }

    /// Runs until told to stop, or until nobody reads the events or gives commands any more.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut tick = tokio::time::interval(DIAL_TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let queue = self.outbox.queue();
        loop {
            let behind = self.outbox.is_behind();
            let went_on = tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm(event),
                command = commands.recv() => match command {
                    None | Some(Command::Stop) => return,
                    Some(command) => self.on_command(command),
                },
                _ = tick.tick() => {
                    self.turn_away();
                    self.let_back();
                    self.dial();
                    // Later copies cause no event of the swarm's that would hand them on.
                    self.pass_copies()
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

    /// Closes every connection to a peer and refuses new ones for a while.
    fn ban(&mut self, peer: PeerId, lasts: Duration) {
        let let_go = self.bans.add(peer, self.now().saturating_add(lasts));
        let banned = &mut self.swarm.behaviour_mut().banned;
        if let Some(oldest) = let_go {
            banned.unblock_peer(oldest);
        }
        banned.block_peer(peer);
    }

    /// Lets peers connect again whose time is over.
    fn let_back(&mut self) {
        for peer in self.bans.over(self.now()) {
            self.swarm.behaviour_mut().banned.unblock_peer(peer);
        }
    }

    /// Disconnects peers of other networks, once they have been told what we are.
    fn turn_away(&mut self) {
        for peer in self.peers.to_turn_away(self.now()) {
            // It may be gone already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    fn dial(&mut self) {
        for address in self.dialer.due(self.now()) {
            let options = DialOpts::from(address.clone());
            let connection = options.connection_id();
            match self.swarm.dial(options) {
                Ok(()) => drop(self.dialling.insert(connection, address)),
                Err(error) => self.on_dial_error(None, &error, Some(&address)),
            }
        }
    }

    fn on_dial_error(
        &mut self,
        peer: Option<PeerId>,
        error: &DialError,
        address: Option<&Multiaddr>,
    ) {
        let now = self.now();
        debug!(?peer, %error, "dialling failed");
        match error {
            DialError::LocalPeerId { address } => {
                let own = *self.swarm.local_peer_id();
                self.dialer.connected(own, Some(address));
                self.dialer.foreign(own, now);
                self.dialer.disconnected(own, now);
            }
            DialError::WrongPeerId { obtained, address } => {
                warn!(%address, %obtained, "another peer than expected answers at this address");
                self.dialer.failed(&[address], now);
            }
            DialError::Transport(tried) => {
                let tried: Vec<&Multiaddr> = tried.iter().map(|(address, _)| address).collect();
                self.dialer.failed(&tried, now);
            }
            _ => self.dialer.failed(&address.into_iter().collect::<Vec<_>>(), now),
        }
    }

    fn on_command(&mut self, command: Command) -> Result<(), Closed> {
        match command {
            Command::Publish { topic, data, known: _ } => return self.publish(topic, data),
            Command::Judge { ticket, verdict } => self.judge(&ticket, verdict),
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
                let gossip = &self.swarm.behaviour().gossip;
                let mesh = |topic| {
                    gossip.mesh_peers(&self.topics.ident(topic).hash()).copied().collect::<Vec<_>>()
                };
                let (tx, block) = (mesh(Topic::Tx), mesh(Topic::Block));
                let views = self.peers.views(|peer| (tx.contains(peer), block.contains(peer)));
                let _ = reply.send(views);
            }
            Command::Probe { peer, rounds, bytes, reply } => {
                let connected = self.swarm.is_connected(&peer);
                let probe = self.swarm.behaviour_mut().probe.as_mut();
                self.probes.start(probe.filter(|_| connected), peer, rounds, bytes, reply);
            }
            Command::Stop => {}
        }
        Ok(())
    }

    fn publish(&mut self, topic: Topic, data: Vec<u8>) -> Result<(), Closed> {
        let id = topic.content_id(&data);
        let ident = self.topics.ident(topic).clone();
        let data = match topic {
            Topic::Tx => crate::bundle::of(&[data]),
            Topic::Block => data,
        };
        let failure = match self.swarm.behaviour_mut().gossip.publish(ident, data) {
            Ok(_) => None,
            Err(PublishError::NoPeersSubscribedToTopic) => Some(PublishFailure::NoPeers),
            Err(PublishError::AllQueuesFull(_)) => Some(PublishFailure::QueuesFull),
            Err(PublishError::Duplicate) => Some(PublishFailure::Duplicate),
            Err(error) => {
                warn!(%error, "gossip refused to publish");
                Some(PublishFailure::Refused)
            }
        };
        self.outbox.keep(NetEvent::Published { topic, id, failure })
    }

    fn judge(&mut self, ticket: &Ticket, verdict: Verdict) {
        let acceptance = match verdict {
            Verdict::Accept => MessageAcceptance::Accept,
            Verdict::Ignore => MessageAcceptance::Ignore,
            Verdict::Reject => MessageAcceptance::Reject,
        };
        let known = self.swarm.behaviour_mut().gossip.report_message_validation_result(
            &MessageId::new(&ticket.message),
            &ticket.from,
            acceptance,
        );
        if !known && verdict == Verdict::Accept {
            // Validation outlived the message cache: the message stays here, unforwarded.
            let event = NetEvent::Dropped { place: "late-verdict", count: 1 };
            let _ = self.outbox.keep(event);
        }
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) -> Result<(), Closed> {
        self.pass_copies()?;
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(BehaviourEvent::Sync(event)) => self.on_sync(event),
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
                    self.outbox.offer(NetEvent::RoundTrip(event.peer, rtt)).map(drop)
                }
                Err(_) => Ok(()),
            },
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.dialling.remove(&connection_id);
                self.peers.connected(peer_id, connection_id, &endpoint);
                let dialled = endpoint.is_dialer().then(|| endpoint.get_remote_address());
                self.dialer.connected(peer_id, dialled);
                Ok(())
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => {
                match self.peers.disconnected(&peer_id, connection_id) {
                    Some(peer) => {
                        self.dialer.disconnected(peer_id, self.now());
                        if peer.joined { self.outbox.keep(NetEvent::Left(peer_id)) } else { Ok(()) }
                    }
                    None => Ok(()),
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id, connection_id, error } => {
                let address = self.dialling.remove(&connection_id);
                self.on_dial_error(peer_id, &error, address.as_ref());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Hands on what the tap has noted. Called before each event is handled, so that a copy is
    /// known before the message it belongs to is judged.
    fn pass_copies(&mut self) -> Result<(), Closed> {
        let (copies, lost) = self.swarm.behaviour_mut().gossip.take_notes();
        for note in copies {
            self.peers.copy(&note);
            self.outbox.offer(NetEvent::Copy(note))?;
        }
        if lost > 0 {
            self.outbox.keep(NetEvent::Dropped { place: "copy-notes", count: lost })?;
        }
        Ok(())
    }

    fn on_gossip(&mut self, event: gossipsub::Event) -> Result<(), Closed> {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                self.peers.first(&propagation_source);
                let Some(topic) = self.topics.of(&message.topic) else { return Ok(()) };
                let Ok(id) = <[u8; 20]>::try_from(message_id.0.as_slice()) else { return Ok(()) };
                let ticket =
                    Ticket { message: id, from: propagation_source, route: Route::Gossipsub };
                let event = NetEvent::Gossip {
                    topic,
                    data: message.data,
                    ticket: ticket.clone(),
                    at: Instant::now(),
                };
                if self.outbox.offer(event)? == Offered::Dropped {
                    self.judge(&ticket, Verdict::Ignore);
                }
                Ok(())
            }
            gossipsub::Event::Subscribed { peer_id, topic } => match self.topics.of(&topic) {
                // A peer may say this as often as it likes, so it may be dropped; what waits to be
                // published is offered again every second in any case.
                Some(_) => self.outbox.offer(NetEvent::Listening(peer_id)).map(drop),
                None => Ok(()),
            },
            gossipsub::Event::SlowPeer { peer_id, failed_messages } => {
                let count = (failed_messages.priority + failed_messages.non_priority) as u64;
                debug!(peer = %peer_id, count, "messages to a slow peer were dropped");
                self.outbox.keep(NetEvent::Dropped { place: "peer-queue", count })
            }
            gossipsub::Event::Unsubscribed { .. }
            | gossipsub::Event::GossipsubNotSupported { .. } => Ok(()),
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

    fn on_sync(
        &mut self,
        event: request_response::Event<crate::wire::Request, Response>,
    ) -> Result<(), Closed> {
        use request_response::{Event, Message};
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                let responder = Responder(channel);
                // A request that finds the queue full is dropped with its way back, so that the
                // asker learns of it and asks another.
                self.outbox.offer(NetEvent::Request { from: peer, request, responder }).map(drop)
            }
            Event::Message {
                peer, message: Message::Response { request_id, response }, ..
            } => self.answered(peer, request_id, Ok(response)),
            Event::OutboundFailure { peer, request_id, error, .. } => {
                self.answered(peer, request_id, Err(error.to_string()))
            }
            Event::InboundFailure { peer, error, .. } => {
                debug!(%peer, %error, "a peer's request failed");
                Ok(())
            }
            Event::ResponseSent { .. } => Ok(()),
        }
    }

    fn answered(
        &mut self,
        from: PeerId,
        asked: OutboundRequestId,
        result: Result<Response, String>,
    ) -> Result<(), Closed> {
        match self.asked.remove(&asked) {
            Some(id) => self.outbox.keep(NetEvent::Response { from, id, result }),
            None => Ok(()),
        }
    }
}
