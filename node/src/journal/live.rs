//! Which transactions a journal holds, and where. This is what makes compaction need nothing of the
//! engine.

use std::collections::HashMap;

use hearsay_chain::TxId;

/// Where a transaction's record stands that is to be read once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: u64,
    pub(super) length: u32,
    pub(super) arrived_unix_us: u64,
}

/// The record of one that the pool holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Where it begins.
    pub(super) at: u64,
    /// Where it begins in the file that is to replace this one, if it stands there.
    pub(super) copy: Option<u64>,
    pub(super) length: u32,
    /// Whether the pool may have let go of it while nothing could be written.
    is_doubtful: bool,
}

/// The records that count. As many as the pool holds transactions.
#[derive(Debug, Default)]
pub(super) struct Live {
    entries: HashMap<TxId, Entry>,
    bytes: u64,
}

impl Live {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of records that count.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn get(&self, id: &TxId) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// Whether one is there. If so, it is in the pool for certain.
    pub(super) fn confirm(&mut self, id: &TxId) -> bool {
        self.entries.get_mut(id).is_some_and(|entry| {
            entry.is_doubtful = false;
            true
        })
    }

    pub(super) fn insert(&mut self, id: TxId, at: u64, length: u32) {
        let entry = Entry { at, copy: None, length, is_doubtful: false };
        if let Some(before) = self.entries.insert(id, entry) {
            self.bytes -= u64::from(before.length);
        }
        self.bytes += u64::from(length);
    }

    pub(super) fn remove(&mut self, id: &TxId) -> bool {
        let removed = self.entries.remove(id);
        self.bytes -= removed.map_or(0, |entry| u64::from(entry.length));
        removed.is_some()
    }

    /// Notes that one stands in the next file too.
    pub(super) fn copied(&mut self, id: &TxId, at: u64) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.copy = Some(at);
        }
    }

    /// The next file takes the place of this one.
    pub(super) fn move_over(&mut self) {
        for entry in self.entries.values_mut() {
            entry.at = entry.copy.take().unwrap_or(entry.at);
        }
    }

    /// There will be no next file.
    pub(super) fn stay(&mut self) {
        self.entries.values_mut().for_each(|entry| entry.copy = None);
    }

    /// Forgets what stands behind the end of the file, as it was never written.
    pub(super) fn cut(&mut self, length: u64) {
        self.keep_if(|entry| entry.at < length);
    }

    /// From now on all of them are in doubt.
    pub(super) fn doubt_all(&mut self) {
        self.entries.values_mut().for_each(|entry| entry.is_doubtful = true);
    }

    /// Forgets those that are still in doubt.
    pub(super) fn drop_doubtful(&mut self) {
        self.keep_if(|entry| !entry.is_doubtful);
    }

    fn keep_if(&mut self, keep: impl Fn(&Entry) -> bool) {
        let bytes = &mut self.bytes;
        self.entries.retain(|_, entry| {
            let kept = keep(entry);
            *bytes -= if kept { 0 } else { u64::from(entry.length) };
            kept
        });
    }

    /// All of them by where they stand.
    pub(super) fn by_place(&self) -> Vec<(u64, TxId)> {
        let mut places: Vec<_> = self.entries.iter().map(|(id, entry)| (entry.at, *id)).collect();
        places.sort_unstable();
        places
    }
}
