//! The address book on disk: read at the start, and written whole, to a file beside it that then takes its
//! place, so that no crash leaves half of one.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hearsay_chain::GenesisId;
use libp2p::{Multiaddr, PeerId};
use tracing::{info, warn};

use crate::members::book::{Book, MAX_BOOK_BYTES};

/// How often it is written at most: what a crash loses is found again within that time.
const WRITE_EVERY: Duration = Duration::from_secs(30);

/// A book and the file it lies in, if any.
pub(super) struct Shelf {
    path: Option<PathBuf>,
    book: Book,
    changed: bool,
    written: Option<Instant>,
}

impl Shelf {
    /// A file that is missing, too long, of another network or not to be read begins a new book; what was
    /// there is told, and replaced with the next change.
    pub(super) fn open(path: Option<PathBuf>, genesis: GenesisId) -> Self {
        let book = path.as_deref().and_then(|path| read(path, genesis));
        let book = book.unwrap_or_else(|| Book::new(genesis));
        Self { path, book, changed: false, written: None }
    }

    pub(super) fn seen(&mut self, peer: PeerId, addresses: &[Multiaddr]) {
        self.book.seen(peer, addresses, now());
        self.changed = true;
    }

    pub(super) fn succeeded(&mut self, peer: &PeerId) {
        self.book.succeeded(peer, now());
        self.changed = true;
    }

    pub(super) fn failed(&mut self, peer: &PeerId) {
        self.book.failed(peer);
        self.changed = true;
    }

    pub(super) fn hopeful(&self, most: usize) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let candidates = self.book.candidates(now()).into_iter().take(most);
        candidates.map(|(peer, entry)| (peer, entry.addresses.clone())).collect()
    }

    /// Writes it if it has changed and it is time, or at once.
    pub(super) fn put_away(&mut self, at_once: bool) {
        let due = self.written.is_none_or(|at| at.elapsed() >= WRITE_EVERY);
        let Some(path) = self.path.as_deref().filter(|_| self.changed && (due || at_once)) else {
            return;
        };
        self.written = Some(Instant::now());
        self.changed = false;
        if let Err(error) = write(path, &self.book.to_string()) {
            warn!(path = %path.display(), %error, "the address book could not be written");
        }
    }
}

fn read(path: &Path, genesis: GenesisId) -> Option<Book> {
    use std::io::Read;

    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BOOK_BYTES as u64 + 1).read_to_string(&mut text));
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            warn!(path = %path.display(), %error, "the address book could not be read");
            return None;
        }
    }
    match Book::parse(&text, genesis) {
        Ok(parsed) => {
            if parsed.refused > 0 {
                info!(path = %path.display(), lines = parsed.refused, "lines of the address book make no sense");
            }
            Some(parsed.book)
        }
        Err(error) => {
            warn!(path = %path.display(), %error, "the address book begins anew");
            None
        }
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

/// Unix seconds; 0 while the clock stands before 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const GENESIS: GenesisId = GenesisId([5; 32]);

    #[test]
    fn a_book_comes_back_from_disk_and_only_its_owner_may_read_it() {
        let dir = std::env::temp_dir().join(format!("hearsay-shelf-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("peers.txt");
        let peer = crate::peer_id(&[3; 32]);
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/7700".parse().unwrap();
        let mut shelf = Shelf::open(Some(path.clone()), GENESIS);
        shelf.seen(peer, std::slice::from_ref(&address));
        shelf.succeeded(&peer);
        shelf.put_away(true);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Shelf::open(Some(path.clone()), GENESIS);
        assert_eq!(again.hopeful(5), [(peer, vec![address])]);
        std::fs::write(&path, [0xff; 100]).unwrap();
        assert!(Shelf::open(Some(path.clone()), GENESIS).hopeful(5).is_empty());
        let other = GenesisId([6; 32]);
        assert!(Shelf::open(Some(path), other).hopeful(5).is_empty());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
