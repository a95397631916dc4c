//! What says something about messages, and carries none: without end.

use std::io;

use hearsay_network::push::{Frame, MAX_IDS, MAX_WANT, Origin, Part};

use super::rpc;
use super::siege::{Session, made_up, say, send};

/// Ids in an RPC: as many as the limit of its control leaves room for.
const IDS: usize = 5_000;

/// RPCs and frames a second, each of some 110 and 16 KiB.
const A_SECOND: f64 = 20.0;

/// Grafts, prunes or subscriptions in an RPC.
const GRAFTS: usize = 100;

/// Such RPCs a second.
const GRAFTS_A_SECOND: f64 = 50.0;

fn ids(seed: u64) -> Vec<[u8; 20]> {
    let id = |number: u64| {
        let mut id = [0x3c; 20];
        id[..8].copy_from_slice(&number.to_le_bytes());
        id
    };
    made_up(seed, IDS).map(id).collect()
}

pub(super) async fn flood(session: &Session) -> io::Result<()> {
    tokio::select! {
        done = by_gossip(session) => done,
        done = by_push(session) => done,
    }
}

async fn by_gossip(session: &Session) -> io::Result<()> {
    let mut gossip = session.gossip().await?;
    let names = &session.prey.names;
    let mut beat = session.beat(A_SECOND);
    for turn in 0_u64.. {
        beat.tick().await;
        let ids = ids(session.number ^ turn << 20);
        let (what, rpc) = match turn % 4 {
            0 => ("ids in IHAVE", rpc::ihave(&names.tx, &ids)),
            1 => ("ids in IWANT", rpc::iwant(&ids)),
            2 => ("ids in IDONTWANT", rpc::idontwant(&ids)),
            // What is there, over and over.
            _ => {
                let messages = session.prey.messages();
                let known = messages.iter().rev().take(50);
                let known: Vec<[u8; 20]> = known
                    .map(|item| session.prey.message_id(item.topic, &item.data.0))
                    .cycle()
                    .take(if messages.is_empty() { 0 } else { IDS })
                    .collect();
                ("ids in IWANT", rpc::iwant(&known))
            }
        };
        session.tally.add(what, IDS as u64);
        say(&mut gossip, &rpc).await?;
    }
    Ok(())
}

async fn by_push(session: &Session) -> io::Result<()> {
    let mut push = session.push().await?;
    let mut beat = session.beat(A_SECOND);
    for turn in 0_u64.. {
        beat.tick().await;
        let seed = session.number ^ turn << 24;
        let origins = || made_up(seed, MAX_IDS).map(Origin).collect();
        let (what, count, part) = match turn % 6 {
            0 => ("ids in Have", MAX_IDS, Part::Have(made_up(seed, MAX_IDS).collect())),
            1 => ("ids in Want", MAX_WANT, Part::Want(made_up(seed, MAX_WANT).collect())),
            2 => ("ids in Refused", MAX_IDS, Part::Refused(made_up(seed, MAX_IDS).collect())),
            3 => ("ids in Gone", MAX_IDS, Part::Gone(made_up(seed, MAX_IDS).collect())),
            4 => ("origins in Lazy", MAX_IDS, Part::Lazy(origins())),
            _ => ("origins in Eager", MAX_IDS, Part::Eager(origins())),
        };
        let mut parts = vec![part];
        parts.extend(
            made_up(seed, 20)
                .map(|origin| Part::Beacon { origin: Origin(origin | 1), number: turn + 1 }),
        );
        session.tally.add(what, count as u64);
        session.tally.add("beacons", 20);
        send(&mut push, &Frame { parts }).await?;
    }
    Ok(())
}

pub(super) async fn graft(session: &Session) -> io::Result<()> {
    let mut gossip = session.gossip().await?;
    let names = &session.prey.names;
    let mut beat = session.beat(GRAFTS_A_SECOND);
    for turn in 0_u64.. {
        beat.tick().await;
        let (what, rpc) = match turn % 4 {
            0 => ("grafts", rpc::grafts(&names.tx, GRAFTS)),
            1 => ("prunes", rpc::prunes(&names.tx, GRAFTS, u64::MAX)),
            2 => ("grafts", rpc::grafts(&names.block, GRAFTS)),
            _ => {
                let toggle = |at: usize| rpc::subscription(&names.tx, at % 2 == 1);
                let foreign =
                    (0..GRAFTS / 2).map(|at| rpc::subscription(&format!("x{turn}-{at}"), true));
                let rpc: Vec<u8> = (0..GRAFTS / 2).map(toggle).chain(foreign).flatten().collect();
                ("subscriptions", rpc)
            }
        };
        session.tally.add(what, GRAFTS as u64);
        say(&mut gossip, &rpc).await?;
    }
    Ok(())
}
