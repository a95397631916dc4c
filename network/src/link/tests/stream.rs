//! The shaped stream over a pipe: what arrives, when, and how much is held.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::pipe::{End, pipe};
use crate::link::clock::Clock;
use crate::link::frame::HEADER;
use crate::link::line::CAPACITY;
use crate::link::path::MAX_FRAME;
use crate::link::shaped::Shaped;
use crate::link::{Access, LinkSpec, Links, LinksConfig};
use crate::{WireCount, peer_id};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Anything that hangs fails.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it does not hang")
}

fn links(default: LinkSpec) -> Links {
    Links::new(LinksConfig { default, seed: 5, window: true, ..LinksConfig::default() })
}

/// Two nodes' ends of a connection.
fn ends(there: &Links, back: &Links, room: usize) -> (Shaped<End>, Shaped<End>) {
    let (one, two) = (peer_id(&[1; 32]), peer_id(&[2; 32]));
    let (near, far) = pipe(room);
    (
        Shaped::new(near, there.connect(&one, two), WireCount::default()),
        Shaped::new(far, back.connect(&two, one), WireCount::default()),
    )
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n / 7 + n / 1_000) as u8).collect()
}

/// Sends bytes and returns, for what was read at once, how many bytes had come and how long after
/// the start. Checks that they are those that were sent.
async fn transfer(
    mut sender: Shaped<End>,
    mut receiver: Shaped<End>,
    bytes: usize,
) -> Vec<(usize, Duration)> {
    let clock = Clock::new(1);
    let start = clock.now();
    let sent = pattern(bytes);
    let expected = sent.clone();
    let writer = tokio::spawn(async move {
        sender.write_all(&sent).await.unwrap();
        sender.close().await.unwrap();
        sender
    });
    let (mut read, mut seen) = (Vec::new(), Vec::new());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = soon(receiver.read(&mut buffer)).await.unwrap();
        if count == 0 {
            break;
        }
        read.extend_from_slice(&buffer[..count]);
        seen.push((read.len(), clock.now() - start));
    }
    assert!(read == expected, "what arrives is what was sent");
    soon(writer).await.unwrap();
    seen
}

#[tokio::test]
async fn bytes_arrive_after_the_delay_and_never_before() {
    let (there, back) =
        (links(LinkSpec { delay: ms(30), ..LinkSpec::default() }), links(LinkSpec::default()));
    let (near, far) = ends(&there, &back, 1 << 20);
    let seen = transfer(near, far, 5_000).await;
    assert!(seen[0].1 >= ms(30), "{seen:?}");
}

#[tokio::test]
async fn losses_stall_the_stream_and_change_nothing_in_it() {
    let spec = LinkSpec { delay: ms(20), loss: 0.01, ..LinkSpec::default() };
    let (there, back) = (links(spec), links(LinkSpec { delay: ms(20), ..LinkSpec::default() }));
    let (near, far) = ends(&there, &back, 1 << 20);
    let seen = transfer(near, far, 1_500_000).await;
    // Of 1,027 segments about ten are lost, each for a round trip of 40 ms at least. Without, a
    // window that doubles lets them through in seven: 280 ms.
    let took = seen.last().unwrap().1;
    assert!(took > ms(400), "{took:?}");
}

#[tokio::test]
async fn a_cut_stops_one_direction_and_healing_lets_everything_through() {
    let spec = LinkSpec { delay: ms(5), ..LinkSpec::default() };
    let (there, back) = (links(spec), links(spec));
    let (mut near, mut far) = ends(&there, &back, 1 << 20);
    let two = peer_id(&[2; 32]);
    near.write_all(b"before").await.unwrap();
    near.flush().await.unwrap();
    there.set(two, LinkSpec { cut: true, ..spec });
    assert!(there.spec(&two).cut);
    let mut buffer = [0; 6];
    soon(far.read_exact(&mut buffer)).await.unwrap();
    assert_eq!(&buffer, b"before", "what was under way arrives");

    let sent = pattern(100_000);
    let expected = sent.clone();
    let writer = tokio::spawn(async move {
        near.write_all(&sent).await.unwrap();
        near.flush().await.unwrap();
        near
    });
    // The other direction goes on: when this answer is there, more than a delay has passed.
    far.write_all(b"still here").await.unwrap();
    far.flush().await.unwrap();
    let mut received = vec![0; expected.len()];
    let mut reading = Box::pin(far.read_exact(&mut received));
    let nothing = tokio::time::timeout(ms(200), &mut reading).await;
    assert!(nothing.is_err(), "nothing passes a cut");
    there.set(two, spec);
    soon(reading).await.unwrap();
    assert!(received == expected, "nothing is lost");
    let mut near = soon(writer).await.unwrap();
    let mut answer = [0; 10];
    soon(near.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"still here");
}

