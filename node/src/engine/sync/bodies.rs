//! Bodies: asked of several peers at once, checked in any order, stored in the order of heights.

use hearsay_chain::{BlockError, Store, StoreError, VerifiedBlock};
use hearsay_network::sync::Parts;
use hearsay_network::wire::Response;
use hearsay_network::{PeerId, RequestId};

use super::super::input::Time;
use super::super::jobs::Job;
use super::super::work::Work;
use super::super::{Effect, Engine};
use crate::trace::event::{Event, Kind, Via};

/// A peer that does not have what it was asked for is left alone for this long: it may follow
/// another branch.
const LACKS_US: u64 = 2_000_000;

impl<S: Store> Engine<S> {
    /// A peer answered a request for bodies, or did not.
    pub(super) fn on_bodies(
        &mut self,
        now: Time,
        (generation, first, since): (u64, u64, u64),
        (from, id): (PeerId, RequestId),
        result: Result<Response, String>,
        out: &mut Vec<Effect>,
    ) {
        self.sync.peers.closed(&from);
        let bodies = match result {
            Ok(Response::Bodies(bodies)) => bodies,
            Ok(Response::Standing(_) | Response::Headers(_)) => {
                self.penalise(from, "wrong-answer", out);
                Vec::new()
            }
            Err(_) => {
                self.body_failed(now, &from);
                Vec::new()
            }
        };
        if bodies.is_empty() {
            self.sync.peers.rest(&from, now.mono_us.saturating_add(LACKS_US));
        } else {
            let bytes = bodies.iter().map(Vec::len).sum();
            self.sync.peers.gave(&from, bytes, now.mono_us.saturating_sub(since));
        }
        let rules = self.chain.rules().clone();
        let Some(fetch) = self.sync.fetch_of(generation) else { return };
        match fetch.plan.arrived(first, id, bodies) {
            Some(parts) => {
                fetch.moved_at = now.mono_us;
                self.trace_synced(&parts, from, out);
                let job = self.jobs.start(Job::Bodies { generation, first, peer: from });
                out.push(Effect::Check { job, work: Work::Bodies(rules, parts) });
            }
            None => fetch.plan.failed(first, id),
        }
    }

    /// The bodies of a chunk were checked.
    pub(in crate::engine) fn on_checked_bodies(
        &mut self,
        now: Time,
        (generation, first, peer): (u64, u64, PeerId),
        blocks: Vec<VerifiedBlock>,
        error: Option<BlockError>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Some(fetch) = self.sync.fetch_of(generation) else { return Ok(()) };
        match error {
            None => fetch.plan.ready(first, blocks),
            // The header is signed for a transaction that never holds: the block is invalid, and
            // whoever showed the way to it holds it for good.
            Some(BlockError::Transaction { .. }) => {
                let height = first.saturating_add(blocks.len() as u64);
                let invalid = fetch.plan.header_at(height).map(|header| header.id());
                let guide = fetch.guide;
                fetch.plan.truncate(height.saturating_sub(1));
                fetch.plan.unready(first);
                fetch.complete = true;
                if let Some(id) = invalid {
                    self.chain.condemn(id);
                }
                self.penalise(guide, "invalid-branch", out);
            }
            Some(_) => {
                fetch.plan.unready(first);
                self.penalise(peer, "false-bodies", out);
            }
        }
        self.advance_sync(now, out)
    }

    fn trace_synced(&mut self, parts: &Parts, from: PeerId, out: &mut Vec<Effect>) {
        for (header, body) in parts {
            let (id, from) = (header.id().to_string(), from.to_string());
            let bytes = (hearsay_chain::block::HEADER_BYTES + body.len()) as u64;
            let (kind, via) = (Kind::Block, Via::Sync);
            out.push(Effect::Trace(match self.sightings.count(header.id().0) {
                1 => Event::Received { kind, id, from, via, bytes, message: None },
                copy => Event::Duplicate { kind, id, from, via, bytes, copy },
            }));
        }
    }
}
