//! Anti-entropy: this node's pool is compared with a peer's, now and then.

use hearsay_chain::{Store, StoreError};
use hearsay_network::choice::Strategy;
use hearsay_network::short_id::ShortKey;
use hearsay_network::wire::Response;
use hearsay_network::{PeerId, RequestId};

use super::input::{Time, Token};
use super::{Effect, Engine};

/// How pools are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// How the peer is chosen.
    pub peers: Strategy,
    /// Microseconds between two comparisons, before jitter; none are made if 0.
    pub every_us: u64,
}

impl Default for Reconciliation {
    fn default() -> Self {
        Self { peers: Strategy::default(), every_us: 5_000_000 }
    }
}

impl Reconciliation {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self { every_us: 0, ..Self::default() }
    }
}

/// The state of it.
#[derive(Debug)]
pub(super) struct Reconcile {}

impl Reconcile {
    pub(super) fn new(_: Reconciliation, _: u64) -> Self {
        Self {}
    }
}

impl<S: Store> Engine<S> {
    pub(super) fn on_sketch_request(
        &mut self,
        _now: Time,
        _from: PeerId,
        _asked: (ShortKey, u32, u32),
        token: Token,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Ignore { token });
    }

    pub(super) fn on_named_request(
        &mut self,
        _now: Time,
        _from: PeerId,
        _key: ShortKey,
        _names: &[u64],
        token: Token,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Ignore { token });
    }

    pub(super) fn on_reconcile_response(
        &mut self,
        _now: Time,
        _from: (PeerId, RequestId),
        _result: Result<Response, String>,
        _out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) fn drive_reconcile(&mut self, _: Time, _: &mut Vec<Effect>) {}
}
