//! Probes under way: each asks one thing at a time and collects what it learns.

use std::collections::HashMap;

use libp2p::PeerId;
use libp2p::request_response::{Behaviour, Event, Message, OutboundRequestId};
use tokio::sync::oneshot;
use tracing::debug;

use crate::event::Probed;
use crate::probe::{Ask, MAX_BYTES, Outcome, ProbeCodec, Response, SecondHalf};

/// Round trips that one probe may ask for.
const MAX_ROUNDS: u32 = 1_000;

/// Probes that one node may have under way.
const MAX_PROBES: usize = 64;

type Reply = oneshot::Sender<Result<Probed, String>>;

/// One probe.
#[derive(Debug)]
struct Probe {
    peer: PeerId,
    rounds: u32,
    bytes: u64,
    found: Probed,
    reply: Reply,
}

/// Every probe, by the request that it waits for.
#[derive(Debug, Default)]
pub(super) struct Probes {
    waiting: HashMap<OutboundRequestId, Probe>,
}

impl Probes {
    /// Begins a probe; `swarm` is missing if this node knows no probes or not the peer.
    pub(super) fn start(
        &mut self,
        swarm: Option<&mut Behaviour<ProbeCodec>>,
        peer: PeerId,
        rounds: u32,
        bytes: u64,
        reply: Reply,
    ) {
        let refused = match &swarm {
            None => Some("links are not shaped here, or the peer is not connected".to_owned()),
            Some(_) if rounds > MAX_ROUNDS => Some(format!("at most {MAX_ROUNDS} round trips")),
            Some(_) if bytes > MAX_BYTES => Some(format!("at most {MAX_BYTES} bytes")),
            Some(_) if self.waiting.len() >= MAX_PROBES => Some("too many probes".to_owned()),
            Some(_) => None,
        };
        match (swarm, refused) {
            (Some(swarm), None) => {
                let found = Probed { rtt_us: Vec::new(), bytes_per_s: None };
                self.go_on(swarm, Probe { peer, rounds, bytes, found, reply });
            }
            // Whoever asked may be gone; here as below there is nobody to tell then.
            (_, why) => drop(reply.send(Err(why.unwrap_or_default()))),
        }
    }

    /// Asks the next thing, or reports.
    fn go_on(&mut self, swarm: &mut Behaviour<ProbeCodec>, mut probe: Probe) {
        let ask = if probe.rounds > 0 {
            probe.rounds -= 1;
            Ask::Echo
        } else if probe.bytes > 0 {
            Ask::Take(std::mem::take(&mut probe.bytes))
        } else {
            let _ = probe.reply.send(Ok(probe.found));
            return;
        };
        let id = swarm.send_request(&probe.peer, (ask, SecondHalf::default()));
        self.waiting.insert(id, probe);
    }

    pub(super) fn on_event(
        &mut self,
        swarm: &mut Behaviour<ProbeCodec>,
        event: Event<(Ask, SecondHalf), Response>,
    ) {
        match event {
            Event::Message { message: Message::Request { request, channel, .. }, .. } => {
                // The asker may be gone.
                let _ = swarm.send_response(channel, Response::Answer(request.1));
            }
            Event::Message { message: Message::Response { request_id, response }, .. } => {
                let Some(mut probe) = self.waiting.remove(&request_id) else { return };
                match response {
                    Response::Came(Outcome::RoundTrip(time)) => {
                        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
                        probe.found.rtt_us.push(micros);
                    }
                    Response::Came(Outcome::Rate(rate)) => probe.found.bytes_per_s = Some(rate),
                    Response::Answer(_) => {}
                }
                self.go_on(swarm, probe);
            }
            Event::OutboundFailure { request_id, error, .. } => {
                if let Some(probe) = self.waiting.remove(&request_id) {
                    let _ = probe.reply.send(Err(error.to_string()));
                }
            }
            Event::InboundFailure { peer, error, .. } => {
                debug!(%peer, %error, "a peer's probe failed");
            }
            Event::ResponseSent { .. } => {}
        }
    }
}
