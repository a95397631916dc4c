//! Looks at a directory before it is opened, and changes nothing in it.
//!
//! RocksDB writes as it opens: it replays its log into new files and drops old ones. So all that
//! can be wrong is asked first, with means that only read.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use rocksdb::{DB, DEFAULT_COLUMN_FAMILY_NAME, Options};

use super::frames;
use super::meta::Meta;
use super::migrate;
use super::options::{self, META, RocksOptions, all_families};
use super::refusal::Refusal;
use crate::ids::GenesisId;

/// The file that says that a directory is a store of ours. Whatever is wrong beside it is damage;
/// without it, it is somebody else's directory.
pub(in crate::store) const OURS: &str = "HEARSAY";

/// The file that stands in a directory while it becomes a store. A node that was killed meanwhile
/// has stored nothing there yet, so it goes on where it stopped.
pub(in crate::store) const BECOMING: &str = "HEARSAY.creating";

/// RocksDB's file that names its manifest.
const CURRENT: &str = "CURRENT";

/// RocksDB's lock. It must never be opened here: when a process closes any descriptor of it, the
/// system takes away the lock that the process holds.
pub(super) const LOCK: &str = "LOCK";

/// What a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Found {
    /// An empty directory, or one that was about to become a store.
    Nothing,
    /// A sound store of this network, and its schema: ours, or one that can be migrated.
    Store(u32),
}

/// Looks at a directory.
pub(in crate::store) fn look(
    path: &Path,
    genesis: GenesisId,
    options: RocksOptions,
) -> Result<Found, Refusal> {
    let names = names_in(path)?;
    let ours = names.contains(OURS);
    if names.is_empty() || (names.contains(BECOMING) && !ours) {
        return Ok(Found::Nothing);
    }
    let database = options::database(options);
    if !ours {
        refuse_foreign(path, &names, &database)?;
    }
    if !names.contains(CURRENT) {
        return Err(Refusal::Damaged("its file CURRENT is missing".to_owned()));
    }
    if names.contains(LOCK) {
        refuse_locked(path)?;
    }
    refuse_damaged_logs(path, &names)?;
    let families = DB::list_cf(&database, path)?;
    let schema = read_meta(path, &families, &database)?.check(genesis)?;
    refuse_odd_families(&families, schema)?;
    refuse_damaged(path, &names, &families, &database)?;
    Ok(Found::Store(schema))
}

/// A store has the families of its schema. One whose migration was cut short may have some of ours
/// already.
fn refuse_odd_families(families: &[String], schema: u32) -> Result<(), Refusal> {
    let ours: BTreeSet<&str> = all_families().into_iter().collect();
    let found: BTreeSet<&str> = families.iter().map(String::as_str).collect();
    let must: BTreeSet<&str> =
        ours.iter().copied().filter(|name| migrate::schema_of(name) <= schema).collect();
    match must.difference(&found).chain(found.difference(&ours)).next() {
        Some(odd) => Err(Refusal::Damaged(format!("column family {odd:?} is missing or unknown"))),
        None => Ok(()),
    }
}

fn names_in(path: &Path) -> io::Result<BTreeSet<String>> {
    fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// A directory without our mark is a store all the same when it is a RocksDB database with our
/// schema in it: somebody copied the database alone.
fn refuse_foreign(
    path: &Path,
    names: &BTreeSet<String>,
    database: &Options,
) -> Result<(), Refusal> {
    let example = names.first().cloned().unwrap_or_default();
    if !names.contains(CURRENT) || !names.iter().any(|name| name.starts_with("MANIFEST-")) {
        return Err(Refusal::Foreign { example });
    }
    let families = DB::list_cf(database, path).map_err(foreign_unless_unreadable)?;
    match families.iter().any(|family| family == META) {
        true => Ok(()),
        false => Err(Refusal::ForeignDatabase),
    }
}

fn foreign_unless_unreadable(error: rocksdb::Error) -> Refusal {
    match error.into() {
        Refusal::Damaged(_) => Refusal::ForeignDatabase,
        other => other,
    }
}

/// Asks RocksDB to open the directory on the condition that there is no database in it. It takes
/// the lock first and only then sees that there is one, so it goes away without a trace.
pub(super) fn refuse_locked(path: &Path) -> Result<(), Refusal> {
    let mut probe = options::database(RocksOptions::default());
    probe.set_error_if_exists(true);
    match DB::open(&probe, path) {
        Ok(_) => Err(Refusal::Failed("its database vanished while it was looked at".to_owned())),
        Err(error) if error.as_ref().contains("error_if_exists") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Before RocksDB reads any of them: it would not see all that can be wrong.
fn refuse_damaged_logs(path: &Path, names: &BTreeSet<String>) -> Result<(), Refusal> {
    let current = fs::read(path.join(CURRENT))?;
    let manifest = current.trim_ascii_end();
    let is_read = |name: &&String| name.ends_with(".log") || name.as_bytes() == manifest;
    names.iter().filter(is_read).try_for_each(|name| frames::refuse_damaged(&path.join(name)))
}

/// The schema comes before everything else: a newer one may have other families.
fn read_meta(path: &Path, families: &[String], database: &Options) -> Result<Meta, Refusal> {
    let missing = || Refusal::Damaged("its schema is missing".to_owned());
    if !families.iter().any(|family| family == META) {
        return Err(missing());
    }
    let db = read_only(path, [DEFAULT_COLUMN_FAMILY_NAME, META], database)?;
    Meta::read(&db)?.ok_or_else(missing)
}

/// Reads what RocksDB would read on opening: the manifest, the whole log, and the frame of some
/// files; and compares the size of every file with what it was when written, as RocksDB itself
/// looks into the first few alone.
fn refuse_damaged(
    path: &Path,
    names: &BTreeSet<String>,
    families: &[String],
    database: &Options,
) -> Result<(), Refusal> {
    // RocksDB starts a log whenever it opens and drops none before it has the next.
    if !names.iter().any(|name| name.ends_with(".log")) {
        return Err(Refusal::Damaged("its write-ahead log is missing".to_owned()));
    }
    let db = read_only(path, families.iter().map(String::as_str), database)?;
    for file in db.live_files()? {
        let name = file.name.trim_start_matches('/');
        match fs::metadata(path.join(name)) {
            Ok(found) if found.len() == file.size as u64 => {}
            Ok(found) => {
                let (found, written) = (found.len(), file.size);
                return Err(Refusal::Damaged(format!(
                    "{name} has {found} bytes, it was written with {written}"
                )));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Refusal::Damaged(format!("{name} is missing")));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

pub(super) fn read_only<'a>(
    path: &Path,
    families: impl IntoIterator<Item = &'a str>,
    database: &Options,
) -> Result<DB, Refusal> {
    let families = options::families(families);
    let log_may_hold_data = false;
    Ok(DB::open_cf_descriptors_read_only(database, path, families, log_may_hold_data)?)
}
