//! Laws of the model, under virtual time, and arrival times worked out by hand.

use std::time::Duration;

use proptest::prelude::*;

use crate::link::chance::Chance;
use crate::link::path::{Arrival, Gate, HEADERS, MAX_FRAME, Path, SEGMENT, on_the_line};
use crate::link::queue::Queue;
use crate::link::spec::LinkSpec;
use crate::peer_id;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Payload that fills exactly so many segments.
fn segments(count: u64) -> usize {
    usize::try_from(count * SEGMENT - 18).unwrap()
}

/// A sender whose clock goes forward only when it has to wait.
struct Sender {
    now: Duration,
    path: Path,
    spec: LinkSpec,
}

impl Sender {
    fn new(spec: LinkSpec, window: bool, seed: u64) -> Self {
        let chance = Chance::new(seed, &peer_id(&[1; 32]), &peer_id(&[2; 32]));
        let mut path = Path::new(chance, window);
        path.heard(spec.delay);
        Self { now: ms(1_000), path, spec }
    }

    /// Writes `bytes`; returns the frames in which they left: when, how many bytes, and when they
    /// arrive. Stops where a cut holds them.
    fn write(
        &mut self,
        uplink: &mut Queue,
        up: Option<u64>,
        mut bytes: usize,
    ) -> Vec<(Duration, usize, Arrival)> {
        let mut frames = Vec::new();
        while bytes > 0 {
            match self.path.gate(self.now, &self.spec, up, bytes.min(MAX_FRAME)) {
                Gate::Open(count) => {
                    assert!(count > 0, "a gate that is open lets something through");
                    let arrival = self.path.send(self.now, &self.spec, uplink, up, count);
                    frames.push((self.now, count, arrival));
                    bytes -= count;
                }
                Gate::Shut(until) => {
                    assert!(until > self.now, "a wait ends later than it begins");
                    self.now = until;
                }
                Gate::Cut => return frames,
            }
        }
        frames
    }

    /// Writes on a node whose uplink is of no matter, and returns when the last byte arrives.
    fn last(&mut self, bytes: usize) -> Duration {
        self.write(&mut Queue::default(), None, bytes).last().unwrap().2.last
    }
}

#[test]
fn a_link_of_nothing_but_delay_delays_by_just_that() {
    let mut sender = Sender::new(LinkSpec { delay: ms(50), ..LinkSpec::default() }, false, 1);
    for bytes in [1, 100, 10_000, 1_000_000] {
        let start = sender.now;
        assert_eq!(sender.last(bytes), start + ms(50));
        assert_eq!(sender.now, start, "nothing makes it wait");
    }
}

#[test]
fn a_rate_takes_the_time_that_headers_and_payload_take() {
    // 1,500,000 bytes a second: a full segment takes one millisecond.
    let spec = LinkSpec { rate: Some(1_500_000), ..LinkSpec::default() };
    let mut sender = Sender::new(spec, false, 1);
    let start = sender.now;
    assert_eq!(sender.last(segments(1)), start + ms(1));
    assert_eq!(sender.last(segments(4)), start + ms(5), "behind the one before it");
    assert_eq!(on_the_line(segments(4)), 4 * (SEGMENT + HEADERS));
}

#[test]
fn the_window_doubles_with_each_round_trip() {
    let spec = LinkSpec { delay: ms(50), ..LinkSpec::default() };
    let mut sender = Sender::new(spec, true, 1);
    let start = sender.now;
    // With the seals of the frames, somewhat less than 70 segments.
    let frames = sender.write(&mut Queue::default(), None, segments(69));
    let mut arrivals: Vec<(Duration, usize)> = Vec::new();
    for (_, bytes, arrival) in frames {
        let at = arrival.last - start;
        match arrivals.last_mut() {
            Some((last, sum)) if *last == at => *sum += bytes + 18,
            _ => arrivals.push((at, bytes + 18)),
        }
    }
    // 10 segments arrive after 50 ms and are acknowledged at 100; 20 leave then, 40 at 200.
    let (times, bytes): (Vec<_>, Vec<_>) = arrivals.into_iter().unzip();
    assert_eq!(times, [ms(50), ms(150), ms(250)]);
    assert_eq!(bytes[..2], [10 * SEGMENT as usize, 20 * SEGMENT as usize]);
}

