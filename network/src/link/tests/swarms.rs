//! Real nodes over shaped links: what a probe measures on them, and what a cut does to them.

use std::future::Future;
use std::time::Duration;

use hearsay_chain::GenesisId;
use tokio::sync::oneshot;

use crate::link::{Access, LinkSpec, Links, LinksConfig};
use crate::wire::Request;
use crate::{
    Command, Config, ConnectionConfig, GossipConfig, NetEvent, Network, PeerId, Probed, RequestId,
    peer_id,
};

const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const MEMORY: &str = "/memory/0";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Anything that hangs fails.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it does not hang")
}

fn config(number: u8, listen: &str, bootstrap: Option<&Network>) -> Config {
    Config {
        identity: [number; 32],
        genesis: GenesisId([9; 32]),
        listen: vec![listen.parse().unwrap()],
        bootstrap: bootstrap.iter().map(|node| node.listen[0].clone()).collect(),
        gossip: GossipConfig::default(),
        connections: ConnectionConfig::default(),
        members: None,
        discovery: crate::DiscoveryConfig::default(),
        largest_message: 1 << 20,
        links: None,
        dilation: 1,
    }
}

async fn node(number: u8, listen: &str, bootstrap: Option<&Network>, links: LinksConfig) -> Node {
    let dilation = links.dilation;
    let links = Links::new(links);
    let config = config(number, listen, bootstrap);
    let config = Config { links: Some(links.clone()), dilation, ..config };
    Node { network: crate::start(config).await.unwrap(), links }
}

struct Node {
    network: Network,
    links: Links,
}

fn joined(event: &NetEvent) -> bool {
    matches!(event, NetEvent::Joined(_))
}

impl Node {
    /// Waits for an event.
    async fn until(&mut self, wanted: impl Fn(&NetEvent) -> bool) -> NetEvent {
        loop {
            let event = self.network.events.recv().await.expect("the swarm runs");
            if wanted(&event) {
                return event;
            }
        }
    }

    async fn probe(&self, peer: PeerId, rounds: u32, bytes: u64) -> Result<Probed, String> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Probe { peer, rounds, bytes, reply };
        self.network.commands.send(command).await.unwrap();
        soon(answer).await.unwrap()
    }

    /// The fastest and the median of some round trips, in microseconds. Whatever else the machine
    /// does delays some; what a link adds of its own is in each.
    async fn round_trip(&self, peer: PeerId) -> (u64, u64) {
        let mut times = self.probe(peer, 21, 0).await.unwrap().rtt_us;
        times.sort_unstable();
        (times[0], times[10])
    }
}

/// Two nodes that have joined, each with its own way to the other.
async fn pair(listen: &str, one: LinksConfig, two: LinksConfig) -> (Node, Node) {
    let mut first = node(1, listen, None, one).await;
    let mut second = node(2, listen, Some(&first.network), two).await;
    soon(first.until(joined)).await;
    soon(second.until(joined)).await;
    (first, second)
}

