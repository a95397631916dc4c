//! Sees every copy of every gossip message, and who sent it.
//!
//! Gossipsub tells the application of the first copy only. But it runs its data transform on each
//! copy, before it looks for duplicates, and it does so while it handles an event from the
//! connection to the sender. So a wrapper around the behaviour notes which peer's event is being
//! handled, and the transform (which changes nothing) writes down what passes.

mod control;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use futures::future::Either;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::gossipsub::{
    Behaviour, Config, DataTransform, Message, MessageAuthenticity, RawMessage, TopicHash,
    WhitelistSubscriptionFilter,
};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler,
    THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use crate::bundle;
use crate::compact::BlockMessage;
use crate::event::{CopyNote, Traffic};
use crate::hold::{Hold, Word};
use crate::topic::{Topic, Topics, message_id};
use control::{Control, Floods};

/// Copies that one event of a connection brings are taken out right after it was handled, so this
/// bounds one RPC's messages; gossipsub's frame limit does so as well.
const MAX_NOTES: usize = 16_384;

/// Topics that are not ours are not remembered: a peer could name new ones for ever.
type Gossipsub = Behaviour<Recorder, WhitelistSubscriptionFilter>;

/// What gossipsub's handler tells it.
type FromHandler =
    <<Gossipsub as NetworkBehaviour>::ConnectionHandler as ConnectionHandler>::ToBehaviour;

#[derive(Debug, Default)]
struct Notes {
    sender: Option<PeerId>,
    copies: VecDeque<CopyNote>,
    lost: u64,
}

fn lock(notes: &Mutex<Notes>) -> MutexGuard<'_, Notes> {
    // Nothing in here panics while it holds the lock; if it did, the notes would still be sound.
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a message carries, with the size of each: the transactions of a bundle, or a block. What is no
/// bundle counts as one.
fn contents(topic: Topic, data: &[u8]) -> Vec<([u8; 32], usize)> {
    let parts = match topic {
        Topic::Tx => bundle::decode_parts(data).ok(),
        Topic::Block => None,
    };
    match parts {
        Some(parts) => parts.iter().map(|part| (topic.content_id(part), part.len())).collect(),
        None => vec![(topic.content_id(data), data.len())],
    }
}

/// The data transform that writes down what passes.
pub(crate) struct Recorder {
    topics: Topics,
    notes: Arc<Mutex<Notes>>,
}

impl DataTransform for Recorder {
    fn inbound_transform(&self, raw: RawMessage) -> Result<Message, io::Error> {
        // Refused here, a message on another topic enters no cache.
        let topic = self.topics.of(&raw.topic).ok_or_else(|| io::Error::other("not our topic"))?;
        let mut notes = lock(&self.notes);
        if let Some(from) = notes.sender {
            let (message, at) = (message_id(raw.topic.as_str(), &raw.data), Instant::now());
            let compact = topic == Topic::Block && BlockMessage::is_compact(&raw.data);
            for (id, bytes) in contents(topic, &raw.data) {
                if notes.copies.len() < MAX_NOTES {
                    let traffic = Traffic::Eager;
                    notes.copies.push_back(CopyNote {
                        topic,
                        id,
                        from,
                        bytes,
                        message,
                        traffic,
                        compact,
                        at,
                    });
                } else {
                    notes.lost += 1;
                }
            }
        }
        drop(notes);
        Ok(Message {
            source: raw.source,
            data: raw.data,
            sequence_number: raw.sequence_number,
            topic: raw.topic,
        })
    }

    fn outbound_transform(&self, _: &TopicHash, data: Vec<u8>) -> Result<Vec<u8>, io::Error> {
        Ok(data)
    }
}

/// Gossipsub with the tap on it. Dereferences to gossipsub.
pub(crate) struct Tap {
    gossip: Gossipsub,
    notes: Arc<Mutex<Notes>>,
    /// Whether it is quiet towards a peer until it is released.
    holds: bool,
    words: VecDeque<(PeerId, ConnectionId, Word)>,
    loss: f64,
    control: Control,
}

