//! One sender's transactions by nonce.

use std::mem::size_of;

use crate::key::Entry;

/// Entries in the order of nonces. Most senders have one, which takes no allocation.
#[derive(Clone, Debug)]
pub(crate) enum Waiting {
    One(Entry),
    Many(Vec<Entry>),
}

/// A list finds room in the place of one entry.
const _: () = assert!(size_of::<Waiting>() == size_of::<Entry>());

impl Default for Waiting {
    fn default() -> Self {
        Waiting::Many(Vec::new())
    }
}

impl Waiting {
    pub(crate) fn as_slice(&self) -> &[Entry] {
        match self {
            Waiting::One(entry) => std::slice::from_ref(entry),
            Waiting::Many(entries) => entries,
        }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [Entry] {
        match self {
            Waiting::One(entry) => std::slice::from_mut(entry),
            Waiting::Many(entries) => entries,
        }
    }

    /// Where a nonce is, or where it would be.
    pub(crate) fn position(&self, nonce: u64) -> Result<usize, usize> {
        position(self.as_slice(), nonce)
    }

    pub(crate) fn insert(&mut self, at: usize, entry: Entry) {
        match self {
            Waiting::One(first) => {
                let mut entries = Vec::with_capacity(4);
                entries.push(*first);
                entries.insert(at, entry);
                *self = Waiting::Many(entries);
            }
            Waiting::Many(entries) if entries.is_empty() => *self = Waiting::One(entry),
            Waiting::Many(entries) => {
                if entries.len() == entries.capacity() {
                    // By a quarter and not twofold: the memory of many senders matters more.
                    entries.reserve_exact((entries.len() / 4).max(4));
                }
                entries.insert(at, entry);
            }
        }
    }

    /// Puts another entry of the same nonce in its place.
    pub(crate) fn replace(&mut self, at: usize, entry: Entry) -> Entry {
        std::mem::replace(&mut self.as_mut_slice()[at], entry)
    }

    pub(crate) fn remove(&mut self, at: usize) -> Entry {
        match self {
            Waiting::One(entry) => {
                let entry = *entry;
                *self = Waiting::default();
                entry
            }
            Waiting::Many(entries) => {
                let entry = entries.remove(at);
                self.tighten();
                entry
            }
        }
    }

    /// Takes the first ones out.
    pub(crate) fn remove_first(&mut self, count: usize) -> Vec<Entry> {
        if count == 0 {
            return Vec::new();
        }
        let taken = self.as_slice()[..count].to_vec();
        match self {
            Waiting::One(_) => *self = Waiting::default(),
            Waiting::Many(entries) => {
                drop(entries.drain(..count));
                self.tighten();
            }
        }
        taken
    }

    /// Gives room back that is not likely to be needed.
    fn tighten(&mut self) {
        let Waiting::Many(entries) = self else { return };
        if let [entry] = entries.as_slice() {
            *self = Waiting::One(*entry);
        } else if entries.len() < entries.capacity() / 4 * 3 {
            entries.shrink_to(entries.len() + entries.len() / 8);
        }
    }
}

/// Where a nonce is in a list, or where it would be.
pub(crate) fn position(entries: &[Entry], nonce: u64) -> Result<usize, usize> {
    // Nonces mostly come in order and without gaps: at the end, or as far along as they count up.
    let Some(first) = entries.first().map(|it| it.nonce) else { return Err(0) };
    if entries.last().is_some_and(|last| last.nonce < nonce) {
        return Err(entries.len());
    }
    let ahead = usize::try_from(nonce.saturating_sub(first)).unwrap_or(usize::MAX);
    if entries.get(ahead).is_some_and(|it| it.nonce == nonce) {
        return Ok(ahead);
    }
    entries.binary_search_by_key(&nonce, |it| it.nonce)
}
