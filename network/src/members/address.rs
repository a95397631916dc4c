//! Which addresses that somebody tells are worth dialling.
//!
//! A member may tell any address, and a thousand nodes that dial it are a weapon. So an address is a
//! plain IP address and TCP port of a kind that a host can have; no names, no circuits, nobody else's
//! id. Private and loopback addresses mean something only near their owner: they are believed when
//! the neighbour that tells of them is as near itself, so that nobody far away makes a node knock at
//! what stands behind its firewall.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use super::profile::MAX_ADDRESSES;

/// From how far an address can be reached: the nearest kind first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// On the same machine.
    Loopback,
    /// On the same site: RFC 1918, RFC 6598 (behind a carrier's translation), RFC 4193.
    Private,
    /// From anywhere.
    Public,
}

impl Reach {
    /// The reach of the address at the start of `address`, such as the remote end of a connection;
    /// none if that is no address a host can have.
    #[must_use]
    pub fn of(address: &Multiaddr) -> Option<Self> {
        match address.iter().next() {
            Some(Protocol::Ip4(ip)) => Self::of_ip(ip.into()),
            Some(Protocol::Ip6(ip)) => Self::of_ip(ip.into()),
            _ => None,
        }
    }

    fn of_ip(ip: IpAddr) -> Option<Self> {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Option<Self> {
        let [a, b, ..] = ip.octets();
        // 0.0.0.0/8 is "this network", from 224 on come multicast, reserved and broadcast; a
        // link-local address means another host on each link.
        if a == 0 || a >= 224 || ip.is_link_local() || ip.is_documentation() {
            None
        } else if ip.is_loopback() {
            Some(Self::Loopback)
        } else if ip.is_private() || (a == 100 && (64..128).contains(&b)) {
            Some(Self::Private)
        } else {
            Some(Self::Public)
        }
    }

    fn of_v6(ip: Ipv6Addr) -> Option<Self> {
        let [first, second, ..] = ip.segments();
        if ip.is_loopback() {
            Some(Self::Loopback)
        } else if ip.is_unique_local() {
            Some(Self::Private)
        } else if first & 0xe000 == 0x2000 && (first, second) != (0x2001, 0x0db8) {
            // Only 2000::/3 is given out (IANA's IPv6 address space), but for 2001:db8::/32.
            Some(Self::Public)
        } else {
            None
        }
    }
}

/// The address as it is to be dialled, without its owner's id at the end; none if it is not worth
/// dialling. `teller` is where the neighbour is that told of it.
#[must_use]
pub fn usable(address: &Multiaddr, owner: &PeerId, teller: Reach) -> Option<Multiaddr> {
    let mut parts = address.iter();
    let host = parts.next()?;
    let port = parts.next().filter(|part| matches!(part, Protocol::Tcp(port) if *port != 0))?;
    match (parts.next(), parts.next()) {
        (None, None) => {}
        (Some(Protocol::P2p(peer)), None) if peer == *owner => {}
        _ => return None,
    }
    let near = Reach::of(address).is_some_and(|reach| reach == Reach::Public || reach >= teller);
    near.then(|| Multiaddr::empty().with(host).with(port))
}

/// Of the addresses that a node listens on, those to tell others, up to [`MAX_ADDRESSES`]: what reaches
/// farthest first, and nothing that leads to another host from each place.
#[must_use]
pub fn worth_telling(listening: &[Multiaddr]) -> Vec<Multiaddr> {
    let in_process =
        |address: &Multiaddr| matches!(address.iter().next(), Some(Protocol::Memory(_)));
    let mut told: Vec<Multiaddr> = listening
        .iter()
        .filter(|address| in_process(address) || Reach::of(address).is_some())
        .cloned()
        .collect();
    told.sort_by_key(|address| Reverse(Reach::of(address)));
    told.truncate(MAX_ADDRESSES);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_addresses_those_that_reach_farthest_are_told() {
        let listening = [
            "/ip4/127.0.0.1/tcp/7700",
            "/ip6/fe80::1/tcp/7700",
            "/ip4/10.0.0.7/tcp/7700",
            "/ip6/::1/tcp/7700",
            "/ip4/172.17.0.1/tcp/7700",
            "/ip4/93.184.216.34/tcp/7700",
        ];
        let told = worth_telling(&listening.map(|text| text.parse().unwrap()));
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(told, [listening[5], listening[2], listening[4], listening[0]]);
        let memory = ["/memory/7".parse().unwrap()];
        assert_eq!(worth_telling(&memory), memory);
    }

    fn usable_as(text: &str, teller: Reach) -> bool {
        let address = text.parse().unwrap();
        let usable = usable(&address, &crate::peer_id(&[1; 32]), teller);
        assert!(usable.iter().all(|usable| text.starts_with(&usable.to_string())));
        usable.is_some()
    }

    #[test]
    fn what_no_host_can_have_is_no_use() {
        for text in [
            "/ip4/0.0.0.0/tcp/1",
            "/ip4/0.1.2.3/tcp/1",
            "/ip4/224.0.0.1/tcp/1",
            "/ip4/240.0.0.1/tcp/1",
            "/ip4/255.255.255.255/tcp/1",
            "/ip4/169.254.169.254/tcp/80",
            "/ip4/192.0.2.1/tcp/1",
            "/ip4/8.8.8.8/tcp/0",
            "/ip6/::/tcp/1",
            "/ip6/ff02::1/tcp/1",
            "/ip6/fe80::1/tcp/1",
            "/ip6/2001:db8::1/tcp/1",
            "/ip6/::ffff:0.0.0.0/tcp/1",
            "/ip6/::ffff:224.0.0.1/tcp/1",
        ] {
            assert!(!usable_as(text, Reach::Loopback), "{text}");
        }
    }

    #[test]
    fn only_plain_addresses_are_of_use() {
        let (own, other) = (crate::peer_id(&[1; 32]), crate::peer_id(&[2; 32]));
        for text in [
            "/dns4/example.com/tcp/1",
            "/dnsaddr/example.com",
            "/ip4/8.8.8.8",
            "/ip4/8.8.8.8/udp/1",
            "/ip4/8.8.8.8/udp/1/quic-v1",
            "/ip4/8.8.8.8/tcp/1/ws",
            "/memory/1",
            "/unix/tmp",
            &format!("/ip4/8.8.8.8/tcp/1/p2p/{other}"),
            &format!("/ip4/8.8.8.8/tcp/1/p2p/{other}/p2p-circuit/p2p/{own}"),
            &format!("/ip4/8.8.8.8/tcp/1/p2p/{own}/p2p-circuit"),
        ] {
            assert!(!usable_as(text, Reach::Loopback), "{text}");
        }
        assert!(usable_as("/ip4/8.8.8.8/tcp/1", Reach::Public));
        assert!(usable_as(&format!("/ip4/8.8.8.8/tcp/1/p2p/{own}"), Reach::Public));
        assert!(usable_as("/ip6/2a00:1450::1/tcp/1", Reach::Public));
        assert!(usable(&Multiaddr::empty(), &own, Reach::Loopback).is_none());
    }

    #[test]
    fn near_addresses_are_believed_from_the_near_alone() {
        for text in ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1", "/ip6/::ffff:127.0.0.1/tcp/1"] {
            assert!(usable_as(text, Reach::Loopback), "{text}");
            assert!(!usable_as(text, Reach::Private), "{text}");
            assert!(!usable_as(text, Reach::Public), "{text}");
        }
        for text in ["/ip4/10.0.0.1/tcp/1", "/ip4/100.64.0.1/tcp/1", "/ip6/fd00::1/tcp/1"] {
            assert!(usable_as(text, Reach::Loopback), "{text}");
            assert!(usable_as(text, Reach::Private), "{text}");
            assert!(!usable_as(text, Reach::Public), "{text}");
        }
    }
}