#[test]
fn a_silence_of_a_timeout_makes_the_window_small_again_and_a_shorter_one_does_not() {
    let spec = LinkSpec { delay: ms(50), ..LinkSpec::default() };
    // 29 segments take two rounds from a fresh window, one from a grown one. The timeout is the
    // round trip of 100 ms and 200 ms.
    for (silence, rounds) in [(ms(299), 1), (ms(301), 2)] {
        let mut sender = Sender::new(spec, true, 1);
        sender.last(segments(70));
        sender.now += silence;
        let start = sender.now;
        let expected = if rounds == 1 { ms(50) } else { ms(150) };
        assert_eq!(sender.last(segments(29)) - start, expected, "after {silence:?}");
    }
}

#[test]
fn a_connection_that_sends_little_does_not_open_its_window() {
    let spec = LinkSpec { delay: ms(50), ..LinkSpec::default() };
    let mut sender = Sender::new(spec, true, 1);
    for _ in 0..200 {
        sender.last(segments(1));
        sender.now += ms(101);
    }
    let start = sender.now;
    assert_eq!(sender.last(segments(29)) - start, ms(150));
}

#[test]
fn two_connections_share_one_uplink() {
    let up = Some(1_500_000);
    let mut uplink = Queue::default();
    let mut one = Sender::new(LinkSpec::default(), false, 1);
    let mut two = Sender::new(LinkSpec::default(), false, 1);
    let start = one.now;
    let (mut sent, mut last) = ([0; 2], start);
    while last < start + Duration::from_secs(2) {
        // Whoever may write first does.
        let (who, sender) = if one.now <= two.now { (0, &mut one) } else { (1, &mut two) };
        match sender.path.gate(sender.now, &sender.spec, up, MAX_FRAME) {
            Gate::Open(bytes) => {
                let arrival = sender.path.send(sender.now, &sender.spec, &mut uplink, up, bytes);
                assert!(arrival.last > last, "one after another");
                last = arrival.last;
                sent[who] += on_the_line(bytes);
            }
            Gate::Shut(until) => sender.now = until,
            Gate::Cut => unreachable!(),
        }
    }
    let total = (sent[0] + sent[1]) as f64;
    let rate = total / (last - start).as_secs_f64();
    assert!((rate / 1.5e6 - 1.0).abs() < 0.01, "{rate}");
    assert!(sent[0].abs_diff(sent[1]) as f64 / total < 0.02, "{sent:?}");
}

#[test]
fn a_downlink_passes_in_the_order_of_arrival_and_adds_nothing_to_what_comes_slower() {
    let mut down = Queue::default();
    // 1,000 bytes at 1,000,000 a second take a millisecond.
    let rate = Some(1_000_000);
    assert_eq!(down.pass_along(ms(10), ms(10), 1_000, rate), ms(11));
    assert_eq!(down.pass_along(ms(10), ms(10), 1_000, rate), ms(12), "behind the first");
    assert_eq!(down.pass_along(ms(20), ms(25), 1_000, rate), ms(25), "it came bit by bit");
    assert_eq!(down.pass_along(ms(25), ms(25), 1_000, rate), ms(26));
}

