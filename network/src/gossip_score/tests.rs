//! The honest are never punished, and the hostile soon.

use std::future::poll_fn;
use std::task::Poll;

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::gossipsub::{Event, MessageAcceptance};
use libp2p::swarm::behaviour::ConnectionEstablished;
use libp2p::swarm::{
    Config as SwarmConfig, ConnectionId, FromSwarm, NetworkBehaviour, Swarm, SwarmEvent,
};
use libp2p::{Multiaddr, PeerId};

use super::*;
use crate::gossip::GossipConfig;
use crate::tap::Tap;
use hearsay_chain::GenesisId;

fn topics() -> Topics {
    Topics::new(GenesisId([1; 32]))
}

fn tap(params: PeerScoreParams) -> Tap {
    let config = GossipConfig::default().build(1 << 20, 1).unwrap();
    let mut tap = Tap::new(config, topics(), false, 0.0, 1).unwrap();
    tap.with_peer_score(params, thresholds()).unwrap();
    tap.subscribe(topics().ident(Topic::Tx)).unwrap();
    tap
}

/// The scores of two hundred peers that have connected from one address.
fn scores_on_one_address(params: PeerScoreParams) -> Vec<f64> {
    let mut tap = tap(params);
    let address: Multiaddr = "/ip4/127.0.0.1/tcp/7700".parse().unwrap();
    let endpoint = ConnectedPoint::Dialer {
        address: address.clone(),
        role_override: Endpoint::Dialer,
        port_use: PortUse::Reuse,
    };
    let peers: Vec<PeerId> = (0..200).map(|_| PeerId::random()).collect();
    for (number, peer) in peers.iter().enumerate() {
        let connection_id = ConnectionId::new_unchecked(number);
        let (role, port) = (Endpoint::Dialer, PortUse::Reuse);
        tap.handle_established_outbound_connection(connection_id, *peer, &address, role, port)
            .unwrap();
        tap.on_swarm_event(FromSwarm::ConnectionEstablished(ConnectionEstablished {
            peer_id: *peer,
            connection_id,
            endpoint: &endpoint,
            failed_addresses: &[],
            other_established: 0,
        }));
    }
    peers.iter().map(|peer| tap.peer_score(peer).unwrap()).collect()
}

#[tokio::test]
async fn two_hundred_peers_on_one_address_keep_their_scores_which_the_defaults_graylist() {
    assert_eq!(scores_on_one_address(params(&topics(), 1)), [0.0; 200]);
    let usual = scores_on_one_address(PeerScoreParams::default());
    let graylist = PeerScoreThresholds::default().graylist_threshold;
    assert!(usual.iter().all(|score| *score < graylist), "{usual:?}");
}

#[tokio::test]
async fn silence_in_a_mesh_costs_nothing_where_the_defaults_charge_it() {
    let second = Duration::from_secs(1);
    // The same but for when silence begins to count: here first.
    let mut ours = params(&topics(), 1);
    for topic in ours.topics.values_mut() {
        topic.mesh_message_deliveries_activation = second;
    }
    // The defaults, but for what being in a mesh earns: it hides the rest for an hour.
    let mut usual = ours.clone();
    for topic in usual.topics.values_mut() {
        *topic = TopicScoreParams {
            time_in_mesh_weight: 0.0,
            mesh_message_deliveries_activation: 3 * second,
            ..TopicScoreParams::default()
        };
    }
    let (mut calm, mut strict) = (swarm_with(3, ours), swarm_with(4, usual));
    let (calm_id, strict_id) = (*calm.local_peer_id(), *strict.local_peer_id());
    let address: Multiaddr = "/memory/7702002".parse().unwrap();
    calm.listen_on(address.clone()).unwrap();
    strict.dial(address).unwrap();
    let mut meshed = false;
    let charged = poll_fn(|cx| {
        // Their heartbeats wake them, of which no event tells.
        while calm.poll_next_unpin(cx).is_ready() || strict.poll_next_unpin(cx).is_ready() {}
        meshed |= calm.behaviour().all_mesh_peers().any(|peer| *peer == strict_id);
        match strict.behaviour().peer_score(&calm_id) {
            Some(score) if score < 0.0 => Poll::Ready(()),
            _ => Poll::Pending,
        }
    });
    let in_time = tokio::time::timeout(RETAIN, charged).await;
    assert!(in_time.is_ok(), "the defaults did not charge it either");
    assert!(meshed);
    assert_eq!(calm.behaviour().peer_score(&strict_id), Some(0.0));
}

#[test]
fn breaches_of_a_slow_peer_are_forgiven_and_nothing_gained_makes_up_for_many_invalid_messages() {
    let params = params(&topics(), 1);
    params.validate().unwrap();
    thresholds().validate().unwrap();
    let beats = 1.0 / GossipConfig::default().heartbeat.as_secs_f64();
    let settled = beats / (1.0 - params.behaviour_penalty_decay);
    assert!(settled < BREACHES_FORGIVEN, "{settled} of {BREACHES_FORGIVEN}");
    let gained = 2.0 * FIRST_CAP * FIRST_WEIGHT;
    assert!(gained + 9.0 * INVALID_WEIGHT < 0.0, "three cost more than can be gained");
    assert!(gained + 100.0 * INVALID_WEIGHT < thresholds().graylist_threshold);
    assert!(4.0 * INVALID_WEIGHT > thresholds().gossip_threshold, "two are forgiven");
}

fn swarm(number: u8) -> Swarm<Tap> {
    swarm_with(number, params(&topics(), 1))
}

fn swarm_with(number: u8, params: PeerScoreParams) -> Swarm<Tap> {
    let identity = crate::identity(&[number; 32]);
    let transport = crate::transport::build(&identity, &Default::default(), None, 1).unwrap();
    let peer = identity.public().to_peer_id();
    let config = SwarmConfig::with_tokio_executor().with_idle_connection_timeout(RETAIN);
    Swarm::new(transport, tap(params), peer, config)
}

#[tokio::test]
async fn a_flood_of_invalid_messages_ends_at_the_graylist() {
    let (mut hostile, mut victim) = (swarm(1), swarm(2));
    let address: Multiaddr = "/memory/7702001".parse().unwrap();
    victim.listen_on(address.clone()).unwrap();
    hostile.dial(address).unwrap();
    let from = *hostile.local_peer_id();
    let mut number = 0u32;
    let done = async {
        loop {
            tokio::select! {
                event = hostile.select_next_some() => {
                    if matches!(event, SwarmEvent::Behaviour(Event::Subscribed { .. })) {
                        for _ in 0..12 {
                            number += 1;
                            let data = number.to_le_bytes();
                            hostile.behaviour_mut().publish(topics().ident(Topic::Tx).clone(), data)
                                .unwrap();
                        }
                    }
                }
                event = victim.select_next_some() => {
                    if let SwarmEvent::Behaviour(Event::Message { message_id, .. }) = event {
                        let before = victim.behaviour().peer_score(&from).unwrap();
                        assert!(before >= thresholds().graylist_threshold);
                        let reject = MessageAcceptance::Reject;
                        victim.behaviour_mut()
                            .report_message_validation_result(&message_id, &from, reject);
                        let score = victim.behaviour().peer_score(&from).unwrap();
                        if score < thresholds().graylist_threshold {
                            return;
                        }
                    }
                }
            }
        }
    };
    let in_time = tokio::time::timeout(RETAIN, done).await;
    assert!(in_time.is_ok(), "twelve invalid messages are no flood");
}
