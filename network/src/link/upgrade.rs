//! From an authenticated connection to a multiplexed one over a shaped link: plays the round trips
//! of the handshakes that a real network would have delayed, then starts yamux.
//!
//! The connection beneath stands already, so its handshakes took no time. What they would have taken
//! is played with messages of the same sizes: TCP's (SYN, SYN and ACK), noise's three, the first two
//! with the negotiation of noise and the last with that of yamux, which the dialler does not wait
//! for. So the dialler has its connection after two round trips and the listener half of one later.
//! A cut in either direction holds the exchange up, until the transport's own limit on handshakes
//! ends it.

use std::io;

use futures::future::BoxFuture;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, FutureExt};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};
use libp2p::{PeerId, yamux};

use super::Links;
use super::shaped::Shaped;
use crate::transport::WireCount;

/// What is negotiated instead of yamux. A node whose links are shaped and one whose are not have no
/// multiplexer in common, and cannot connect.
const PROTOCOL: &str = "/hearsay/lab/yamux/1";

/// How many bytes the messages have, in turn from the dialler and from the listener: TCP's two carry
/// nothing but what [`Hello`] needs; noise's `XX` pattern with Ed25519 identities and libp2p's
/// negotiation take the others.
const MESSAGES: [usize; 5] = [8, 8, 62, 230, 204];

/// What each message starts with: four bytes that say what this is, and the dilation.
type Hello = [u8; 8];

const MAGIC: [u8; 4] = *b"hsl1";

fn hello(dilation: u32) -> Hello {
    let mut hello = [0; 8];
    hello[..4].copy_from_slice(&MAGIC);
    hello[4..].copy_from_slice(&dilation.to_le_bytes());
    hello
}

/// Yamux over a shaped link.
#[derive(Clone)]
pub(crate) struct ShapedYamux {
    pub(crate) links: Links,
    pub(crate) own: PeerId,
    pub(crate) peer: PeerId,
    pub(crate) yamux: yamux::Config,
    pub(crate) count: WireCount,
}

impl UpgradeInfo for ShapedYamux {
    type Info = &'static str;
    type InfoIter = std::iter::Once<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        std::iter::once(PROTOCOL)
    }
}

impl<C> OutboundConnectionUpgrade<C> for ShapedYamux
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = yamux::Muxer<Shaped<C>>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Output>>;

    fn upgrade_outbound(self, socket: C, _: Self::Info) -> Self::Future {
        async move {
            let yamux = self.yamux.clone();
            let stream = self.play(socket, 0).await?;
            yamux.upgrade_outbound(stream, PROTOCOL).await
        }
        .boxed()
    }
}

impl<C> InboundConnectionUpgrade<C> for ShapedYamux
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = yamux::Muxer<Shaped<C>>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Output>>;

    fn upgrade_inbound(self, socket: C, _: Self::Info) -> Self::Future {
        async move {
            let yamux = self.yamux.clone();
            let stream = self.play(socket, 1).await?;
            yamux.upgrade_inbound(stream, PROTOCOL).await
        }
        .boxed()
    }
}

impl ShapedYamux {
    /// Plays the handshakes; `turn` is 0 for the side that speaks first and 1 for the other.
    async fn play<C>(self, socket: C, turn: usize) -> io::Result<Shaped<C>>
    where
        C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let hello = hello(self.links.clock().dilation());
        let link = self.links.connect(&self.own, self.peer);
        let mut stream = Shaped::new(socket, link, self.count.clone());
        let mut buffer = [0; 256];
        for (number, bytes) in MESSAGES.into_iter().enumerate() {
            let message = &mut buffer[..bytes];
            if number % 2 == turn {
                message.fill(0);
                message[..hello.len()].copy_from_slice(&hello);
                stream.write_all(message).await?;
                stream.flush().await?;
                self.count.discount_sent(bytes as u64);
            } else {
                stream.read_exact(message).await?;
                self.count.discount_received(bytes as u64);
                check(message, &hello)?;
            }
        }
        Ok(stream)
    }
}

fn check(message: &[u8], hello: &Hello) -> io::Result<()> {
    let invalid = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidData, why.to_owned()));
    if message.get(..4) != Some(&MAGIC[..]) {
        return invalid("the peer does not play the handshakes of a shaped link");
    }
    if message.get(4..8) != Some(&hello[4..]) {
        return invalid("the peer's clock has another dilation");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lab_with_the_same_clock_is_accepted() {
        assert!(check(&hello(3), &hello(3)).is_ok());
        let dilated = check(&hello(4), &hello(3)).unwrap_err();
        assert!(dilated.to_string().contains("dilation"), "{dilated}");
        let foreign = check(&[0; 62], &hello(3)).unwrap_err();
        assert!(foreign.to_string().contains("handshakes"), "{foreign}");
    }
}
