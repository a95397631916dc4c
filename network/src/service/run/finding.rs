//! Finding peers by Kademlia and on the local network, for nodes that are set to.

use std::time::Duration;

use libp2p::swarm::StreamProtocol;
use libp2p::{Multiaddr, PeerId, identify, mdns};

use super::Service;
use crate::members::address::Reach;
use crate::table::{self, Told};

/// How often a node that wants more connections looks for peers.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How often one that has enough does, so that its table stays fresh: libp2p's own interval.
const REFRESH_EVERY: Duration = Duration::from_secs(300);

/// What finding keeps between two looks.
#[derive(Debug, Default)]
pub(super) struct Finding {
    looked: Option<Duration>,
}

impl Service {
    /// A peer of this network said what it speaks and where it listens.
    pub(super) fn note_in_table(&mut self, peer: &PeerId, info: &identify::Info) {
        let Some(table) = self.swarm.behaviour_mut().table.as_mut() else { return };
        let Some(membership) = &self.membership else { return };
        let speaks = |it: &StreamProtocol| it.as_ref() == self.table_protocol;
        if info.protocols.iter().any(speaks) {
            table.insert(peer, membership.dialable(peer, &info.listen_addrs));
        }
    }

    /// Looks for peers when it is time.
    pub(super) fn look_for_peers(&mut self) {
        let now = self.now();
        let Some(membership) = &self.membership else { return };
        let every = if membership.seeks() { LOOK_EVERY } else { REFRESH_EVERY };
        let is_due = self.finding.looked.is_none_or(|at| now >= at.saturating_add(every));
        // A lookup begins with those that are in the table, so it waits for somebody.
        let is_due = is_due && self.peers.joined().next().is_some();
        let (reach, in_process) = membership.nearest();
        let Some(table) = self.swarm.behaviour_mut().table.as_mut() else { return };
        table.set_reach(reach, in_process);
        if is_due && !table.is_looking() {
            self.finding.looked = Some(now);
            table.look_for(PeerId::random());
        }
    }

    pub(super) fn on_table(&mut self, event: libp2p::kad::Event) {
        self.were_found(table::found(event), None);
    }

    pub(super) fn on_local(&mut self, event: mdns::Event) {
        // Who goes is noticed by its connections, and by the age of what was told.
        let mdns::Event::Discovered(told) = event else { return };
        let told = told.into_iter().map(|(peer, address)| (peer, vec![address])).collect();
        // Whoever is heard this way is on the same site.
        self.were_found(told, Some(Reach::Private));
    }

    fn were_found(&mut self, told: Vec<Told>, teller: Option<Reach>) {
        let now = self.now();
        let own = *self.swarm.local_peer_id();
        let Some(membership) = &mut self.membership else { return };
        for (peer, addresses) in told.into_iter().filter(|(peer, _)| *peer != own) {
            let addresses: Vec<Multiaddr> = addresses;
            membership.told(now, peer, &addresses, teller);
        }
    }
}
