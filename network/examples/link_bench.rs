//! What the lab costs a connection: throughput and small-message round trips over loopback TCP of
//! * `bare`: TCP, noise and yamux put together here, with nothing of this crate's;
//! * `node`: a node's transport outside a lab, which also counts bytes;
//! * `lab`: a node's transport with links that shape nothing.
//!
//! The three take turns in each round, so that whatever else the machine does meets all of them.
//! Printed are the medians over the rounds, the extremes, and the median of each round's ratio to
//! `bare`. Processor time is that of both ends together; it is the figure to trust on a machine that
//! is busy with other things.
//!
//! `cargo run --release -p hearsay-network --example link_bench [ROUNDS]`

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use hearsay_network::link::{Links, LinksConfig};
use hearsay_network::{Connections, transport};
use libp2p::core::Endpoint;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{DialOpts, ListenerId, PortUse, Transport, TransportEvent};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{noise, tcp, yamux};
use rustix::time::{ClockId, clock_gettime};

/// Bytes sent to measure throughput.
const BYTES: usize = 32 << 20;

/// Bytes written at once.
const PIECE: usize = 16 << 10;

/// Round trips timed, of messages this small.
const ECHOES: u32 = 1_000;
const SMALL: usize = 200;

const KINDS: [&str; 3] = ["bare", "node", "lab"];

/// TCP, noise and yamux with the same settings as a node's, and nothing else.
fn bare(seed: [u8; 32]) -> Connections {
    let identity = Keypair::ed25519_from_bytes(seed).expect("any 32 bytes are a seed");
    let mut multiplexer = yamux::Config::default();
    multiplexer.set_max_num_streams(64);
    tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(&identity).expect("an Ed25519 identity can sign"))
        .multiplex(multiplexer)
        .timeout(Duration::from_secs(10))
        .boxed()
}

fn build(kind: &str, number: u8) -> Connections {
    let seed = [number; 32];
    match kind {
        "bare" => bare(seed),
        "node" => transport(&seed, None),
        _ => transport(&seed, Some(&Links::new(LinksConfig::default()))),
    }
}

/// A stream between two fresh transports of one kind.
async fn connect(kind: &str) -> (SubstreamBox, SubstreamBox) {
    let (mut listener, mut dialler) = (build(kind, 1), build(kind, 2));
    let anywhere = "/ip4/127.0.0.1/tcp/0".parse().expect("an address");
    listener.listen_on(ListenerId::next(), anywhere).expect("it can listen");
    let address = loop {
        if let TransportEvent::NewAddress { listen_addr, .. } = listener.select_next_some().await {
            break listen_addr;
        }
    };
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let dial = dialler.dial(address, options).expect("it can dial");
    // Both ends at once: each needs the other to go on. A stream is known to the other end with its
    // first byte.
    let near = async {
        let mut stream = open(dial.await.expect("it connects").1).await;
        stream.write_all(&[1]).await.expect("it is written");
        stream.flush().await.expect("it is sent");
        stream
    };
    let far = async {
        let upgrade = loop {
            if let Some((upgrade, _)) = listener.select_next_some().await.into_incoming() {
                break upgrade;
            }
        };
        let mut stream = accept(upgrade.await.expect("it is accepted").1).await;
        stream.read_exact(&mut [0]).await.expect("it is read");
        stream
    };
    tokio::join!(near, far)
}

async fn open(mut connection: StreamMuxerBox) -> SubstreamBox {
    let stream = poll_fn(|cx| match connection.poll_outbound_unpin(cx) {
        Poll::Ready(stream) => Poll::Ready(stream.expect("it opens a stream")),
        Poll::Pending => {
            let _ = connection.poll_unpin(cx);
            Poll::Pending
        }
    })
    .await;
    drive(connection);
    stream
}

async fn accept(mut connection: StreamMuxerBox) -> SubstreamBox {
    let stream = poll_fn(|cx| connection.poll_inbound_unpin(cx)).await.expect("it gets a stream");
    drive(connection);
    stream
}

