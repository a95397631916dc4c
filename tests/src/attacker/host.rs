//! What a hostile peer answers to the streams that a node opens: as little as keeps it connected, and
//! lies.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use hearsay_network::push::Frame;
use hearsay_network::reconcile::Symbol;
use hearsay_network::wire::{MAX_REQUEST_BYTES, Request, Response, Standing};
use libp2p::core::muxing::SubstreamBox;
use libp2p::identity::Keypair;

use super::negotiate;
use super::prey::Prey;
use super::rpc;
use super::siege::Tally;

/// How a request is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// The stream is closed at once.
    Refuses,
    /// The stream is held open, and nothing comes.
    Silent,
    /// Something else comes.
    Lies,
}

/// Longer than any node waits.
const SILENCE: Duration = Duration::from_secs(60);

/// How far above the truth a claimed chain ends.
const AHEAD: u64 = 1_000;

/// The longest frame that is read of a node.
const LARGEST_FRAME: usize = 4 << 20;

/// One identity's side of a connection.
pub(super) struct Host {
    pub(super) prey: Arc<Prey>,
    pub(super) tally: Tally,
    pub(super) manner: Manner,
    pub(super) identity: [u8; 32],
}

impl Host {
    /// Answers one stream to its end.
    pub(super) async fn serve(self: Arc<Self>, mut stream: SubstreamBox) {
        // A node that goes away in the middle is no matter.
        let _ = self.answer(&mut stream).await;
    }

    async fn answer(&self, stream: &mut SubstreamBox) -> io::Result<()> {
        let names = &self.prey.names;
        let spoken = [&names.push, &names.sync];
        let speaks = |wanted: &str| {
            wanted == "/ipfs/id/1.0.0"
                || wanted == "/ipfs/ping/1.0.0"
                || wanted == names.gossip
                || spoken.into_iter().any(|it| it == wanted)
        };
        let protocol = negotiate::answer(stream, speaks).await?;
        match protocol.as_str() {
            "/ipfs/id/1.0.0" => self.identify(stream).await,
            "/ipfs/ping/1.0.0" => echo(stream).await,
            it if it == names.push => self.listen(stream).await,
            it if it == names.sync => self.on_request(stream).await,
            _ => drain(stream).await,
        }
    }

    async fn identify(&self, stream: &mut SubstreamBox) -> io::Result<()> {
        let identity = Keypair::ed25519_from_bytes(self.identity).map_err(io::Error::other)?;
        let names = &self.prey.names;
        let spoken = [names.push.clone(), names.sync.clone(), names.gossip.clone()];
        stream.write_all(&rpc::identify(&identity.public(), &names.version, &spoken)).await?;
        stream.close().await
    }

    /// Hears what a node pushes: that is how it knows the chain, and what to replay.
    async fn listen(&self, stream: &mut SubstreamBox) -> io::Result<()> {
        loop {
            let bytes = negotiate::read_framed(stream, LARGEST_FRAME).await?;
            if let Ok(frame) = Frame::decode(&bytes, LARGEST_FRAME) {
                self.prey.hear(&frame);
            }
        }
    }

    async fn on_request(&self, stream: &mut SubstreamBox) -> io::Result<()> {
        let mut bytes = Vec::new();
        stream.take(MAX_REQUEST_BYTES as u64).read_to_end(&mut bytes).await?;
        match self.manner {
            Manner::Refuses => {}
            Manner::Silent => {
                self.tally.count("requests left unanswered");
                tokio::time::sleep(SILENCE).await;
            }
            Manner::Lies => {
                if let Ok(request) = Request::decode(&bytes) {
                    self.tally.count("false answers");
                    stream.write_all(&self.lie(request).encode()).await?;
                }
            }
        }
        stream.close().await
    }

    /// A chain that is not there.
    pub(super) fn claim(&self) -> Standing {
        let (tip, height) = self.prey.tip();
        let mut fake = tip;
        fake.0[0] ^= 0xff;
        Standing {
            genesis: self.prey.makers.rules().id(),
            tip: fake,
            height: height.saturating_add(AHEAD),
            final_height: height,
            first_body: 1,
        }
    }

    fn lie(&self, request: Request) -> Response {
        let others = || (0..4).map(|nonce| self.prey.makers.payment(0, 1_000_000 + nonce).encode());
        match request {
            Request::Standing(_) => Response::Standing(self.claim()),
            Request::Headers { .. } => match self.prey.header() {
                Some(mut header) => {
                    header.signature.0[7] ^= 1;
                    Response::Headers(vec![header])
                }
                None => Response::Bodies(Vec::new()),
            },
            Request::Bodies(ids) => Response::Bodies(vec![vec![0; 4]; ids.len()]),
            Request::HaveTransactions(ids) => {
                Response::HaveTransactions(vec![0xff; ids.len().div_ceil(8).saturating_add(1)])
            }
            Request::OfferTransactions(_) | Request::TakeTransaction(_) => Response::Offered,
            Request::BlockTransactions { block, .. } => match block.0[0] % 3 {
                0 => Response::Transactions(others().collect()),
                1 => Response::Transactions(vec![vec![0xab; 200]]),
                _ => Response::Bodies(Vec::new()),
            },
            Request::Sketch { count, .. } => {
                let symbol = |at: u32| Symbol { sum: at.into(), check: !u64::from(at), count: 3 };
                Response::Sketch { size: count, symbols: (0..count).map(symbol).collect() }
            }
            Request::Named { .. } => Response::Transactions(others().collect()),
        }
    }
}

async fn echo(stream: &mut SubstreamBox) -> io::Result<()> {
    loop {
        let mut ping = [0; 32];
        stream.read_exact(&mut ping).await?;
        stream.write_all(&ping).await?;
        stream.flush().await?;
    }
}

async fn drain(stream: &mut SubstreamBox) -> io::Result<()> {
    let mut piece = vec![0; 16 << 10];
    while stream.read(&mut piece).await? > 0 {}
    Ok(())
}
