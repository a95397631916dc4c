//! Transactions that are not signed by their senders, and too many that are.

use std::io;
use std::sync::Arc;

use hearsay_network::push::{Frame, Item, Part, Payload};
use hearsay_network::{Topic, bundle};

use super::rpc;
use super::siege::{Session, say, send};

/// Transactions in a bundle, and in a frame.
const AT_ONCE: usize = 20;

/// Bytes of a signature.
const SIGNATURE: usize = 64;

/// Frames of forged transactions a second at each target.
const FORGED: f64 = 20.0;

/// Frames of valid ones: 100 transactions a second at each target, which are five times as many as
/// all honest nodes together have, and fifty times at ten targets.
const VALID: f64 = 5.0;

pub(super) async fn forge(session: &Session) -> io::Result<()> {
    let (mut push, mut gossip) = (session.push().await?, session.gossip().await?);
    let mut beat = session.beat(FORGED);
    for turn in 0_u64.. {
        beat.tick().await;
        let valid = session.prey.first_payments(session.place, AT_ONCE as u64);
        let mut forged: Vec<Vec<u8>> = valid.iter().map(|tx| tx.encode()).collect();
        // The signature is what comes last; each turn spoils another bit of it.
        let (byte, bit) = (1 + turn as usize / 8 % SIGNATURE, turn % 8);
        for tx in &mut forged {
            if let Some(spoilt) = tx.len().checked_sub(byte).and_then(|at| tx.get_mut(at)) {
                *spoilt ^= 1 << bit;
            }
        }
        if turn % 2 == 0 {
            session.tally.add("forged transactions pushed", AT_ONCE as u64);
            send(&mut push, &frame_of(session, forged)).await?;
        } else {
            session.tally.add("forged transactions in bundles", AT_ONCE as u64);
            say(&mut gossip, &rpc::message(&session.prey.names.tx, &bundle::of(&forged))).await?;
        }
    }
    Ok(())
}

pub(super) async fn flood(session: &Session) -> io::Result<()> {
    let mut push = session.push().await?;
    let mut beat = session.beat(VALID);
    loop {
        beat.tick().await;
        let valid = session.prey.payments(session.place, AT_ONCE);
        let valid = valid.iter().map(|tx| tx.encode()).collect();
        session.tally.add("valid transactions", AT_ONCE as u64);
        send(&mut push, &frame_of(session, valid)).await?;
    }
}

fn frame_of(session: &Session, transactions: Vec<Vec<u8>>) -> Frame {
    let item = |data: Vec<u8>| Item { topic: Topic::Tx, data: Payload(Arc::from(data)) };
    let items = transactions.into_iter().map(item).collect();
    Frame { parts: vec![Part::Messages { origin: session.origin(), items }] }
}
