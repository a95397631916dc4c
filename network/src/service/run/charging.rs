//! Who is charged for what it says to gossipsub, and who is kept away.

use std::time::Duration;

use libp2p::PeerId;

use super::Service;
use crate::event::NetEvent;
use crate::gossip_score::UNHEARD;
use crate::outbox::Closed;

/// How often peers are charged that gossipsub does not hear any more: four times are a ban.
const UNHEARD_EVERY: Duration = Duration::from_secs(1);

impl Service {
    /// Closes every connection to a peer and refuses new ones for a while.
    pub(super) fn ban(&mut self, peer: PeerId, lasts: Duration) {
        let let_go = self.bans.add(peer, self.now().saturating_add(lasts));
        let banned = &mut self.swarm.behaviour_mut().banned;
        if let Some(oldest) = let_go {
            banned.unblock_peer(oldest);
        }
        banned.block_peer(peer);
    }

    /// Lets peers connect again whose time is over.
    pub(super) fn let_back(&mut self) {
        for peer in self.bans.over(self.now()) {
            self.swarm.behaviour_mut().banned.unblock_peer(peer);
        }
    }

    /// Charges peers that gossipsub does not hear any more: it goes on reading what they send.
    pub(super) fn charge_unheard(&mut self) -> Result<(), Closed> {
        let now = self.now();
        if now < self.unheard_at {
            return Ok(());
        }
        self.unheard_at = now.saturating_add(UNHEARD_EVERY);
        let gossip = &self.swarm.behaviour().gossip;
        let is_unheard = |peer: &PeerId| gossip.peer_score(peer).is_some_and(|it| it < UNHEARD);
        let unheard = gossip.all_peers().map(|(peer, _)| *peer).filter(is_unheard);
        for peer in unheard.collect::<Vec<_>>() {
            let what = "gossip that is not heard any more";
            self.outbox.offer(NetEvent::Offence { peer, what })?;
        }
        Ok(())
    }

    /// Charges peers that flood gossipsub with control messages, and counts what was thrown away.
    pub(super) fn charge_floods(&mut self) -> Result<(), Closed> {
        let floods = self.swarm.behaviour_mut().gossip.take_floods();
        self.drops.add("gossip-control", floods.dropped);
        for peer in floods.offenders {
            let what = "a flood of control messages";
            self.outbox.offer(NetEvent::Offence { peer, what })?;
        }
        Ok(())
    }
}
