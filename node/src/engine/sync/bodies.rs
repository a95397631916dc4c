//! Bodies: asked of several peers at once, checked in any order, stored in the order of heights.

use hearsay_chain::{BlockError, BlockId, Store, StoreError, VerifiedBlock};
use hearsay_network::sync::Parts;
use hearsay_network::wire::Response;
use hearsay_network::{PeerId, RequestId};

use super::super::input::Time;
use super::super::jobs::{Gift, Job};
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
            Ok(_) => {
                self.penalise(now, from, "wrong-answer", out);
                Vec::new()
            }
            Err(_) => {
                self.body_failed(now, &from);
                Vec::new()
            }
        };
        if bodies.is_empty() {
            self.sync.peers.rest(&from, now.mono_us.saturating_add(LACKS_US));
        }
        let bytes = bodies.iter().map(Vec::len).sum();
        let gift = Gift { bytes, micros: now.mono_us.saturating_sub(since) };
        let rules = self.chain.rules().clone();
        let Some(fetch) = self.sync.fetch_of(generation) else { return };
        if bodies.is_empty() && fetch.guide == from && fetch.plan.awaited(first, id).is_some() {
            // It does not have what its own headers promised: its chain has changed since.
            self.sync.end_fetch();
            return;
        }
        if fetch.plan.awaited(first, id).is_some_and(|asked| bodies.len() > asked) {
            fetch.plan.failed(first, id);
            self.penalise(now, from, "wrong-answer", out);
            return;
        }
        match fetch.plan.arrived(first, id, bodies) {
            Some(parts) => {
                self.trace_synced(&parts, from, out);
                let ids = parts.iter().map(|(header, _)| header.id()).collect();
                let peer = from;
                let job = self.jobs.start(Job::Bodies { generation, first, peer, ids, gift });
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
        ids: Vec<BlockId>,
        (blocks, error): (Vec<VerifiedBlock>, Option<BlockError>),
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if self.sync.fetch_of(generation).is_none() {
            return Ok(());
        }
        for block in &blocks {
            self.trace_whole(now, block, (peer, Via::Sync), out);
        }
        let Some(fetch) = self.sync.fetch_of(generation) else { return Ok(()) };
        match error {
            None => {
                fetch.moves(now.mono_us);
                fetch.plan.ready(first, blocks);
            }
            // The header is signed for a transaction that never holds: the block is invalid, and
            // whoever showed the way to it holds it for good.
            Some(BlockError::Transaction { .. }) => {
                if let Some(id) = ids.get(blocks.len()) {
                    self.chain.condemn(*id);
                }
                let (guide, mixed) = (fetch.guide, fetch.mixed);
                self.sync.end_fetch();
                if mixed {
                    self.rest_for_long(now, &guide);
                } else {
                    self.penalise(now, guide, "invalid-branch", out);
                }
            }
            Some(_) => {
                fetch.plan.unready(first);
                self.penalise(now, peer, "false-bodies", out);
            }
        }
        self.advance_sync(now, out)
    }

    fn trace_synced(&mut self, parts: &Parts, from: PeerId, out: &mut Vec<Effect>) {
        for (header, body) in parts {
            let (id, from) = (header.id().to_string(), from.to_string());
            let bytes = (hearsay_chain::block::HEADER_BYTES + body.len()) as u64;
            let (kind, via) = (Kind::Block, Via::Sync);
            out.push(Effect::Trace(match self.sightings.count(header.id().0, Some(via)) {
                1 => Event::Received { kind, id, from, via, bytes, message: None },
                copy => Event::Duplicate { kind, id, from, via, bytes, copy },
            }));
        }
    }
}