fn delayed(delay: u64) -> LinksConfig {
    let default = LinkSpec { delay: ms(delay), ..LinkSpec::default() };
    LinksConfig { default, window: true, ..LinksConfig::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_trip_takes_both_delays_over_tcp_and_within_a_process() {
    for listen in [TCP, MEMORY] {
        let (one, two) = pair(listen, delayed(50), delayed(50)).await;
        let (fastest, median) = one.round_trip(two.network.peer).await;
        println!("{listen}: fastest {fastest}, median {median}");
        assert!((100_000..=103_000).contains(&fastest), "{listen}: {fastest}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_ways_may_differ() {
    let (one, two) = pair(MEMORY, delayed(10), delayed(60)).await;
    for (node, peer) in [(&one, two.network.peer), (&two, one.network.peer)] {
        let (fastest, _) = node.round_trip(peer).await;
        assert!((70_000..=73_000).contains(&fastest), "{fastest}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_is_the_one_asked_for_wherever_the_bottleneck_is() {
    let rate = 1_250_000;
    let (plain, delay) = (LinksConfig::default(), ms(10));
    let link = LinkSpec { delay, rate: Some(rate), ..LinkSpec::default() };
    let slow_link = LinksConfig { default: link, window: true, ..plain.clone() };
    let slow_up =
        LinksConfig { access: Access { up: Some(rate), down: None }, window: true, ..delayed(10) };
    let slow_down = LinksConfig { access: Access { up: None, down: Some(rate) }, ..delayed(10) };
    for (what, listen, one, two) in [
        ("link", TCP, slow_link.clone(), delayed(10)),
        ("link", MEMORY, slow_link, delayed(10)),
        ("uplink", MEMORY, slow_up, delayed(10)),
        ("downlink", MEMORY, delayed(10), slow_down),
    ] {
        let (one, two) = pair(listen, one, two).await;
        let probed = one.probe(two.network.peer, 0, 2_000_000).await.unwrap();
        let share = probed.bytes_per_s.unwrap() / rate as f64;
        println!("{what} over {listen}: {share}");
        assert!((share - 1.0).abs() < 0.05, "{what} over {listen}: {share}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dilation_stretches_the_network_and_not_what_it_reports() {
    let slow = LinksConfig { dilation: 4, ..delayed(10) };
    let (one, two) = pair(MEMORY, slow.clone(), slow).await;
    let start = std::time::Instant::now();
    let probed = one.probe(two.network.peer, 5, 0).await.unwrap();
    assert!(start.elapsed() >= 5 * ms(80));
    let mut times = probed.rtt_us;
    times.sort_unstable();
    assert!((20_000..=22_000).contains(&times[0]), "{times:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialling_across_a_cut_succeeds_once_it_is_mended() {
    for (cut_there, cut_back) in [(true, false), (false, true)] {
        let spec = LinkSpec { delay: ms(5), ..LinkSpec::default() };
        let cut = |cut| LinksConfig { default: LinkSpec { cut, ..spec }, ..delayed(5) };
        let mut one = node(1, MEMORY, None, cut(cut_back)).await;
        let mut two = node(2, MEMORY, Some(&one.network), cut(cut_there)).await;
        let early = tokio::time::timeout(ms(300), two.until(joined)).await;
        assert!(early.is_err(), "a cut lets no handshake through");
        one.links.set_default(spec);
        two.links.set_default(spec);
        soon(one.until(joined)).await;
        soon(two.until(joined)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_wait_out_a_cut() {
    let (one, mut two) = pair(MEMORY, delayed(5), delayed(5)).await;
    let spec = one.links.spec(&two.network.peer);
    one.links.set(two.network.peer, LinkSpec { cut: true, ..spec });
    let asked = |event: &NetEvent| matches!(event, NetEvent::Request { .. });
    for id in 0..3 {
        let (peer, request) = (two.network.peer, Request::Headers { locator: vec![], max: 1 });
        let ask = Command::Ask { peer, id: RequestId(id), request };
        one.network.commands.send(ask).await.unwrap();
    }
    let early = tokio::time::timeout(ms(300), two.until(asked)).await;
    assert!(early.is_err(), "nothing passes a cut");
    one.links.set(two.network.peer, spec);
    for _ in 0..3 {
        soon(two.until(asked)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn setting_up_a_connection_takes_the_round_trips_of_its_handshakes() {
    let first = node(1, MEMORY, None, delayed(50)).await;
    let start = std::time::Instant::now();
    let mut second = node(2, MEMORY, Some(&first.network), delayed(50)).await;
    soon(second.until(joined)).await;
    // Two for the handshakes of TCP and noise, two for identify: its stream and what it says.
    assert!(start.elapsed() >= ms(300), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_leaves_no_mark_on_the_bytes_that_are_counted() {
    let (one, two) = pair(TCP, delayed(1), delayed(1)).await;
    one.probe(two.network.peer, 0, 1_000_000).await.unwrap();
    let sent = one.network.wire.sent();
    // Payload, twelve bytes of yamux and eighteen of noise for each 16 KiB, and some talk.
    assert!((1_000_000..1_030_000).contains(&sent), "{sent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_are_bounded_and_refused_where_they_mean_nothing() {
    let (one, two) = pair(MEMORY, delayed(1), delayed(1)).await;
    let peer = two.network.peer;
    assert!(one.probe(peer, 1_000_000, 0).await.is_err());
    assert!(one.probe(peer, 0, u64::MAX).await.is_err());
    assert!(one.probe(peer_id(&[77; 32]), 1, 0).await.is_err(), "nobody knows that peer");
    let nothing = Probed { rtt_us: vec![], bytes_per_s: None };
    assert_eq!(one.probe(peer, 0, 0).await.unwrap(), nothing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_a_lab_there_are_channels_too_and_no_probes() {
    let links = Links::new(LinksConfig::default());
    let plain =
        async |config| Node { network: crate::start(config).await.unwrap(), links: links.clone() };
    let mut one = plain(config(1, MEMORY, None)).await;
    let mut two = plain(config(2, MEMORY, Some(&one.network))).await;
    soon(one.until(joined)).await;
    soon(two.until(joined)).await;
    let error = one.probe(two.network.peer, 1, 0).await.unwrap_err();
    assert!(error.contains("not shaped"), "{error}");
}

#[tokio::test]
async fn a_number_in_use_and_clocks_that_differ_are_errors_that_say_so() {
    let one = crate::start(config(1, "/memory/4711", None)).await.unwrap();
    let taken = crate::start(config(2, &one.listen[0].to_string(), None)).await.unwrap_err();
    assert!(taken.to_string().contains("another node of this process"), "{taken}");
    let links = Some(Links::new(LinksConfig { dilation: 3, ..LinksConfig::default() }));
    let config = Config { links, dilation: 2, ..config(2, MEMORY, None) };
    let differ = crate::start(config).await.unwrap_err();
    assert!(differ.to_string().contains("dilation"), "{differ}");
}
