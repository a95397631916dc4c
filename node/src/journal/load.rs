//! What a node finds when it starts: its journal, none, or something else in its place.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use hearsay_chain::{GenesisId, TxId, UnverifiedTx};
use tracing::{info, warn};

use super::aside::{copy_aside, set_aside};
use super::disk::{Disk, draft, put_into_place};
use super::format::{End, HEADER_BYTES, Reader, Record, check_header};
use super::live::{Live, Place};

/// Bytes read at once.
const READ_BYTES: usize = 1 << 20;

/// A journal that can be written to.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) disk: Disk,
    pub(super) live: Live,
    /// The transactions that it holds, those that came first before the others.
    pub(super) places: Vec<Place>,
}

/// Why a node goes without a journal for as long as it runs.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it is no file")]
    NoFile,
    #[error("it {what}, and enough of its kind are kept beside it; take them away")]
    Aside { what: String },
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Opens the journal, or makes one. What is damaged or of somebody else is said in the node's log.
pub(super) fn load(path: &Path, genesis: GenesisId) -> Result<Loaded, Unusable> {
    // Left by a process that was killed while it wrote it.
    match fs::remove_file(draft(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return create(path, genesis),
        Err(error) => return Err(error.into()),
        // To open a pipe would wait for somebody at its other end.
        Ok(found) if !found.is_file() => return Err(Unusable::NoFile),
        Ok(_) => {}
    }
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    if length == 0 {
        return create(path, genesis);
    }
    let mut header = Vec::with_capacity(HEADER_BYTES);
    file.by_ref().take(HEADER_BYTES as u64).read_to_end(&mut header)?;
    if let Err(foreign) = check_header(&header, genesis) {
        drop(file);
        let what = foreign.what(genesis);
        let Some(kept) = set_aside(path, foreign)? else { return Err(Unusable::Aside { what }) };
        warn!(
            "the file {} {what}: it is kept as {}, and the node starts with no waiting transactions",
            path.display(),
            kept.display()
        );
        return create(path, genesis);
    }
    read(path, file, length)
}

fn create(path: &Path, genesis: GenesisId) -> Result<Loaded, Unusable> {
    Ok(Loaded { disk: begin(path, genesis)?, live: Live::default(), places: Vec::new() })
}

/// Makes a journal that holds nothing.
pub(super) fn begin(path: &Path, genesis: GenesisId) -> io::Result<Disk> {
    let disk = Disk::create(&draft(path), genesis)?;
    disk.sync()?;
    put_into_place(path)?;
    Ok(disk)
}

/// Reads the records up to the first that is not sound.
fn read(path: &Path, mut file: File, length: u64) -> Result<Loaded, Unusable> {
    file.seek(io::SeekFrom::Start(HEADER_BYTES as u64))?;
    let mut reader = Reader::new(BufReader::with_capacity(READ_BYTES, &file), length);
    let mut found = HashMap::<TxId, Place>::new();
    let end = loop {
        let at = reader.at;
        match reader.next()? {
            Ok((Record::Add { tx, arrived_unix_us, .. }, length)) => {
                // Its checksum holds, so this is another program's mistake; what follows is no better.
                let Ok(tx) = UnverifiedTx::decode(&tx) else {
                    reader.at = at;
                    break End::Damaged;
                };
                found.entry(tx.id()).or_insert(Place { at, length, arrived_unix_us });
            }
            Ok((Record::Remove { id }, _)) => drop(found.remove(&id)),
            Err(end) => break end,
        }
    };
    let whole = reader.at;
    drop(reader);
    let lost = length.saturating_sub(whole);
    match end {
        End::Whole => {}
        End::Torn => info!(
            bytes = lost,
            "the journal of waiting transactions ended in the middle of a record, which is left out"
        ),
        End::Damaged => {
            // Before anything is written, which cuts off what cannot be read.
            let kept = match copy_aside(path) {
                Ok(Some(kept)) => format!("and the file is kept as {}", kept.display()),
                Ok(None) => "and enough of the kind are kept beside it".to_owned(),
                Err(error) => format!("and it could not be kept under another name ({error})"),
            };
            warn!(
                "the journal of waiting transactions {} is damaged from byte {whole} on: the \
                 transactions before that are used, the {lost} bytes after it are not, {kept}",
                path.display()
            );
        }
    }
    let mut live = Live::default();
    let mut places = Vec::with_capacity(found.len());
    for (id, place) in found {
        live.insert(id, place.at, place.length);
        places.push(place);
    }
    places.sort_unstable_by_key(|place| (place.arrived_unix_us, place.at));
    Ok(Loaded { disk: Disk::of(path, file, whole), live, places })
}
