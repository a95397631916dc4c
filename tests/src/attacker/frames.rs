//! Frames, RPCs and requests that are none: too long, cut short, or nonsense.

use std::io;

use futures::AsyncWriteExt;
use hearsay_network::Topic;
use hearsay_network::push::{Frame, Item, MAX_ITEMS, Part, Payload};

use super::rpc;
use super::siege::{Session, made_up, say, send, send_bytes};

/// More than any message of the network may have.
const TOO_LONG: usize = 3 << 20;

/// Parts that are full of messages: not so many that the frame is too long.
const MANY_PARTS: usize = 200;

/// Streams that are opened and left as they are.
const IDLE: usize = 24;

pub(super) async fn run(session: &Session) -> io::Result<()> {
    let mut idle = Vec::new();
    let mut beat = session.beat(20.0);
    for turn in 0_u64.. {
        beat.tick().await;
        // A node that has closed one stream may yet take the next.
        let _ = one(session, turn).await;
        if idle.len() < IDLE
            && let Ok(stream) = session.line.open(&session.prey.names.sync).await
        {
            session.tally.count("streams left idle");
            idle.push(stream);
        }
    }
    Ok(())
}

async fn one(session: &Session, turn: u64) -> io::Result<()> {
    let tally = &session.tally;
    let nonsense: Vec<u8> =
        made_up(session.number ^ turn, 512).flat_map(u64::to_le_bytes).collect();
    let names = &session.prey.names;
    match turn % 13 {
        0 => {
            tally.count("frames that claim 4 GiB");
            let mut stream = session.push().await?;
            stream.write_all(&[0xff, 0xff, 0xff, 0xff, 0x0f]).await?;
            stream.write_all(&nonsense).await?;
            stream.flush().await
        }
        1 => {
            tally.count("frames beyond the limit");
            send_bytes(&mut session.push().await?, &vec![0; TOO_LONG]).await
        }
        2 => {
            tally.count("frames cut short");
            let mut stream = session.push().await?;
            stream.write_all(&[0x80, 0x20, 1, 0]).await?;
            stream.close().await
        }
        3 => {
            tally.count("frames of nonsense");
            send_bytes(&mut session.push().await?, &nonsense).await
        }
        4 => {
            tally.count("frames with too much in them");
            let parts = vec![Part::Have(made_up(turn, 3_000).collect())];
            send(&mut session.push().await?, &Frame { parts }).await
        }
        5 => {
            tally.count("RPCs that claim 4 GiB");
            let mut stream = session.gossip().await?;
            stream.write_all(&[0xff, 0xff, 0xff, 0xff, 0x0f]).await?;
            stream.write_all(&nonsense).await?;
            stream.flush().await
        }
        6 => {
            tally.count("RPCs beyond the limit");
            let mut stream = session.gossip().await?;
            say(&mut stream, &rpc::message(&names.tx, &vec![7; TOO_LONG])).await
        }
        7 => {
            tally.count("RPCs of nonsense");
            say(&mut session.gossip().await?, &nonsense).await
        }
        8 => {
            tally.count("messages of nonsense");
            let mut stream = session.gossip().await?;
            let rpc = [rpc::message(&names.tx, &nonsense), rpc::message(&names.block, &nonsense)];
            say(&mut stream, &rpc.concat()).await?;
            say(&mut stream, &rpc::authored(&names.tx, &nonsense)).await
        }
        9 => {
            tally.count("requests beyond the limit");
            session.line.ask(&names.sync, &vec![4; TOO_LONG / 8]).await.map(drop)
        }
        10 => {
            tally.count("requests cut short");
            session.line.ask(&names.sync, &[2, 9, 0, 0, 0, 1]).await.map(drop)
        }
        11 => {
            tally.count("frames of too many messages");
            // A byte each: in memory they would take fifty times as much.
            let item = Item { topic: Topic::Tx, data: Payload([].as_slice().into()) };
            let items = vec![item; MAX_ITEMS];
            let part = Part::Messages { origin: session.origin(), items };
            let bytes = Frame { parts: vec![part] }.encode();
            send_bytes(&mut session.push().await?, &bytes.repeat(MANY_PARTS)).await
        }
        _ => {
            tally.count("requests of nonsense");
            session.line.ask(&names.sync, &nonsense).await.map(drop)
        }
    }
}
