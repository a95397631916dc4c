//! The address book as text.

use std::collections::BTreeMap;
use std::fmt;

use hearsay_chain::GenesisId;
use libp2p::{Multiaddr, PeerId};

use super::{Book, Entry, MAX_ENTRIES, dialable};
use crate::members::profile::MAX_ADDRESSES;

/// The first words of the first line; the network's id follows.
const HEADER: &str = "hearsay-peers 1";

/// What the first line begins with in every version.
const FORMAT: &str = "hearsay-peers ";

/// Bytes of a book at most. The largest entries, of 400 bytes, come to less than half of it; what is
/// longer need not be read from disk.
pub const MAX_BOOK_BYTES: usize = 1 << 20;

/// Lines that are looked at: those of a full book, and as many again that somebody wrote.
const MAX_LINES: usize = 2 * MAX_ENTRIES;

/// No time in a book is later than this, in Unix seconds: the year 36812.
const MAX_TIME: u64 = 1 << 40;

/// What was read of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// All that could be read.
    pub book: Book,
    /// Lines that could not be, were beyond the bounds, or named a peer again.
    pub refused: usize,
}

/// Why a text is no book of this network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// It is longer than [`MAX_BOOK_BYTES`].
    #[error("the address book is longer than {MAX_BOOK_BYTES} bytes")]
    TooLong,
    /// It does not begin as an address book does.
    #[error("this is no address book")]
    NoBook,
    /// It is of a version that is not known.
    #[error("the address book is of an unknown version")]
    Version,
    /// It belongs to another network.
    #[error("the address book belongs to another network")]
    Foreign,
}

impl fmt::Display for Book {
    /// The text that [`Book::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER} {}", self.genesis)?;
        for (peer, entry) in &self.entries {
            let Entry { addresses, last_seen, last_success, failures } = entry;
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            let addresses = addresses.join(",");
            writeln!(f, "{peer} {last_seen} {last_success} {failures} {addresses}")?;
        }
        Ok(())
    }
}

impl Book {
    /// Reads the text of a book of this network. A line that is wrong is left out and counted; blank
    /// ones and those that begin with `#` are not looked at.
    ///
    /// # Errors
    /// If the text as a whole is too long, no book, or one of another version or network.
    pub fn parse(text: &str, genesis: GenesisId) -> Result<Parsed, BookError> {
        if text.len() > MAX_BOOK_BYTES {
            return Err(BookError::TooLong);
        }
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default().trim_end();
        match first.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix(' ')) {
            Some(network) if network == genesis.to_string() => {}
            Some(_) => return Err(BookError::Foreign),
            None if first.starts_with(FORMAT) => return Err(BookError::Version),
            None => return Err(BookError::NoBook),
        }
        let (mut entries, mut refused) = (BTreeMap::new(), 0);
        let content = lines.map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        for (number, line) in content.enumerate() {
            match line_of(line).filter(|_| number < MAX_LINES && entries.len() < MAX_ENTRIES) {
                Some((peer, entry)) if !entries.contains_key(&peer) => {
                    entries.insert(peer, entry);
                }
                _ => refused += 1,
            }
        }
        Ok(Parsed { book: Self { genesis, entries }, refused })
    }
}

fn line_of(line: &str) -> Option<(PeerId, Entry)> {
    let words: Vec<&str> = line.split_ascii_whitespace().take(6).collect();
    let [peer, seen, success, failures, addresses] = words[..] else { return None };
    let peer: PeerId = peer.parse().ok()?;
    let time = |word: &str| word.parse::<u64>().ok().filter(|time| *time <= MAX_TIME);
    let addresses: Vec<Multiaddr> = addresses
        .split(',')
        .take(MAX_ADDRESSES + 1)
        .map(|address| address.parse().ok())
        .collect::<Option<_>>()?;
    let entry = Entry {
        addresses: dialable(&peer, &addresses),
        last_seen: time(seen)?,
        last_success: time(success)?,
        failures: failures.parse().ok()?,
    };
    // One that is no use makes the line wrong, as no book was written with it.
    (entry.addresses == addresses).then_some((peer, entry))
}
