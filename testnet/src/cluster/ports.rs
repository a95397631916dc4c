//! Free ports on the loopback interface.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// The ports of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Where it listens for peers.
    pub p2p: u16,
    /// Where it listens for its user.
    pub rpc: u16,
}

/// Ports that the operating system has given to this process, each held by a listening socket until
/// the node that is to have it starts. Between those two moments nothing else can take it; in the
/// instant after, something might, and the node then says so and ends.
#[derive(Debug)]
pub struct Held(Vec<Option<[TcpListener; 2]>>);

/// Takes two ports for each of so many nodes.
///
/// # Errors
/// The operating system has no more ports or sockets.
pub fn hold(nodes: usize) -> io::Result<(Vec<Ports>, Held)> {
    let (mut ports, mut held) = (Vec::new(), Vec::new());
    for _ in 0..nodes {
        let pair = [listener()?, listener()?];
        ports.push(Ports { p2p: pair[0].local_addr()?.port(), rpc: pair[1].local_addr()?.port() });
        held.push(Some(pair));
    }
    Ok((ports, Held(held)))
}

fn listener() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
}

impl Held {
    /// Gives the ports of a node free, for it to take.
    pub fn release(&mut self, node: usize) {
        if let Some(held) = self.0.get_mut(node) {
            *held = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ports_are_distinct_and_taken_while_they_are_held() {
        let (ports, _held) = hold(20).unwrap();
        let distinct: BTreeSet<_> = ports.iter().flat_map(|ports| [ports.p2p, ports.rpc]).collect();
        assert_eq!(distinct.len(), 40);
        assert!(
            distinct.iter().all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_err())
        );
    }
}