impl Tap {
    /// `holds`: whether gossipsub says nothing to a peer until [`Tap::release`]. `loss`: the share of
    /// what peers send that is thrown away; 0 outside a lab. Its clocks run `dilation` times slower.
    ///
    /// # Errors
    /// Gossipsub's own objections to the configuration.
    pub(crate) fn new(
        config: Config,
        topics: Topics,
        holds: bool,
        loss: f64,
        dilation: u32,
    ) -> Result<Self, &'static str> {
        let notes = Arc::new(Mutex::new(Notes::default()));
        let ours = [Topic::Tx, Topic::Block].map(|topic| topics.ident(topic).hash());
        let recorder = Recorder { topics, notes: Arc::clone(&notes) };
        let gossip = Behaviour::new_with_subscription_filter_and_transform(
            MessageAuthenticity::Anonymous,
            config,
            WhitelistSubscriptionFilter(ours.into()),
            recorder,
        )?;
        let control = Control::new(dilation);
        Ok(Self { gossip, notes, holds, words: VecDeque::new(), loss, control })
    }

    /// Whether what a peer sent is thrown away. Its subscriptions are not: it says them only once.
    fn loses(&self, peer: &PeerId) -> bool {
        let listens = || {
            let ours = [Topic::Tx, Topic::Block].len();
            self.gossip.all_peers().any(|(it, topics)| it == peer && topics.len() >= ours)
        };
        self.loss > 0.0 && listens() && rand::random_bool(self.loss)
    }

    /// Lets gossipsub speak to a peer: it has no other way.
    pub(crate) fn release(&mut self, peer: PeerId, connection: ConnectionId) {
        self.words.push_back((peer, connection, Word::Release));
    }

    /// Takes what became of floods of control messages since the last call.
    pub(crate) fn take_floods(&mut self) -> Floods {
        self.control.take()
    }

    /// Takes what was noted since the last call: the copies in their order, and how many were too
    /// many to note.
    pub(crate) fn take_notes(&mut self) -> (VecDeque<CopyNote>, u64) {
        let mut notes = lock(&self.notes);
        (std::mem::take(&mut notes.copies), std::mem::take(&mut notes.lost))
    }
}

impl std::ops::Deref for Tap {
    type Target = Gossipsub;

    fn deref(&self) -> &Gossipsub {
        &self.gossip
    }
}

impl std::ops::DerefMut for Tap {
    fn deref_mut(&mut self) -> &mut Gossipsub {
        &mut self.gossip
    }
}

impl NetworkBehaviour for Tap {
    type ConnectionHandler = Hold<<Gossipsub as NetworkBehaviour>::ConnectionHandler>;
    type ToSwarm = <Gossipsub as NetworkBehaviour>::ToSwarm;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let handler =
            self.gossip.handle_established_inbound_connection(connection, peer, local, remote)?;
        Ok(Hold::new(handler, self.holds))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let handler = self
            .gossip
            .handle_established_outbound_connection(connection, peer, address, role, port_use)?;
        Ok(Hold::new(handler, self.holds))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(it) = &event
            && it.remaining_established == 0
        {
            self.control.left(&it.peer_id);
        }
        self.gossip.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        mut event: THandlerOutEvent<Self>,
    ) {
        if self.loses(&peer) {
            return;
        }
        // What is named here is private to gossipsub, but not as the event of its handler.
        if let FromHandler::Message { rpc, .. } = &mut event
            && let Some(wait) = self.control.too_much(peer, &rpc.control_msgs)
        {
            rpc.control_msgs.clear();
            self.words.push_back((peer, connection, Word::Wait(wait)));
        }
        lock(&self.notes).sender = Some(peer);
        self.gossip.on_connection_handler_event(peer, connection, event);
        lock(&self.notes).sender = None;
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some((peer_id, connection, word)) = self.words.pop_front() {
            return Poll::Ready(ToSwarm::NotifyHandler {
                peer_id,
                handler: NotifyHandler::One(connection),
                event: Either::Right(word),
            });
        }
        self.gossip.poll(cx).map(|event| event.map_in(Either::Left))
    }
}
