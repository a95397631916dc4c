//! What a transaction takes in memory, by rules instead of by asking the allocator: the same on
//! every machine, known before a transaction comes in, and undone exactly when it leaves.
//!
//! The constants are sizes of types, and for tables and trees what they come to on average as they
//! fill and empty. A test compares their sum with what a process really grows by; they hold within a
//! tenth.

use std::mem::size_of;

use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Transaction, VerifiedTx};

use crate::key::{Entry, Key};
use crate::pool::Resident;
use crate::sender::Sender;

/// What an allocation of `bytes` takes from the system's allocator: it keeps eight bytes of its own
/// and gives out multiples of sixteen, of which the least is 32.
const fn allocation(bytes: usize) -> usize {
    let rounded = (bytes + 8).next_multiple_of(16);
    if rounded < 32 { 32 } else { rounded }
}

/// A number in a [`Table`](crate::table::Table): eight bytes, and tables are half to three quarters
/// full.
const TABLE: usize = 13;

/// An element of a tree set. Its leaves have room for eleven and are 69 % full on average, as are the
/// nodes above them, which also point to twelve each.
const fn in_tree(bytes: usize) -> usize {
    let leaf = allocation(11 * bytes + 12);
    let node = allocation(11 * bytes + 12 + 12 * size_of::<usize>());
    leaf * 10 / 76 + node * 100 / 5_776
}

/// An entry in its sender's list. Lists grow by a quarter, four at least, and what they grew out of
/// waits to be used again.
const ENTRY: usize = size_of::<Entry>() * 3 / 2;

/// A transaction without its payload: itself, counted by reference, the pool's record of it, and
/// its place in the table and with its sender.
const FIXED: usize = allocation(2 * size_of::<usize>() + size_of::<Transaction>())
    + size_of::<Resident>()
    + TABLE
    + ENTRY;

/// In the set by last height.
const EXPIRY: usize = in_tree(size_of::<(u64, u32)>());

/// A sender: itself, its place in the table, and in the orders of heads and of tails. An only
/// transaction has its entry in here.
pub(crate) const SENDER_CHARGE: usize =
    size_of::<Sender>() - ENTRY + TABLE + 2 * in_tree(size_of::<Key>());

/// What a transaction takes, in bytes, without its sender.
pub(crate) fn charge(tx: &VerifiedTx) -> usize {
    charge_of(tx.transfer())
}

/// [`charge`], of one that is not verified yet.
pub(crate) fn charge_of(transfer: &Transfer) -> usize {
    let payload = match transfer.payload.len() {
        0 => 0,
        bytes => allocation(bytes),
    };
    FIXED + payload + if transfer.expiry.is_some() { EXPIRY } else { 0 }
}
