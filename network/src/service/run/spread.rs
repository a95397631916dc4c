//! What this node publishes and judges, and what gossipsub brings.

use std::sync::Arc;
use std::time::Instant;

use hearsay_chain::Verdict;
use libp2p::gossipsub::{self, MessageAcceptance, MessageId, PublishError};
use tracing::{debug, warn};

use super::Service;
use crate::bundle;
use crate::bundler::{Bundle, Entry};
use crate::event::{NetEvent, PublishFailure, Route, Ticket};
use crate::gossip::Mode;
use crate::outbox::{Closed, Offered};
use crate::topic::Topic;

impl Service {
    /// Publishes a message of this node's own by every way that leads to somebody.
    pub(super) fn publish(
        &mut self,
        topic: Topic,
        data: Vec<u8>,
        known: bool,
    ) -> Result<(), Closed> {
        let id = topic.content_id(&data);
        let now = self.now();
        let heard = self.bridge.is_heard(topic);
        let Some(push) = self.swarm.behaviour_mut().push.as_mut() else {
            if topic == Topic::Tx && self.mode == Mode::Bundled && self.bridge.carried(now, &id) {
                let failure = Some(PublishFailure::Duplicate);
                return self.outbox.keep(NetEvent::Published { topic, id, failure });
            }
            return self.gossip_out(topic, Entry { id, data, told: true });
        };
        let pushes = push.has_peers();
        if !pushes && !heard {
            // Nobody is there, and it is published again once somebody is.
            let failure = Some(PublishFailure::NoPeers);
            return self.outbox.keep(NetEvent::Published { topic, id, failure });
        }
        let message = push.publish(topic, &data, known);
        self.bridge.name(message, id);
        if pushes {
            self.outbox.keep(NetEvent::Published { topic, id, failure: None })?;
        }
        if heard { self.gossip_out(topic, Entry { id, data, told: !pushes }) } else { Ok(()) }
    }

    /// Hands a message to gossipsub; a transaction perhaps only in a few milliseconds.
    pub(super) fn gossip_out(&mut self, topic: Topic, entry: Entry) -> Result<(), Closed> {
        match topic {
            Topic::Block => self.gossip_block(entry),
            Topic::Tx if self.mode == Mode::Flood => self.gossip_bundle(vec![entry]),
            Topic::Tx => match self.bundler.add(self.now(), entry) {
                Some(bundle) => self.gossip_bundle(bundle),
                None => Ok(()),
            },
        }
    }

    /// Publishes the bundle whose time has come, if there is one.
    pub(super) fn flush_bundle(&mut self) -> Result<(), Closed> {
        match self.bundler.due(self.now()) {
            Some(bundle) => self.gossip_bundle(bundle),
            None => Ok(()),
        }
    }

    fn gossip_block(&mut self, entry: Entry) -> Result<(), Closed> {
        let failure = self.gossip_publish(Topic::Block, entry.data);
        self.published(Topic::Block, entry.id, entry.told, failure)
    }

    fn gossip_bundle(&mut self, mut bundle: Bundle) -> Result<(), Closed> {
        let parts: Vec<Vec<u8>> =
            bundle.iter_mut().map(|entry| std::mem::take(&mut entry.data)).collect();
        let failure = self.gossip_publish(Topic::Tx, bundle::of(&parts));
        for Entry { id, told, .. } in bundle {
            self.published(Topic::Tx, id, told, failure)?;
        }
        Ok(())
    }

    fn published(
        &mut self,
        topic: Topic,
        id: [u8; 32],
        told: bool,
        failure: Option<PublishFailure>,
    ) -> Result<(), Closed> {
        if failure.is_none() {
            self.bridge.carry(self.now(), id);
        }
        if told { self.outbox.keep(NetEvent::Published { topic, id, failure }) } else { Ok(()) }
    }

    fn gossip_publish(&mut self, topic: Topic, data: Vec<u8>) -> Option<PublishFailure> {
        let ident = self.topics.ident(topic).clone();
        match self.swarm.behaviour_mut().gossip.publish(ident, data) {
            Ok(_) => None,
            Err(PublishError::NoPeersSubscribedToTopic) => Some(PublishFailure::NoPeers),
            Err(PublishError::AllQueuesFull(_)) => Some(PublishFailure::QueuesFull),
            Err(PublishError::Duplicate) => Some(PublishFailure::Duplicate),
            Err(error) => {
                warn!(%error, "gossip refused to publish");
                Some(PublishFailure::Refused)
            }
        }
    }