#[test]
fn a_lost_segment_costs_one_round_trip_in_a_stream_and_a_timeout_at_its_end() {
    let delay = ms(50);
    // At most half is lost; one in three hundred is enough to find both kinds.
    let spec = LinkSpec { delay, loss: 1.0 / 300.0, ..LinkSpec::default() };
    let mut stalls = Vec::new();
    let mut lone = Sender::new(spec, false, 3);
    for _ in 0..2_000 {
        let extra = lone.last(100) - lone.now - delay;
        stalls.push(extra);
        lone.now += Duration::from_secs(60);
    }
    let timeout = ms(300);
    let lost: Vec<_> = stalls.into_iter().filter(|stall| !stall.is_zero()).collect();
    assert!((2..20).contains(&lost.len()), "{lost:?}");
    assert!(lost.iter().all(|stall| *stall == timeout || *stall == timeout * 3), "{lost:?}");

    let mut busy = Sender::new(spec, false, 3);
    let mut extras = Vec::new();
    for _ in 0..2_000 {
        extras.push(busy.last(100) - busy.now - delay);
        busy.now += ms(10);
    }
    assert!(extras.contains(&ms(100)), "one round trip");
    let steps = extras.windows(2).filter(|pair| pair[1] > pair[0]);
    assert!(steps.clone().count() > 1);
    assert!(extras.windows(2).all(|pair| pair[1] + ms(10) >= pair[0]), "what follows waits");
}

#[test]
fn a_cut_holds_what_has_not_left_and_tcp_notices_late_that_it_is_mended() {
    let mut sender = Sender::new(LinkSpec { delay: ms(50), ..LinkSpec::default() }, true, 1);
    let mut uplink = Queue::default();
    let under_way = sender.write(&mut uplink, None, 1_000);
    assert_eq!(under_way[0].2.last, sender.now + ms(50), "what has left arrives");
    sender.spec.cut = true;
    let cut = sender.now;
    assert!(sender.write(&mut uplink, None, 1_000).is_empty());
    sender.now += ms(1_000);
    assert!(sender.write(&mut uplink, None, 1_000).is_empty());
    sender.spec.cut = false;
    let frames = sender.write(&mut uplink, None, 1_000);
    // Sent again after 300 ms, 600 more (900) and 1,200 more (2,100), which is the first after 1,000.
    assert_eq!(frames[0].0, cut + ms(2_100));
    assert_eq!(frames[0].2.last, cut + ms(2_150));
}

#[test]
fn a_cut_under_which_nothing_was_written_costs_nothing() {
    let mut sender =
        Sender::new(LinkSpec { delay: ms(50), cut: true, ..LinkSpec::default() }, true, 1);
    sender.now += ms(10_000);
    sender.spec.cut = false;
    let start = sender.now;
    assert_eq!(sender.last(1_000), start + ms(50));
}

#[test]
fn jitter_is_as_wide_as_asked_and_favours_neither_side() {
    let delay = ms(100);
    let spec = LinkSpec { delay, jitter: 0.05, ..LinkSpec::default() };
    let mut sender = Sender::new(spec, false, 9);
    let mut travelled: Vec<f64> = Vec::new();
    for _ in 0..5_000 {
        travelled.push((sender.last(100) - sender.now).as_secs_f64() * 1e3);
        sender.now += Duration::from_secs(1);
    }
    let mean = travelled.iter().sum::<f64>() / 5_000.0;
    let variance = travelled.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / 5_000.0;
    // The mean's own deviation is 5 / sqrt(5,000) = 0.07 ms.
    assert!((mean - 100.0).abs() < 0.3, "{mean}");
    assert!((variance.sqrt() - 5.0).abs() < 0.3, "{variance}");
    assert!(travelled.iter().all(|t| (85.0..=115.0).contains(t)), "three deviations");
}

fn specs() -> impl Strategy<Value = LinkSpec> {
    let rate = prop::option::of(10_000u64..200_000_000);
    (0u64..400, 0.0..0.5, rate, prop_oneof![Just(0.0), 0.0..0.1]).prop_map(
        |(delay, jitter, rate, loss)| LinkSpec { delay: ms(delay), jitter, rate, loss, cut: false },
    )
}

/// Writes of some bytes after pauses of some milliseconds.
fn writes() -> impl Strategy<Value = Vec<(u64, usize)>> {
    prop::collection::vec((0u64..1_000, 1usize..60_000), 1..40)
}

