//! What comparing two pools costs: bytes, round trips and time, for differences of 0 to 10,000 in
//! 100,000 ids, half of them at each side.
//!
//! Bytes are those of the questions for symbols, the symbols, and the names that are then asked for;
//! beside them the bar that is set for them, 3 × d × 32 + 2 KiB, and what it would cost to send all
//! ids. Times are those of one side's longest step, which keeps its engine from other things, as its
//! thread's processor time: the asker's (naming its ids, taking an answer) and the answerer's (naming,
//! summing).
//!
//! `cargo run --release -p hearsay-network --example reconcile_bench [IDS]`

use std::time::Duration;

use hearsay_chain::TxId;
use hearsay_network::peer_id;
use hearsay_network::reconcile::{Answerer, Asker, Exchange, Part, SketchAsked, Snapshot, Step};
use hearsay_network::short_id::ShortKey;
use hearsay_network::wire::Request;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::time::{ClockId, clock_gettime};

/// Pairs of sets for each size of the difference; figures are means over them, times the longest.
const SEEDS: u64 = 5;

#[derive(Default)]
struct Cost {
    symbols: u64,
    questions: u64,
    bytes: u64,
    asker: Duration,
    answerer: Duration,
}

/// What this thread has had of its processor.
fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn longest(most: &mut Duration, since: Duration) {
    *most = (*most).max(spent() - since);
}

fn compare(part: Part, theirs: &[TxId], ours: &[TxId], key: ShortKey, cost: &mut Cost) -> usize {
    let peer = peer_id(&[1; 32]);
    let mut answerer = Answerer::default();
    answerer.joined(peer);
    let begun = spent();
    let own = Snapshot::of(key, part, ours.iter().copied()).expect("it fits a comparison");
    let (mut asker, mut request) = Asker::begin(key, part, own);
    longest(&mut cost.asker, begun);
    let difference = loop {
        let Request::Sketch { key, part, from, count } = request else { panic!("{request:?}") };
        let asked = SketchAsked { key, part, from, count };
        let begun = spent();
        let pool = (theirs.len(), || theirs.iter().copied());
        let (size, symbols) = answerer.sketch(1, peer, asked, pool).expect("it is not too much");
        longest(&mut cost.answerer, begun);
        cost.questions += 1;
        let begun = spent();
        let step = asker.take(size, &symbols).expect("honest symbols");
        longest(&mut cost.asker, begun);
        match step {
            Step::Ask(next) => request = next,
            Step::Done(difference) => break difference,
            step => panic!("{step:?}"),
        }
    };
    let found = difference.theirs.len() + difference.ours.len();
    let mut exchange = Exchange::new(key, difference.theirs, asker.own().find(&difference.ours));
    while let Some(Request::Named { key, names }) = exchange.next_names() {
        let begun = spent();
        let given = answerer.named(1, &peer, key, &names).expect("it is not too much");
        longest(&mut cost.answerer, begun);
        exchange.take(&given).expect("what was asked for");
    }
    cost.symbols += u64::from(asker.taken());
    cost.bytes += asker.bytes() + exchange.bytes();
    found
}

fn main() {
    let ids: usize = std::env::args().nth(1).map_or(100_000, |ids| ids.parse().expect("a number"));
    let part = Part::new(Part::bits_for(ids), 0);
    let all = 32 * ids;
    println!("{ids} ids, compared in {} part(s); all ids: {all} bytes", 1_u32 << part.bits());
    println!(
        "{:>7} {:>9} {:>9} {:>10} {:>9} {:>12} {:>10} {:>11} {:>13}",
        "apart",
        "symbols",
        "questions",
        "bytes",
        "bytes/d",
        "of the bar",
        "of all ids",
        "asker ms",
        "answerer ms"
    );
    for apart in [0, 1, 10, 100, 1_000, 10_000] {
        let mut cost = Cost::default();
        for seed in 0..SEEDS {
            let mut random = StdRng::seed_from_u64(seed);
            let mut key = [0; 16];
            random.fill(&mut key);
            let set: Vec<TxId> = (0..ids + apart)
                .map(|_| {
                    let mut id = [0; 32];
                    random.fill(&mut id);
                    TxId(id)
                })
                .collect();
            let (shared, rest) = set.split_at(ids);
            let (theirs, ours) = rest.split_at(apart.div_ceil(2));
            let (theirs, ours) = ([shared, theirs].concat(), [shared, ours].concat());
            let within = rest.iter().filter(|id| part.has(id)).count();
            let found = compare(part, &theirs, &ours, ShortKey(key), &mut cost);
            assert_eq!(found, within, "all of the difference");
        }
        let mean = |sum: u64| sum as f64 / SEEDS as f64;
        let (bytes, bar) = (mean(cost.bytes), (3 * apart * 32 + 2_048) as f64);
        println!(
            "{apart:>7} {:>9.1} {:>9.1} {bytes:>10.0} {:>9.1} {:>10.1} % {:>8.2} % {:>11.2} {:>13.2}",
            mean(cost.symbols),
            mean(cost.questions),
            bytes / apart.max(1) as f64,
            100.0 * bytes / bar,
            100.0 * bytes / all as f64,
            cost.asker.as_secs_f64() * 1e3,
            cost.answerer.as_secs_f64() * 1e3,
        );
    }
}
