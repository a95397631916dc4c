//! Bytes on the sockets against bytes of payload.
//!
//! Each node writes down, about once a second and when it stops, how many bytes it has sent since
//! its process started. The bytes of the window are counted between whole samples around it: from
//! the last sample before it begins to the first one after it ends. They therefore cover the window
//! and up to about a second on either side, and never less than it. Bytes that arrive were sent by
//! another node of the run, so that only sent bytes are summed: each byte counts once.

use serde::{Deserialize, Serialize};

use super::run::{Life, Run};
use super::stats::ratio;
use super::window::{Counted, Window};

/// A process that ran for less than this may have ended before its first sample; its bytes are
/// missing from the sum, which is borne. Of a longer one the sum would be wrong.
const UNSAMPLED_US: i64 = 2_500_000;

/// Bytes on the wire, over all nodes and both kinds of message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wire {
    /// Bytes that all nodes together sent around the window, encryption and framing included;
    /// absent when a node has no sample of them.
    pub bytes: Option<u64>,
    /// The encoded size of each message that counts times its deliveries, summed.
    pub payload_bytes: u64,
    /// `bytes / payload_bytes`; the ideal is 1.
    pub ratio: Option<f64>,
}

impl Wire {
    /// Over the messages of both kinds that count.
    pub(crate) fn of(
        run: &Run,
        window: &Window,
        txs: &[Counted<'_>],
        blocks: &[Counted<'_>],
    ) -> Self {
        let lives = run.nodes.iter().flat_map(|node| &node.lives);
        let bytes: Option<u64> = lives.map(|life| sent(life, window)).sum();
        let payload = |one: &Counted<'_>| one.message.bytes * one.deliveries().count() as u64;
        let payload_bytes = txs.iter().chain(blocks).map(payload).sum();
        Wire { bytes, payload_bytes, ratio: bytes.and_then(|bytes| ratio(bytes, payload_bytes)) }
    }
}

/// What one process sent around the window; `None` when it should have said and did not.
fn sent(life: &Life, window: &Window) -> Option<u64> {
    let end = life.end.unwrap_or(life.last);
    if end < window.from_us || window.until_us <= life.start {
        return Some(0);
    }
    let samples = &life.wire;
    let Some(&(_, last)) = samples.last() else {
        return (end - life.start < UNSAMPLED_US).then_some(0);
    };
    let before = samples.iter().take_while(|sample| sample.0 <= window.from_us);
    let after = samples.iter().find(|sample| window.until_us <= sample.0);
    let base = before.last().map_or(0, |sample| sample.1);
    let top = after.map_or(last, |sample| sample.1);
    Some(top.saturating_sub(base))
}
