//! What comes in: from the network, and from whoever asks.

use hearsay_chain::Store;
use hearsay_network::{Command, NetEvent};
use tokio::sync::oneshot;
use tracing::{info, warn};

use super::words::peer_info;
use super::{Driver, Fatal, Waiting, drops};
use crate::engine::{Copy, Input};
use crate::handle::{Request, refused_by};
use crate::trace::event::Event;

impl<S: Store> Driver<S> {
    pub(super) async fn on_network(&mut self, event: NetEvent) -> Result<(), Fatal> {
        let clock = &self.ends.clock;
        let halted = self.ends.halt.is_on();
        let input = match event {
            NetEvent::Copy(note) => Input::Copy(Copy {
                topic: note.topic,
                id: note.id,
                from: note.from,
                bytes: note.bytes as u64,
                message: note.message,
                traffic: note.traffic,
                compact: note.compact,
                at: clock.at(note.at),
            }),
            NetEvent::Gossip { topic, data, ticket, at } if halted => {
                let mut effects = std::mem::take(&mut self.effects);
                let (now, at) = (clock.now(), clock.at(at));
                self.engine.pass_over(now, topic, &data, ticket, at, &mut effects);
                return self.carry_out_all(effects).await;
            }
            NetEvent::Gossip { topic, data, ticket, at } => {
                Input::Gossip { topic, data, ticket, at: clock.at(at) }
            }
            NetEvent::Published { topic, id, failure } => Input::Published { topic, id, failure },
            NetEvent::Taken { topic, id, by: _ } => Input::Taken { topic, id },
            NetEvent::Settled { topic, id, known, refused, unsure, pushed, announced } => {
                let (kind, id) = (topic.into(), hex::encode(id));
                let event = Event::Settled { kind, id, known, refused, unsure, pushed, announced };
                return self.trace(event);
            }
            NetEvent::Member(news) => return self.on_news(&news),
            NetEvent::Offence { peer, what } => Input::Offence { peer, what },
            NetEvent::Joined(peer) => Input::Joined(peer),
            NetEvent::Listening(peer) => Input::Listening(peer),
            NetEvent::Left(peer) => Input::Left(peer),
            NetEvent::Foreign { peer, speaks } => {
                warn!(%peer, %speaks, "turned away a peer of another network");
                self.ends.metrics.foreign_peer();
                Input::Foreign(peer)
            }
            NetEvent::RoundTrip(peer, rtt) => {
                Input::RoundTrip(peer, u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX))
            }
            NetEvent::Request { from, request, responder } => {
                let token = self.wait(Waiting::Peer(responder));
                Input::Request { from, request, token }
            }
            NetEvent::Response { from, id, result } => Input::Response { from, id, result },
            NetEvent::Dropped { place, count } => {
                let drops::Drop { reason, loses } = drops::at(place);
                info!(place, reason, count, "dropped rather than let grow");
                self.ends.metrics.dropped(place, reason, count);
                if !loses {
                    return Ok(());
                }
                Input::Dropped { count }
            }
        };
        self.handle(input).await
    }

    pub(super) async fn on_request(&mut self, request: Request) -> Result<(), Fatal> {
        match request {
            Request::Submit { tx, via, reply } => {
                if let Some(refused) = refused_by(&self.ends.halt) {
                    let _ = reply.send(Err(refused));
                    return Ok(());
                }
                let token = self.wait(Waiting::Submit(reply));
                self.handle(Input::Submit { token, tx, via }).await
            }
            // Whoever asked has given up.
            Request::Ask { reply, .. } if reply.is_closed() => Ok(()),
            Request::Ask { query, reply } => {
                let token = self.wait(Waiting::Ask(reply));
                self.handle(Input::Ask { token, query }).await
            }
            Request::Probe { peer, rounds, bytes, reply } => {
                self.command(Command::Probe { peer, rounds, bytes, reply }).await
            }
            Request::Members { reply } => self.list_members(reply).await,
            Request::Peers { reply } => {
                let (views, seen) = oneshot::channel();
                self.command(Command::Peers { reply: views }).await?;
                tokio::spawn(async move {
                    if let Ok(views) = seen.await {
                        let _ = reply.send(views.iter().map(peer_info).collect());
                    }
                });
                Ok(())
            }
        }
    }
}