    /// Answers for a message, on the way by which it came; and if it is accepted, passes it on by the
    /// other one.
    pub(super) fn judge(&mut self, ticket: &Ticket, verdict: Verdict) -> Result<(), Closed> {
        match ticket.route {
            Route::Gossipsub => self.judge_gossip(ticket, verdict),
            Route::Push => {
                if let Some(push) = self.swarm.behaviour_mut().push.as_mut() {
                    push.judged(&ticket.message, verdict);
                }
            }
        }
        let waited = self.bridge.judged(ticket.route, &ticket.message);
        match (waited, ticket.route) {
            _ if verdict != Verdict::Accept => Ok(()),
            (None, _) => Ok(()),
            (Some((topic, data)), Route::Gossipsub) => {
                self.push_on(topic, &data);
                Ok(())
            }
            (Some((topic, data)), Route::Push) => self.gossip_on(topic, &data),
        }
    }

    fn judge_gossip(&mut self, ticket: &Ticket, verdict: Verdict) {
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
            self.drops.add("late-verdict", 1);
        }
    }

    /// What gossipsub brought and was accepted is pushed to nodes that push. Of a bundle that is all
    /// of it, although up to half may have been of no use: then those that are asked next say so.
    fn push_on(&mut self, topic: Topic, data: &[u8]) {
        let parts = match topic {
            Topic::Tx => bundle::decode_parts(data).unwrap_or_default(),
            Topic::Block => vec![data.to_vec()],
        };
        for part in parts {
            let id = topic.content_id(&part);
            self.bridge.carry(self.now(), id);
            if let Some(push) = self.swarm.behaviour_mut().push.as_mut() {
                let message = push.publish(topic, &part, false);
                self.bridge.name(message, id);
            }
        }
    }

    /// What was pushed here and was accepted is published for those that only speak gossipsub.
    fn gossip_on(&mut self, topic: Topic, data: &[u8]) -> Result<(), Closed> {
        let id = topic.content_id(data);
        if !self.bridge.is_heard(topic) || self.bridge.carried(self.now(), &id) {
            return Ok(());
        }
        self.gossip_out(topic, Entry { id, data: data.to_vec(), told: false })
    }

    /// Hands on what the tap has noted. Called before each event is handled, so that a copy is
    /// known before the message it belongs to is judged.
    pub(super) fn pass_copies(&mut self) -> Result<(), Closed> {
        let (copies, lost) = self.swarm.behaviour_mut().gossip.take_notes();
        for note in copies {
            self.traffic.add_copy(note.traffic, note.bytes);
            self.peers.copy(&note);
            self.outbox.offer(NetEvent::Copy(note))?;
        }
        self.drops.add("copy-notes", lost);
        Ok(())
    }

    /// Hands on a message that is owed a verdict. `shared`: its bytes, where they may have to go out
    /// by the other way.
    pub(super) fn deliver(
        &mut self,
        topic: Topic,
        data: Vec<u8>,
        shared: Option<Arc<[u8]>>,
        ticket: Ticket,
        at: Instant,
    ) -> Result<(), Closed> {
        self.peers.first(&ticket.from);
        if let Some(shared) = shared {
            let let_go = self.bridge.wait(ticket.route, ticket.message, topic, shared);
            self.drops.add("bridge", let_go);
        }
        let event = NetEvent::Gossip { topic, data, ticket: ticket.clone(), at };
        match self.outbox.offer(event)? {
            Offered::Taken => Ok(()),
            Offered::Dropped => self.judge(&ticket, Verdict::Ignore),
        }
    }

    pub(super) fn on_gossip(&mut self, event: gossipsub::Event) -> Result<(), Closed> {
        match event {
            gossipsub::Event::Message { propagation_source: from, message_id, message } => {
                let Some(topic) = self.topics.of(&message.topic) else { return Ok(()) };
                let Ok(id) = <[u8; 20]>::try_from(message_id.0.as_slice()) else { return Ok(()) };
                let ticket = Ticket { message: id, from, route: Route::Gossipsub };
                let push = self.swarm.behaviour().push.as_ref();
                let shared = push.filter(|push| push.has_peers()).map(|_| (*message.data).into());
                self.deliver(topic, message.data, shared, ticket, Instant::now())
            }
            gossipsub::Event::Subscribed { peer_id, topic } => match self.topics.of(&topic) {
                // A peer may say this as often as it likes, so it may be dropped; what waits to be
                // published is offered again every second in any case.
                Some(topic) => {
                    self.bridge.listens(topic, peer_id);
                    self.outbox.offer(NetEvent::Listening(peer_id)).map(drop)
                }
                None => Ok(()),
            },
            gossipsub::Event::Unsubscribed { peer_id, topic } => {
                if let Some(topic) = self.topics.of(&topic) {
                    self.bridge.listens_no_more(topic, peer_id);
                }
                Ok(())
            }
            gossipsub::Event::SlowPeer { peer_id, failed_messages } => {
                let count = (failed_messages.priority + failed_messages.non_priority) as u64;
                debug!(peer = %peer_id, count, "messages to a slow peer were dropped");
                self.drops.add("peer-queue", count);
                Ok(())
            }
            gossipsub::Event::GossipsubNotSupported { .. } => Ok(()),
        }
    }
}
