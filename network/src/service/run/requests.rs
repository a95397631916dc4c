//! Requests: what peers ask, and what they answer.

use libp2p::PeerId;
use libp2p::request_response::{self, OutboundRequestId};
use tracing::debug;

use super::Service;
use crate::event::{NetEvent, Responder};
use crate::outbox::Closed;
use crate::sync_codec::is_malformed;
use crate::wire::{Request, Response};

impl Service {
    pub(super) fn on_sync(
        &mut self,
        event: request_response::Event<Request, Response>,
    ) -> Result<(), Closed> {
        use request_response::{Event, InboundFailure, Message, OutboundFailure};
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
                if let OutboundFailure::Io(error) = &error
                    && is_malformed(error)
                {
                    let what = "a response that does not decode";
                    self.outbox.offer(NetEvent::Offence { peer, what })?;
                }
                self.answered(peer, request_id, Err(error.to_string()))
            }
            Event::InboundFailure { peer, error: InboundFailure::Io(error), .. }
                if is_malformed(&error) =>
            {
                // Dropped if the queue is full: nothing holds back whoever sends these.
                let what = "a request that does not decode";
                self.outbox.offer(NetEvent::Offence { peer, what }).map(drop)
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
