//! What the router says.

use std::sync::Arc;
use std::time::Instant;

use libp2p::PeerId;

use super::Service;
use crate::compact::BlockMessage;
use crate::event::{CopyNote, NetEvent, Route, Ticket, Traffic};
use crate::outbox::Closed;
use crate::push::Heard;
use crate::push::stream::PushEvent;
use crate::topic::Topic;

impl Service {
    pub(super) fn on_push(&mut self, event: PushEvent) -> Result<(), Closed> {
        match event {
            // It listens to both topics.
            PushEvent::Joined(peer) => {
                for _ in 0..2 {
                    self.outbox.offer(NetEvent::Listening(peer))?;
                }
                Ok(())
            }
            PushEvent::Unsupported(peer, connection) => {
                self.swarm.behaviour_mut().gossip.release(peer, connection);
                Ok(())
            }
            PushEvent::Heard(at, heard) => {
                for heard in heard {
                    self.on_heard(at, heard)?;
                }
                Ok(())
            }
        }
    }

    fn on_heard(&mut self, at: Instant, heard: Heard<PeerId>) -> Result<(), Closed> {
        match heard {
            Heard::Copy { from, topic, data, message, asked } => {
                let id = self.bridge.content(&message).unwrap_or_else(|| topic.content_id(&data));
                self.bridge.name(message, id);
                let traffic = if asked { Traffic::Lazy } else { Traffic::Eager };
                let bytes = data.len();
                let compact = topic == Topic::Block && BlockMessage::is_compact(&data);
                let note = CopyNote { topic, id, from, bytes, message, traffic, compact, at };
                self.peers.copy(&note);
                self.outbox.offer(NetEvent::Copy(note)).map(drop)
            }
            Heard::Message { from, topic, data, message, asked: _ } => {
                let ticket = Ticket { message, from, route: Route::Push };
                let shared = self.bridge.is_heard(topic).then(|| Arc::clone(&data));
                self.deliver(topic, data.to_vec(), shared, ticket, at)
            }
            Heard::Taken { message, topic, by } => match self.bridge.content(&message) {
                Some(id) => self.outbox.keep(NetEvent::Taken { topic, id, by }),
                None => Ok(()),
            },
            Heard::Settled { message, topic, known, refused, unsure, pushed, announced } => {
                let Some(id) = self.bridge.content(&message) else { return Ok(()) };
                let event =
                    NetEvent::Settled { topic, id, known, refused, unsure, pushed, announced };
                self.outbox.offer(event).map(drop)
            }
            Heard::Dropped { place, count } => {
                self.drops.add(place, count);
                Ok(())
            }
            Heard::Offence { peer, what } => {
                self.outbox.offer(NetEvent::Offence { peer, what }).map(drop)
            }
        }
    }
}
