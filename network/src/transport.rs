//! TCP or channels of the same process, noise and yamux, with every byte on the socket counted.
//!
//! With [`Links`] a shaped stream goes between noise and yamux; without, nothing does.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, MemoryTransport};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport, noise, tcp, yamux};

use crate::link::{Links, ShapedYamux};

/// Streams that one connection may hold open. Gossip takes one in each direction, identify and ping
/// one now and then, requests at most sixteen; the default of 512 would let a peer hold as many
/// buffers.
const MAX_STREAMS: usize = 64;

/// How long a connection may take from the first packet to the end of its handshakes. Without it,
/// whoever connects and says nothing would hold a place for ever.
const SET_UP: Duration = Duration::from_secs(10);

/// Bytes that went over this node's sockets, handshakes and encryption included. What only a lab
/// adds to them is not counted.
#[derive(Clone, Debug, Default)]
pub struct WireCount {
    inner: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    sent: Counter,
    received: Counter,
}

#[derive(Debug, Default)]
struct Counter {
    socket: AtomicU64,
    lab: AtomicU64,
    shown: AtomicU64,
}

impl Counter {
    /// The bytes less the lab's own; never less than before, although the two are counted one after
    /// the other.
    fn get(&self) -> u64 {
        let lab = self.lab.load(Ordering::Relaxed);
        let real = self.socket.load(Ordering::Relaxed).saturating_sub(lab);
        self.shown.fetch_max(real, Ordering::Relaxed).max(real)
    }
}

impl WireCount {
    /// Bytes written.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.inner.sent.get()
    }

    /// Bytes read.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.inner.received.get()
    }

    fn on_write(&self, bytes: usize) {
        self.inner.sent.socket.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn on_read(&self, bytes: usize) {
        self.inner.received.socket.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So many of the bytes written are the lab's own.
    pub(crate) fn discount_sent(&self, bytes: u64) {
        self.inner.sent.lab.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many of the bytes read are the lab's own.
    pub(crate) fn discount_received(&self, bytes: u64) {
        self.inner.received.lab.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A socket that counts.
struct Counted<T> {
    socket: T,
    count: WireCount,
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_read(cx, buffer);
        if let Poll::Ready(Ok(bytes)) = polled {
            self.count.on_read(bytes);
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(cx, bytes);
        if let Poll::Ready(Ok(bytes)) = polled {
            self.count.on_write(bytes);
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        if let Poll::Ready(Ok(bytes)) = polled {
            self.count.on_write(bytes);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx)
    }
}

/// Gives authenticated connections on which streams can be opened.
pub type Connections = Boxed<(PeerId, StreamMuxerBox)>;

/// The transport of a node by itself, for measuring what it costs.
///
/// # Panics
/// Never: an Ed25519 identity can sign.
#[must_use]
pub fn transport(identity: &[u8; 32], links: Option<&Links>) -> Connections {
    let identity = crate::identity(identity);
    build(&identity, &WireCount::default(), links, 1).expect("an Ed25519 identity can sign")
}

/// The transport of a node.
///
/// # Errors
/// The identity cannot sign the noise handshake; an Ed25519 one always can.
pub(crate) fn build(
    identity: &Keypair,
    count: &WireCount,
    links: Option<&Links>,
    dilation: u32,
) -> Result<Connections, noise::Error> {
    let counted = count.clone();
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(MAX_STREAMS);
    let set_up = SET_UP.saturating_mul(dilation);
    let authenticated = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .or_transport(MemoryTransport::new())
        .map(move |socket, _| Counted { socket, count: counted.clone() })
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(identity)?);
    let Some(links) = links else {
        return Ok(authenticated.multiplex(yamux).timeout(set_up).boxed());
    };
    let shaped = (links.clone(), identity.public().to_peer_id(), count.clone());
    let multiplexed = authenticated.multiplex_ext(move |peer, _| {
        let (links, own, count) = shaped;
        ShapedYamux { links, own, peer: *peer, yamux, count }
    });
    Ok(multiplexed.timeout(set_up).boxed())
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use libp2p::core::Endpoint;
    use libp2p::core::transport::{DialOpts, ListenerId, PortUse, TransportEvent};

    use super::*;
    use crate::link::LinksConfig;

    #[test]
    fn what_a_lab_adds_is_not_counted_and_no_count_goes_back() {
        let count = WireCount::default();
        count.on_read(100);
        assert_eq!(count.received(), 100);
        count.discount_received(28);
        assert_eq!(count.received(), 100, "it has been shown already");
        count.on_read(50);
        assert_eq!(count.received(), 122);
    }

    #[tokio::test]
    async fn a_node_of_a_lab_and_one_outside_have_no_multiplexer_in_common() {
        let links = Links::new(LinksConfig::default());
        let mut inside = transport(&[1; 32], Some(&links));
        let mut outside = transport(&[2; 32], None);
        inside.listen_on(ListenerId::next(), "/memory/0".parse().unwrap()).unwrap();
        let address = match inside.select_next_some().await {
            TransportEvent::NewAddress { listen_addr, .. } => listen_addr,
            other => panic!("{other:?}"),
        };
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let dial = tokio::spawn(outside.dial(address, options).unwrap());
        let (upgrade, _) = inside.select_next_some().await.into_incoming().unwrap();
        assert!(upgrade.await.is_err());
        // The dialler may think that it succeeded until it reads: it proposed only one.
        let _ = dial.await.unwrap();
    }
}