type Frames = Vec<(Duration, usize, Arrival)>;

fn play(
    spec: LinkSpec,
    window: bool,
    seed: u64,
    up: Option<u64>,
    writes: &[(u64, usize)],
) -> Frames {
    let mut sender = Sender::new(spec, window, seed);
    let mut uplink = Queue::default();
    let mut frames = Vec::new();
    for (pause, bytes) in writes {
        sender.now += ms(*pause);
        frames.extend(sender.write(&mut uplink, up, *bytes));
    }
    frames
}

proptest! {
    #[test]
    fn bytes_arrive_in_order_whole_and_never_early(
        spec in specs(),
        window: bool,
        seed: u64,
        up in prop::option::of(10_000u64..100_000_000),
        writes in writes(),
    ) {
        let frames = play(spec, window, seed, up, &writes);
        let total: usize = frames.iter().map(|(_, bytes, _)| bytes).sum();
        prop_assert_eq!(total, writes.iter().map(|(_, bytes)| bytes).sum::<usize>());
        let least = spec.delay.mul_f64((1.0 - 3.0 * spec.jitter).max(0.0));
        for (left, bytes, arrival) in &frames {
            prop_assert!(arrival.first <= arrival.last);
            // Rounding takes less than a nanosecond a segment.
            prop_assert!(arrival.last + Duration::from_nanos(50) >= *left + least);
            if let Some(rate) = spec.rate {
                let taken = Duration::from_secs_f64(on_the_line(*bytes) as f64 / rate as f64);
                prop_assert!(arrival.last + Duration::from_nanos(50) >= *left + taken + least);
            }
        }
        for pair in frames.windows(2) {
            prop_assert!(pair[0].2.last <= pair[1].2.first);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_times(
        spec in specs(),
        window: bool,
        seed: u64,
        writes in writes(),
    ) {
        let once = play(spec, window, seed, None, &writes);
        prop_assert_eq!(&once, &play(spec, window, seed, None, &writes));
    }

    #[test]
    fn in_the_long_run_the_rate_is_the_one_asked_for(
        rate in 50_000u64..100_000_000,
        delay in 0u64..200,
    ) {
        let spec = LinkSpec { delay: ms(delay), rate: Some(rate), ..LinkSpec::default() };
        // Two seconds' worth.
        let frames = play(spec, false, 1, None, &[(0, usize::try_from(rate * 2).unwrap())]);
        let bytes: u64 = frames.iter().map(|(_, bytes, _)| on_the_line(*bytes)).sum();
        let (start, end) = (frames[0].0, frames[frames.len() - 1].2.last);
        let measured = bytes as f64 / (end - start - spec.delay).as_secs_f64();
        prop_assert!((measured / rate as f64 - 1.0).abs() < 0.01, "{} of {}", measured, rate);
    }

    #[test]
    fn a_writer_never_gets_far_ahead_of_the_line(
        rate in 10_000u64..10_000_000,
        writes in writes(),
    ) {
        let frames = play(LinkSpec::default(), false, 1, Some(rate), &writes);
        for (left, bytes, arrival) in frames {
            let own = Duration::from_secs_f64(on_the_line(bytes) as f64 / rate as f64);
            prop_assert!(arrival.last <= left + ms(6) + own);
        }
    }
}

#[test]
fn another_seed_or_another_peer_gives_other_times() {
    let spec = LinkSpec { delay: ms(100), jitter: 0.1, ..LinkSpec::default() };
    let times = |seed| play(spec, false, seed, None, &[(1, 10), (500, 10), (500, 10)]);
    assert_ne!(times(1), times(2));
    let there = Chance::new(1, &peer_id(&[1; 32]), &peer_id(&[2; 32])).vary(ms(1), ms(100), 0.1);
    let back = Chance::new(1, &peer_id(&[2; 32]), &peer_id(&[1; 32])).vary(ms(1), ms(100), 0.1);
    assert_ne!(there, back);
}
