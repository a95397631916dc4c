//! Old messages, again; and, at every second node, one that is refused, again and again.

use std::io;

use hearsay_network::push::{Frame, Item, MAX_ITEMS, Part, Payload};
use hearsay_network::{Topic, bundle};

use super::rpc;
use super::siege::{Session, say, send};

/// Messages in a frame.
const AT_ONCE: usize = 20;

/// Frames a second.
const A_SECOND: f64 = 20.0;

/// Copies of the refused message in a frame: as many as one may carry.
const COPIES: usize = MAX_ITEMS;

/// Frames of them at each beat: 330,000 copies a second, in 660 KB.
const FRAMES_OF_COPIES: usize = 4;

/// How often all of it is said.
const ROUNDS: usize = 3;

pub(super) async fn run(session: &Session) -> io::Result<()> {
    if session.place % 2 == 1 {
        return repeat(session).await;
    }
    let (mut push, mut gossip) = (session.push().await?, session.gossip().await?);
    let names = &session.prey.names;
    let mut beat = session.beat(A_SECOND);
    let old = session.prey.messages();
    for _ in 0..ROUNDS {
        for items in old.chunks(AT_ONCE) {
            beat.tick().await;
            session.tally.add("messages pushed again", items.len() as u64);
            let part = Part::Messages { origin: session.origin(), items: items.to_vec() };
            send(&mut push, &Frame { parts: vec![part] }).await?;
            session.tally.add("messages gossiped again", items.len() as u64);
            let of = |topic| move |item: &&Item| item.topic == topic;
            let parts: Vec<Vec<u8>> =
                items.iter().filter(of(Topic::Tx)).map(|item| item.data.0.to_vec()).collect();
            let mut again = Vec::new();
            if !parts.is_empty() {
                again.extend(rpc::message(&names.tx, &bundle::of(&parts)));
            }
            for block in items.iter().filter(of(Topic::Block)) {
                again.extend(rpc::message(&names.block, &block.data.0));
            }
            say(&mut gossip, &again).await?;
        }
    }
    Ok(())
}

/// Repeats one message of a byte, which is refused, until it is sent away.
async fn repeat(session: &Session) -> io::Result<()> {
    let push = &mut session.push().await?;
    let item = Item { topic: Topic::Tx, data: Payload([7].as_slice().into()) };
    let of = |items: Vec<Item>| Frame {
        parts: vec![Part::Messages { origin: session.origin(), items }],
    };
    // The first costs it points, and is alone so that the rest finds it refused.
    send(push, &of(vec![item.clone()])).await?;
    let frame = of(vec![item; COPIES]);
    let mut beat = session.beat(A_SECOND);
    beat.tick().await;
    loop {
        beat.tick().await;
        for _ in 0..FRAMES_OF_COPIES {
            send(push, &frame).await?;
            session.tally.add("copies of one refused message", COPIES as u64);
        }
    }
}