/// Keeps a connection going until it ends.
fn drive(mut connection: StreamMuxerBox) {
    tokio::spawn(async move {
        loop {
            if poll_fn(|cx| connection.poll_unpin(cx)).await.is_err() {
                return;
            }
        }
    });
}

/// What is measured of one kind in one round.
#[derive(Clone, Copy, Default)]
struct Measured {
    bytes_per_s: f64,
    cpu_us_per_mib: f64,
    echo_us: f64,
    cpu_us_per_echo: f64,
}

/// The processor time of this process, in microseconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

async fn measure(kind: &str) -> Measured {
    let (mut near, mut far) = connect(kind).await;
    let answering = tokio::spawn(async move {
        for _ in 0..ECHOES {
            pass(&mut far, &mut [0; SMALL]).await;
        }
        let mut buffer = vec![0; 64 << 10];
        let mut left = BYTES;
        while left > 0 {
            left -= far.read(&mut buffer).await.expect("the stream stands");
        }
        far.write_all(&[1]).await.expect("the stream stands");
        far.flush().await.expect("the stream stands");
        far
    });
    let mut times = Vec::new();
    let before = cpu();
    for _ in 0..ECHOES {
        let start = Instant::now();
        near.write_all(&[2; SMALL]).await.expect("the stream stands");
        near.flush().await.expect("the stream stands");
        near.read_exact(&mut [0; SMALL]).await.expect("the stream stands");
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    let between = cpu();
    let (start, piece) = (Instant::now(), vec![3; PIECE]);
    for _ in 0..BYTES / PIECE {
        near.write_all(&piece).await.expect("the stream stands");
    }
    near.flush().await.expect("the stream stands");
    near.read_exact(&mut [0]).await.expect("the stream stands");
    let measured = Measured {
        bytes_per_s: BYTES as f64 / start.elapsed().as_secs_f64(),
        cpu_us_per_mib: (cpu() - between) / (BYTES >> 20) as f64,
        echo_us: median(&mut times),
        cpu_us_per_echo: (between - before) / f64::from(ECHOES),
    };
    drop(answering.await.expect("the other end is well"));
    measured
}

/// Sends back what comes.
async fn pass(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), buffer: &mut [u8]) {
    let mut stream = Pin::new(stream);
    stream.read_exact(buffer).await.expect("the stream stands");
    stream.write_all(buffer).await.expect("the stream stands");
    stream.flush().await.expect("the stream stands");
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(what: &str, rounds: &[[Measured; 3]], figure: impl Fn(&Measured) -> f64) {
    println!("{what:<34} {:>8} {:>8} {:>8}   ratio to bare", "median", "min", "max");
    for (kind, name) in KINDS.iter().enumerate() {
        let mut values: Vec<f64> = rounds.iter().map(|round| figure(&round[kind])).collect();
        let ratio = |round: &[Measured; 3]| figure(&round[kind]) / figure(&round[0]);
        let mut ratios: Vec<f64> = rounds.iter().map(ratio).collect();
        let (value, share) = (median(&mut values), median(&mut ratios));
        let (low, high) = (values[0], values[values.len() - 1]);
        let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
        println!(
            "  {name:<32} {value:>8.1} {low:>8.1} {high:>8.1}   {share:.3} ({least:.3} to {most:.3})"
        );
    }
}

#[tokio::main]
async fn main() {
    let rounds = std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(31);
    let mut all = Vec::new();
    for round in 0..rounds {
        let mut measured = [Measured::default(); 3];
        for turn in 0..KINDS.len() {
            // Each kind comes first as often as the others.
            let kind = (turn + round) % KINDS.len();
            measured[kind] = measure(KINDS[kind]).await;
        }
        all.push(measured);
    }
    println!("{rounds} rounds, interleaved; loopback TCP; {} MiB, {ECHOES} echoes", BYTES >> 20);
    print("throughput, MB/s", &all, |m| m.bytes_per_s / 1e6);
    print("processor time a MiB, us", &all, |m| m.cpu_us_per_mib);
    print("round trip of 200 bytes, us", &all, |m| m.echo_us);
    print("processor time a round trip, us", &all, |m| m.cpu_us_per_echo);
}
