//! A client that writes one gossipsub RPC of its own making, as other implementations make them: with
//! as many messages as waited.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use hearsay_chain::GenesisId;
use hearsay_network::topic::Topics;
use hearsay_network::{Topic, bundle};
use libp2p::request_response::{self, Codec, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::{StreamProtocol, SwarmBuilder, noise, tcp, yamux};

use super::start;

/// Writes bytes on a stream as they are, and reads whatever comes.
#[derive(Clone, Copy, Debug, Default)]
struct Raw;

impl Codec for Raw {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.read_response(&StreamProtocol::new("/"), io).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await?;
        io.close().await
    }

    async fn write_response<T>(
        &mut self,
        protocol: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.write_request(protocol, io, bytes).await
    }
}

/// A field of a protobuf message whose value has a length; below 2 MiB.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![(number << 3) | 2];
    bytes.extend(prefixed(value));
    bytes
}

fn prefixed(value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut length = value.len();
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(value);
    bytes
}

/// One RPC with a bundle of one for each number.
fn rpc(topic: &str, count: u32) -> Vec<u8> {
    let message = |number: u32| {
        let data = bundle::of(&[number.to_le_bytes().to_vec()]);
        field(2, &[field(2, &data), field(4, topic.as_bytes())].concat())
    };
    prefixed(&(0..count).flat_map(message).collect::<Vec<u8>>())
}

#[tokio::test]
async fn an_rpc_of_more_messages_than_are_read_by_default_is_read() {
    let mut node = start(1, 1, &[]).await;
    let topic = Topics::new(GenesisId([1; 32])).ident(Topic::Tx).hash().into_string();
    let protocols = [(StreamProtocol::new("/meshsub/1.1.0"), ProtocolSupport::Outbound)];
    let mut client = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| {
            request_response::Behaviour::with_codec(
                Raw,
                protocols,
                request_response::Config::default(),
            )
        })
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(hearsay_tests::DEADLINE))
        .build();
    client.dial(node.address()).unwrap();
    let count = 600;
    while node.copies.len() < count as usize {
        tokio::select! {
            _ = node.next() => {}
            event = client.select_next_some() => {
                if let SwarmEvent::ConnectionEstablished { peer_id, .. } = event {
                    client.behaviour_mut().send_request(&peer_id, rpc(&topic, count));
                }
            }
        }
    }
    assert!(node.copies.iter().all(|copy| copy.from == *client.local_peer_id()));
}