#[tokio::test]
async fn a_changed_access_wakes_who_waits_for_the_line() {
    let (there, back) = (links(LinkSpec::default()), links(LinkSpec::default()));
    // A segment takes a second and a half; the third waits for the second.
    there.set_access(Access { up: Some(1_000), down: None });
    let (mut near, mut far) = ends(&there, &back, 1 << 20);
    let clock = Clock::new(1);
    let start = clock.now();
    let writer = tokio::spawn(async move {
        near.write_all(&[7; 16_000]).await.unwrap();
        near.flush().await.unwrap();
        near
    });
    let mut received = [0; 16_000];
    soon(far.read_exact(&mut received[..1_000])).await.unwrap();
    there.set_access(Access { up: Some(100_000_000), down: None });
    soon(far.read_exact(&mut received[1_000..])).await.unwrap();
    soon(writer).await.unwrap();
    let took = clock.now() - start;
    // Two segments at most were on the line at the old rate; eleven would have taken 16 seconds.
    assert!(took >= ms(1_400) && took < Duration::from_secs(8), "{took:?}");
}

/// How much a writer gets rid of before it has to wait.
async fn accepted(stream: &mut Shaped<End>) -> usize {
    let piece = vec![0; 10_000];
    let mut total = 0;
    poll_fn(|cx| {
        while let Poll::Ready(count) = Pin::new(&mut *stream).poll_write(cx, &piece) {
            total += count.unwrap();
        }
        Poll::Ready(total)
    })
    .await
}

#[tokio::test]
async fn a_cut_makes_the_writer_wait_after_one_frame() {
    let (there, back) =
        (links(LinkSpec { cut: true, ..LinkSpec::default() }), links(LinkSpec::default()));
    let (mut near, _far) = ends(&there, &back, 1 << 30);
    assert_eq!(accepted(&mut near).await, MAX_FRAME);
}

#[tokio::test]
async fn a_slow_line_makes_the_writer_wait() {
    // 5 ms at 1,000,000 bytes a second, the frame that was begun, and the one that is pending.
    let spec = LinkSpec { rate: Some(1_000_000), ..LinkSpec::default() };
    let (there, back) = (links(spec), links(LinkSpec::default()));
    let (mut near, _far) = ends(&there, &back, 1 << 30);
    let bytes = accepted(&mut near).await;
    assert!(bytes < 5_000 + 2 * MAX_FRAME + 10_000, "{bytes}");
}

#[tokio::test]
async fn a_receiver_holds_so_much_and_then_stops_reading() {
    let spec = LinkSpec { delay: Duration::from_secs(10), ..LinkSpec::default() };
    let there = Links::new(LinksConfig { default: spec, ..LinksConfig::default() });
    let back = links(LinkSpec::default());
    let room = 100_000;
    let (mut near, mut far) = ends(&there, &back, room);
    let mut total = 0;
    loop {
        let more = accepted(&mut near).await;
        let read = poll_fn(|cx| {
            Poll::Ready(futures::AsyncRead::poll_read(Pin::new(&mut far), cx, &mut [0; 10]))
        })
        .await;
        assert!(read.is_pending(), "nothing arrives for ten seconds");
        total += more;
        if more == 0 {
            break;
        }
    }
    let most = CAPACITY + room + 3 * MAX_FRAME;
    assert!(total > CAPACITY / 2 && total < most, "{total}");
}

#[tokio::test]
async fn frames_out_of_bounds_end_the_stream() {
    let header = |bytes: u32, arrival: u64| {
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&bytes.to_le_bytes());
        header[4..12].copy_from_slice(&arrival.to_le_bytes());
        header
    };
    for header in [header(u32::MAX, 0), header(0, 0), header(1, u64::MAX)] {
        let (mut raw, socket) = pipe(1 << 20);
        let (one, two) = (peer_id(&[1; 32]), peer_id(&[2; 32]));
        let connection = links(LinkSpec::default()).connect(&one, two);
        let mut stream = Shaped::new(socket, connection, WireCount::default());
        raw.write_all(&header).await.unwrap();
        let error = soon(stream.read(&mut [0; 10])).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let again = soon(stream.read(&mut [0; 10])).await.unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::InvalidData, "it stays ended");
    }
}

#[tokio::test]
async fn the_end_of_a_stream_travels_too() {
    let spec = LinkSpec { delay: ms(40), ..LinkSpec::default() };
    let (there, back) = (links(spec), links(spec));
    let (mut near, mut far) = ends(&there, &back, 1 << 20);
    near.write_all(b"x").await.unwrap();
    near.flush().await.unwrap();
    let mut byte = [0];
    soon(far.read_exact(&mut byte)).await.unwrap();
    let clock = Clock::new(1);
    let start = clock.now();
    near.close().await.unwrap();
    assert_eq!(soon(far.read(&mut byte)).await.unwrap(), 0);
    assert!(clock.now() - start >= ms(40));
}
