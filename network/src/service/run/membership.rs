//! Membership: datagrams to and from the machine, and what it wants of the swarm.

use std::time::Duration;

use futures::StreamExt;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId};
use tracing::debug;

use super::Service;
use crate::event::NetEvent;
use crate::members::slots::Connected;
use crate::members::stream::DatagramEvent;
use crate::outbox::Closed;
use crate::service::members::{Errand, Membership};

/// How long a connection, or a node that leaves, stays after a goodbye: it has to get out of its queues.
const FAREWELL: Duration = Duration::from_millis(50);

/// While this node knows nobody, so many peers of the address book are dialled at a time.
const FROM_THE_BOOK: usize = 4;

/// How often that is tried.
const BOOK_EVERY: Duration = Duration::from_secs(5);

impl Service {
    pub(super) fn on_datagram(&mut self, event: DatagramEvent) -> Result<(), Closed> {
        match event {
            DatagramEvent::Linked(peer) => self.with_members(|it, now| it.linked(now, peer)),
            DatagramEvent::Unlinked { peer, graceful } => {
                self.with_members(|it, now| it.unlinked(now, peer, graceful))
            }
            DatagramEvent::Received(peer, bytes) => {
                self.with_members(|it, now| it.received(now, peer, &bytes))
            }
            DatagramEvent::Garbled(peer, what) => {
                self.outbox.offer(NetEvent::Offence { peer, what }).map(drop)
            }
            DatagramEvent::Dropped(count) => {
                self.drops.add("members", count);
                Ok(())
            }
        }
    }

    /// Tells the machine something, and does what it wants for it.
    pub(super) fn with_members(
        &mut self,
        tell: impl FnOnce(&mut Membership, Duration),
    ) -> Result<(), Closed> {
        let now = self.now();
        let Some(membership) = &mut self.membership else { return Ok(()) };
        tell(membership, now);
        let errands = membership.errands(now);
        self.run_errands(errands)
    }

    /// Where others find this node may have changed.
    pub(super) fn tell_addresses(&mut self) -> Result<(), Closed> {
        let listening = self.listening.clone();
        self.with_members(|members, now| members.listens(now, &listening))
    }

    pub(super) fn tick_members(&mut self) -> Result<(), Closed> {
        let now = self.now();
        let connected: Vec<(Connected, Multiaddr)> = self
            .peers
            .joined()
            .map(|(it, address)| {
                let protected = self.dialer.keeps(&it.peer);
                (Connected { protected, ..it }, address.clone())
            })
            .collect();
        let Some(membership) = &mut self.membership else { return Ok(()) };
        let mut errands = membership.tick(now, &connected);
        if connected.is_empty() && self.book_at <= now {
            self.book_at = now.saturating_add(BOOK_EVERY);
            let hopeful = membership.hopeful_of_the_book(FROM_THE_BOOK);
            errands.extend(hopeful.into_iter().map(|(peer, at)| Errand::Dial(peer, at)));
        }
        self.run_errands(errands)
    }

    fn run_errands(&mut self, errands: Vec<Errand>) -> Result<(), Closed> {
        for errand in errands {
            match errand {
                Errand::Send(peer, bytes) => {
                    // A neighbour may have gone; the machine is about to learn it.
                    if let Some(datagrams) = self.swarm.behaviour_mut().members.as_mut() {
                        datagrams.send(peer, bytes);
                    }
                }
                Errand::Dial(peer, addresses) => self.dial_member(peer, addresses),
                Errand::Disconnect(peer) => {
                    // It may be gone already.
                    let _ = self.swarm.disconnect_peer_id(peer);
                }
                Errand::Part(peer) => {
                    if let Some(datagrams) = self.swarm.behaviour_mut().members.as_mut() {
                        datagrams.say_goodbye(peer);
                    }
                    self.parting.push((self.now().saturating_add(FAREWELL), peer));
                }
                Errand::Tell(news) => self.outbox.keep(NetEvent::Member(news))?,
                Errand::Offence(peer, what) => {
                    self.outbox.offer(NetEvent::Offence { peer, what })?;
                }
            }
        }
        Ok(())
    }

    /// Closes the connections to peers that had their goodbye.
    pub(super) fn part(&mut self) {
        let now = self.now();
        let due: Vec<PeerId> =
            self.parting.extract_if(.., |(at, _)| *at <= now).map(|(_, peer)| peer).collect();
        for peer in due {
            // It may be gone already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    fn dial_member(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(addresses)
            .build();
        if let Err(error) = self.swarm.dial(options) {
            debug!(%peer, %error, "a member was not dialled");
        }
    }

    /// Ends: what was said last gets out, and the address book is written.
    pub(super) async fn close(mut self) {
        if let Some(mut membership) = self.membership.take() {
            membership.close();
            let saying = async {
                loop {
                    let _ = self.swarm.select_next_some().await;
                }
            };
            let _ = tokio::time::timeout(FAREWELL, saying).await;
        }
    }
}
