//! A client of gossipsub that has never heard of Hearsay but for its topics: all else is as
//! rust-libp2p has it by default.

use std::collections::BTreeSet;

use futures::StreamExt;
use hearsay_chain::GenesisId;
use hearsay_network::topic::{Topics, message_id};
use hearsay_network::{PeerId, Topic, bundle};
use hearsay_tests::DEADLINE;
use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, Event, Message, MessageAuthenticity, ValidationMode,
};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm, SwarmBuilder, noise, tcp, yamux};

/// The client.
pub(crate) struct Plain {
    swarm: Swarm<Behaviour>,
    topics: Topics,
    contents: Vec<(Topic, Vec<u8>)>,
    listening: usize,
}

impl Plain {
    /// Connects to a node of a network, and waits until that listens to something.
    pub(crate) async fn connect(genesis: GenesisId, address: Multiaddr) -> Self {
        let config = ConfigBuilder::default()
            .validation_mode(ValidationMode::Anonymous)
            .message_id_fn(|message: &Message| {
                message_id(message.topic.as_str(), &message.data).into()
            })
            .build()
            .unwrap();
        let mut swarm = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| Behaviour::new(MessageAuthenticity::Anonymous, config).unwrap())
            .unwrap()
            .with_swarm_config(|config| config.with_idle_connection_timeout(DEADLINE))
            .build();
        let topics = Topics::new(genesis);
        for topic in [Topic::Tx, Topic::Block] {
            swarm.behaviour_mut().subscribe(topics.ident(topic)).unwrap();
        }
        swarm.dial(address).unwrap();
        let mut plain = Self { swarm, topics, contents: Vec::new(), listening: 0 };
        plain.until(|plain| plain.listening > 0).await;
        plain
    }

    pub(crate) fn id(&self) -> PeerId {
        *self.swarm.local_peer_id()
    }

    async fn next(&mut self) {
        match self.swarm.select_next_some().await {
            SwarmEvent::Behaviour(Event::Message { message, .. }) => {
                let topic = self.topics.of(&message.topic).unwrap();
                let parts = match topic {
                    Topic::Tx => bundle::decode_parts(&message.data).unwrap(),
                    Topic::Block => vec![message.data],
                };
                self.contents.extend(parts.into_iter().map(|part| (topic, part)));
            }
            SwarmEvent::Behaviour(Event::Subscribed { .. }) => self.listening += 1,
            _ => {}
        }
    }

    async fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
        let waited = tokio::time::timeout(DEADLINE, async {
            while !is_so(self) {
                self.next().await;
            }
        });
        assert!(waited.await.is_ok(), "waited in vain; it has {:?}", self.contents);
    }

    /// Waits until the node listens to both topics, and is in the mesh of each.
    pub(crate) async fn heard(&mut self) {
        self.until(|plain| plain.listening == 2).await;
        self.until(|plain| {
            let meshed = |topic| {
                let hash = plain.topics.ident(topic).hash();
                plain.swarm.behaviour().mesh_peers(&hash).next().is_some()
            };
            meshed(Topic::Tx) && meshed(Topic::Block)
        })
        .await;
    }

    /// Waits until this has come.
    pub(crate) async fn has(&mut self, topic: Topic, data: &[u8]) {
        let wanted = (topic, data.to_vec());
        self.until(|plain| plain.contents.contains(&wanted)).await;
    }

    pub(crate) fn publish(&mut self, topic: Topic, parts: &[Vec<u8>]) {
        let data = match topic {
            Topic::Tx => bundle::of(parts),
            Topic::Block => parts[0].clone(),
        };
        self.swarm.behaviour_mut().publish(self.topics.ident(topic).clone(), data).unwrap();
    }

    /// Waits until a transaction or block of each of these ids has come.
    pub(crate) async fn has_ids(&mut self, topic: Topic, ids: &BTreeSet<[u8; 32]>) {
        self.until(|plain| {
            let here = plain.contents.iter().filter(|(of, _)| *of == topic);
            let here: BTreeSet<_> = here.map(|(of, data)| of.content_id(data)).collect();
            ids.is_subset(&here)
        })
        .await;
    }

    /// Lives on.
    pub(crate) async fn run(&mut self) {
        loop {
            self.next().await;
        }
    }
}
