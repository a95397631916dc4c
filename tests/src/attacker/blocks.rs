//! Compact blocks of an authority that lies, or has nothing to show for what it proposed.

use std::io;
use std::sync::Arc;

use hearsay_chain::keys::Signature;
use hearsay_chain::{TxId, UnverifiedTx, VerifiedBlock};
use hearsay_network::Topic;
use hearsay_network::compact::{BlockMessage, CompactBlock, NAME_BYTES, Name};
use hearsay_network::push::{Frame, Item, Part, Payload};
use hearsay_network::wire::Request;

use super::siege::{Session, made_up, send};

/// Transactions of a block that nobody else has.
const OF_BLOCK: u64 = 20;

/// Ids that are announced at once, and never given.
const ANNOUNCED: usize = 200;

/// How often it is looked whether a turn has come.
const LOOKS: f64 = 10.0;

/// Claims of a longer chain a second.
const CLAIMS: f64 = 1.0;

/// A block of this slot with transactions that nobody has.
fn proposal(session: &Session, slot: u64) -> VerifiedBlock {
    let prey = &session.prey;
    let transactions = prey.first_payments(0, OF_BLOCK);
    prey.makers.block(prey.tip(), slot, transactions)
}

fn of(block: &VerifiedBlock, session: &Session) -> CompactBlock {
    let key = session.prey.makers.authority(place(session));
    CompactBlock::of(block, 7, |_| false, key)
}

fn place(session: &Session) -> usize {
    usize::try_from(session.prey.authority).unwrap_or_default()
}

fn pushed(session: &Session, block: &CompactBlock) -> Frame {
    let data = Payload(Arc::from(BlockMessage::compact(block)));
    let items = vec![Item { topic: Topic::Block, data }];
    Frame { parts: vec![Part::Messages { origin: session.origin(), items }] }
}

/// Blocks with names that lead nowhere.
pub(super) async fn misname(session: &Session) -> io::Result<()> {
    let mut push = session.push().await?;
    let mut beat = session.beat(LOOKS);
    let (mut last, mut forged) = (0, None);
    loop {
        beat.tick().await;
        let slot = session.prey.slot();
        if session.prey.is_turn(slot) && slot != last {
            last = slot;
            let block = wrongly_named(session, slot);
            send(&mut push, &pushed(session, &block)).await?;
        }
        // Somebody else's block, named by somebody who may not.
        let Some(header) = session.prey.header() else { continue };
        if header.fields.tx_count > 0 && forged != Some(header.id()) {
            forged = Some(header.id());
            session.tally.count("compact blocks forged for another's header");
            let count = header.fields.tx_count as usize;
            let names = made_up(session.number, count).map(name).collect();
            let signature = Signature([0x11; 64]);
            let block =
                CompactBlock { header, salt: session.number, names, carried: vec![], signature };
            send(&mut push, &pushed(session, &block)).await?;
        }
    }
}

fn name(number: u64) -> Name {
    let bytes = number.to_le_bytes();
    Name(std::array::from_fn::<u8, NAME_BYTES, _>(|at| bytes[at]))
}

/// A block of the attacker's own turn, signed as it must be, with names that are not its own.
fn wrongly_named(session: &Session, slot: u64) -> CompactBlock {
    let key = session.prey.makers.authority(place(session));
    let mut block = of(&proposal(session, slot), session);
    match slot / session.prey.makers.genesis().authorities.len() as u64 % 3 {
        0 => {
            session.tally.count("compact blocks with made-up names");
            block.names = made_up(slot, block.names.len()).map(name).collect();
        }
        1 => {
            session.tally.count("compact blocks with one name for all");
            let first = block.names.first().copied().unwrap_or(name(1));
            block.names.fill(first);
        }
        _ => {
            session.tally.count("compact blocks with the names of others");
            let (naming, pool) = (block.key(), honest(session, block.names.len()));
            for (name, id) in block.names.iter_mut().zip(pool) {
                *name = naming.of(&id);
            }
        }
    }
    block.sign(key)
}

/// Ids of transactions that others have, the newest first.
fn honest(session: &Session, count: usize) -> Vec<TxId> {
    let messages = session.prey.messages();
    let newest = messages.iter().rev().filter(|item| item.topic == Topic::Tx);
    newest.map(|item| UnverifiedTx::id_of(&item.data.0)).take(count).collect()
}

/// Announces and proposes what it does not give, and claims to be ahead. What it does when it is asked
/// is its manner.
pub(super) async fn tempt(session: &Session) -> io::Result<()> {
    tokio::select! {
        done = lure(session) => done,
        done = claim(session) => done,
    }
}

async fn lure(session: &Session) -> io::Result<()> {
    let mut push = session.push().await?;
    let mut beat = session.beat(LOOKS);
    let mut last = 0;
    for turn in 0_u64.. {
        beat.tick().await;
        let slot = session.prey.slot();
        if session.prey.is_turn(slot) && slot != last {
            last = slot;
            session.tally.count("compact blocks of which nothing is given");
            let block = of(&proposal(session, slot), session);
            send(&mut push, &pushed(session, &block)).await?;
        }
        session.tally.add("announcements of nothing", ANNOUNCED as u64);
        let ids = made_up(session.number ^ turn << 40, ANNOUNCED).collect();
        send(&mut push, &Frame { parts: vec![Part::Have(ids)] }).await?;
    }
    Ok(())
}

async fn claim(session: &Session) -> io::Result<()> {
    let mut beat = session.beat(CLAIMS);
    loop {
        beat.tick().await;
        session.tally.count("claims of a longer chain");
        let claim = Request::Standing(session.host.claim()).encode();
        // It is the claim that counts, not the answer.
        let _ = session.line.ask(&session.prey.names.sync, &claim).await;
    }
}
