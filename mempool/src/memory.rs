#![allow(dead_code)]
use hearsay_chain::VerifiedTx;
pub(crate) fn charge(tx: &VerifiedTx) -> usize { tx.size() }
pub(crate) const SENDER_CHARGE: usize = 0;
