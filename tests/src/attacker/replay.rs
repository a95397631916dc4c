//! Old messages, again.

use std::io;

use hearsay_network::push::{Frame, Item, Part};
use hearsay_network::{Topic, bundle};

use super::rpc;
use super::siege::{Session, say, send};

/// Messages in a frame.
const AT_ONCE: usize = 20;

/// Frames a second.
const A_SECOND: f64 = 20.0;

/// How often all of it is said.
const ROUNDS: usize = 3;

pub(super) async fn run(session: &Session) -> io::Result<()> {
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
