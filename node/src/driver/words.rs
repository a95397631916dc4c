//! What the driver says of events and peers, to people and in counters.

use hearsay_network::{PeerView, Route};
use tracing::{debug, info, warn};

use crate::api::{PeerInfo, PeerRoute};
use crate::engine::Effect;
use crate::trace::event::{Event, Kind, MemberCause, MemberChange};

/// What is worth a line to whoever watches.
pub(super) fn tell(event: &Event) {
    match event {
        Event::Sync { target, headers, height, per_second } => {
            info!(height, headers, target, per_second, "catching up");
        }
        Event::Equivocation { slot, proposer, .. } => {
            warn!(slot, proposer, "an authority made two blocks in one slot");
        }
        Event::BadBody { id, proposer, reason, .. } => {
            warn!(id, proposer, reason, "an authority made a block that never holds");
        }
        Event::Member { change, name, peer, cause, .. } => match change {
            MemberChange::Joined => info!(name, peer, "a member is there"),
            MemberChange::Renewed => info!(name, peer, "a member is back"),
            MemberChange::Down => {
                let why = cause.map_or("unknown", MemberCause::word);
                info!(name, peer, why, "a member is down");
            }
            MemberChange::Suspected
            | MemberChange::Refuted
            | MemberChange::Updated
            | MemberChange::Forgotten => debug!(name, peer, ?change, "a member changed"),
        },
        _ => {}
    }
}

/// Puts the time that the engine took into what it has said of blocks. It has no clock of its own, so
/// this is all that it did with the input: the ledger's rules, the store's commit and the pool.
pub(super) fn tell_time(effect: &mut Effect, took_us: u64) {
    if let Effect::Trace(Event::Tip { store_us, .. } | Event::Block { store_us, .. }) = effect {
        *store_us = Some(took_us);
    }
}

pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Tx => "tx",
        Kind::Block => "block",
    }
}

pub(super) fn peer_info(view: &PeerView) -> PeerInfo {
    PeerInfo {
        peer: view.peer.to_string(),
        address: view.address.to_string(),
        outbound: view.outbound,
        rtt_ms: view.rtt.map(|rtt| rtt.as_secs_f64() * 1e3),
        agent: view.agent.clone(),
        route: match view.route {
            Route::Push => PeerRoute::Push,
            Route::Gossipsub => PeerRoute::Gossipsub,
        },
        mesh_tx: view.mesh_tx,
        mesh_block: view.mesh_block,
        first_copies: view.first_copies,
        duplicates: view.duplicates,
        payload_bytes: view.payload_bytes,
        eager: view.eager,
        eager_bytes: view.eager_bytes,
        lazy: view.lazy,
        lazy_bytes: view.lazy_bytes,
        control_received: view.control_received,
        control_sent: view.control_sent,
        sent_copies: view.sent_copies,
        sent_bytes: view.sent_bytes,
    }
}
