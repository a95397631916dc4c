//! Connecting to the bootstrap addresses, and what comes of a dial.

use libp2p::swarm::DialError;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::{Multiaddr, PeerId};
use tracing::{debug, warn};

use super::Service;
use crate::service::members::Membership;

impl Service {
    /// Dials the bootstrap addresses that are due. A node that fills slots needs them only while it lacks peers:
    /// a bootstrap node that many insist on would have no other.
    pub(super) fn dial(&mut self) {
        if self.membership.as_ref().is_some_and(Membership::is_settled) {
            return;
        }
        for address in self.dialer.due(self.now()) {
            let options = DialOpts::from(address.clone());
            let connection = options.connection_id();
            match self.swarm.dial(options) {
                Ok(()) => drop(self.dialling.insert(connection, address)),
                Err(error) => self.on_dial_error(None, &error, Some(&address)),
            }
        }
    }

    pub(super) fn on_dial_error(
        &mut self,
        peer: Option<PeerId>,
        error: &DialError,
        address: Option<&Multiaddr>,
    ) {
        let now = self.now();
        debug!(?peer, %error, "dialling failed");
        match error {
            DialError::LocalPeerId { address } => {
                let own = *self.swarm.local_peer_id();
                self.dialer.connected(own, Some(address));
                self.dialer.foreign(own, now);
                self.dialer.disconnected(own, now);
            }
            DialError::WrongPeerId { obtained, address } => {
                warn!(%address, %obtained, "another peer than expected answers at this address");
                self.dialer.failed(&[address], now);
            }
            DialError::Transport(tried) => {
                let tried: Vec<&Multiaddr> = tried.iter().map(|(address, _)| address).collect();
                self.dialer.failed(&tried, now);
            }
            _ => self.dialer.failed(&address.into_iter().collect::<Vec<_>>(), now),
        }
    }
}
