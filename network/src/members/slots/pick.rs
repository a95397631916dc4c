//! Which member to dial for a slot.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use libp2p::PeerId;
use libp2p::multiaddr::Protocol;
use rand::seq::IndexedRandom;

use super::view::{NOISE, View};
use super::{Kind, Known, Slots};
use crate::members::address::Reach;

/// Slots for members that one other member told of, while there are others: half of all.
const FROM_INTRODUCER: usize = 4;

/// Slots for members within one block of public addresses (a /16, or a /32 of IPv6, which is what a
/// provider is given), while there are others: to own addresses in many of them costs money.
const FROM_BLOCK: usize = 2;

/// A member that is not measured on a connection yet replaces a near one if its round trip is at
/// most this share of the other's, so that two alike do not take turns.
const BETTER: f64 = 0.75;

impl Slots {
    /// Whom to dial for a slot of this kind. Each reason to spare a member counts as much as any
    /// other; only among those with the fewest is looked at what the slot is for.
    pub(super) fn pick<'a>(
        &mut self,
        kind: Kind,
        now: Duration,
        view: &View<'a>,
    ) -> Option<&'a Known> {
        let candidates = self.candidates(now, view);
        let known_rtt = candidates.iter().filter_map(|c| Some((view.rtt(&c.peer)?, *c)));
        let chosen = match kind {
            Kind::Near => known_rtt.min_by_key(|(rtt, c)| (*rtt, c.peer)).map(|(_, c)| c),
            Kind::Far => {
                let far: Vec<&Known> =
                    known_rtt.filter(|(rtt, _)| *rtt >= view.far_bar).map(|(_, c)| c).collect();
                far.choose(&mut self.random).copied()
            }
            Kind::Random => None,
        };
        chosen.or_else(|| candidates.choose(&mut self.random).copied())
    }

    /// Whether somebody is clearly nearer than `worst`.
    pub(super) fn better(&self, worst: Duration, now: Duration, view: &View<'_>) -> bool {
        let bar = worst.mul_f64(BETTER).saturating_sub(NOISE);
        let candidates = self.candidates(now, view);
        candidates.iter().any(|c| view.rtt(&c.peer).is_some_and(|rtt| rtt <= bar))
    }

    /// The members that may be dialled and that there is least reason to spare.
    fn candidates<'a>(&self, now: Duration, view: &View<'a>) -> Vec<&'a Known> {
        let taken: Vec<(Option<PeerId>, Option<IpAddr>)> = self
            .held
            .keys()
            .chain(self.dialling.keys())
            .filter_map(|peer| view.known.get(peer))
            .map(|known| (known.introducer, block(known)))
            .collect();
        let spare = |known: &Known| {
            let (introducer, block) = (known.introducer, block(known));
            let told = introducer.is_some()
                && taken.iter().filter(|taken| taken.0 == introducer).count() >= FROM_INTRODUCER;
            let close = block.is_some()
                && taken.iter().filter(|taken| taken.1 == block).count() >= FROM_BLOCK;
            let rests = self.waits.rests(&known.peer, now);
            [known.load.overloaded(), told, close, rests].iter().filter(|reason| **reason).count()
        };
        let free = |peer: &PeerId| {
            !view.connected.contains_key(peer)
                && !self.dialling.contains_key(peer)
                && self.waits.due(peer, now)
        };
        let candidates: Vec<(usize, &Known)> = view
            .known
            .values()
            .filter(|known| known.alive && !known.addresses.is_empty() && free(&known.peer))
            .map(|known| (spare(known), *known))
            .collect();
        let fewest = candidates.iter().map(|(reasons, _)| *reasons).min();
        candidates.into_iter().filter(|(n, _)| Some(*n) == fewest).map(|(_, known)| known).collect()
    }
}

/// The block of public addresses that a member is in; none on private networks.
fn block(known: &Known) -> Option<IpAddr> {
    let public = known.addresses.iter().find(|a| Reach::of(a) == Some(Reach::Public))?;
    match public.iter().next()? {
        Protocol::Ip4(ip) => {
            let [a, b, ..] = ip.octets();
            Some(IpAddr::from([a, b, 0, 0]))
        }
        Protocol::Ip6(ip) => {
            let [a, b, ..] = ip.segments();
            Some(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0).into())
        }
        _ => None,
    }
}
