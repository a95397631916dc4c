//! Requests as fast as they are answered: comparisons of pools that never end, and all others.

use std::io;
use std::time::Duration;

use hearsay_chain::{BlockId, TxId};
use hearsay_network::reconcile::Part;
use hearsay_network::short_id::ShortKey;
use hearsay_network::wire::{
    MAX_BODIES, MAX_HAVE, MAX_HEADERS, MAX_NAMES, MAX_SYMBOLS, Request, Response,
};

use super::siege::{Session, made_up};

/// After a refusal the next one comes no sooner.
const PAUSE: Duration = Duration::from_millis(20);

/// What an answer is waited with, so that the attack does not take the processors by itself.
const BREATH: Duration = Duration::from_millis(2);

pub(super) async fn run(session: &Session) -> io::Result<()> {
    let compare = |number| comparisons(session, number);
    tokio::join!(compare(0), compare(1), compare(2), others(session, 0), others(session, 1));
    Ok(())
}

/// Asks, and says whether there was an answer.
async fn ask(session: &Session, request: &Request) -> Option<Response> {
    let answer = session.line.ask(&session.prey.names.sync, &request.encode()).await;
    let answer = answer.ok().and_then(|bytes| Response::decode(&bytes).ok());
    session.tally.count(if answer.is_some() { "requests answered" } else { "requests refused" });
    tokio::time::sleep(if answer.is_some() { BREATH } else { PAUSE }).await;
    answer
}

/// Comparisons that go on and on, one after the other.
async fn comparisons(session: &Session, number: u64) {
    for turn in 0_u64.. {
        let seed = session.number ^ number << 48 ^ turn << 16;
        let mut key = [0; 16];
        for (byte, random) in key.iter_mut().zip(made_up(seed, 16)) {
            *byte = random as u8;
        }
        let key = ShortKey(key);
        let part = if turn % 2 == 0 { Part::all() } else { Part::new(12, turn) };
        session.tally.count("comparisons begun");
        let mut from = 0;
        // No comparison takes so many: this one has no end by itself.
        for _ in 0..64 {
            let request = Request::Sketch { key, part, from, count: MAX_SYMBOLS };
            match ask(session, &request).await {
                Some(Response::Sketch { symbols, .. }) if !symbols.is_empty() => {
                    session.tally.add("symbols given", symbols.len() as u64);
                    from += u32::try_from(symbols.len()).unwrap_or_default();
                }
                _ => break,
            }
        }
        let mut names: Vec<u64> = made_up(seed, MAX_NAMES).collect();
        names.sort_unstable();
        ask(session, &Request::Named { key, names }).await;
    }
}

/// Every other question.
async fn others(session: &Session, number: u64) {
    for turn in 0_u64.. {
        let (tip, _) = session.prey.tip();
        let ids = made_up(session.number ^ turn << 8, MAX_HAVE).map(|number| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&number.to_le_bytes());
            TxId(id)
        });
        let request = match (turn + number) % 6 {
            0 => Request::Bodies(vec![tip; MAX_BODIES]),
            1 => Request::Headers { locator: vec![BlockId([1; 32]); 100], max: MAX_HEADERS as u16 },
            2 => Request::HaveTransactions(ids.collect()),
            3 => Request::Standing(session.host.claim()),
            4 => Request::BlockTransactions { block: tip, places: (0..4_096).collect() },
            _ => Request::Bodies(vec![tip]),
        };
        ask(session, &request).await;
    }
}
