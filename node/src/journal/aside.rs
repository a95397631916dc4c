//! What is in the place of the journal and is none of this node's is kept under another name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hearsay_chain::GenesisId;

use super::format::{Foreign, SCHEMA};

/// The most files of one kind that are kept.
const MAX_KEPT: u32 = 4;

impl Foreign {
    /// What the file is, as the end of a sentence that begins with its name.
    pub(super) fn what(self, genesis: GenesisId) -> String {
        match self {
            Foreign::Unknown => {
                "does not begin as a journal of waiting transactions does".to_owned()
            }
            Foreign::Schema(schema) => format!(
                "was written by another version of this program (its schema is {schema}, this \
                 version has {SCHEMA})"
            ),
            Foreign::Genesis(other) => {
                format!("is of another network (its genesis is {other}, this node's is {genesis})")
            }
        }
    }

    fn suffix(self) -> String {
        match self {
            Foreign::Unknown => "unknown".to_owned(),
            Foreign::Schema(schema) => format!("schema-{schema}"),
            Foreign::Genesis(other) => {
                format!("other-{}", other.to_string().chars().take(8).collect::<String>())
            }
        }
    }
}

/// Gives the file another name that no file has; none if a few are kept already.
pub(super) fn set_aside(path: &Path, foreign: Foreign) -> io::Result<Option<PathBuf>> {
    let Some(other) = free_name(path, &foreign.suffix()) else { return Ok(None) };
    fs::rename(path, &other)?;
    Ok(Some(other))
}

/// Keeps the file as it is under another name too; none if a few are kept already.
pub(super) fn copy_aside(path: &Path) -> io::Result<Option<PathBuf>> {
    let Some(other) = free_name(path, "damaged") else { return Ok(None) };
    if let Err(error) = fs::copy(path, &other) {
        // Half of it is worth nothing, and takes the room of another.
        let _ = fs::remove_file(&other);
        return Err(error);
    }
    Ok(Some(other))
}

fn free_name(path: &Path, suffix: &str) -> Option<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for number in 1..=MAX_KEPT {
        let name = match number {
            1 => format!("{name}.{suffix}"),
            _ => format!("{name}.{suffix}-{number}"),
        };
        let other = path.with_file_name(name);
        // Whatever has the name, and be it a broken link.
        if fs::symlink_metadata(&other).is_err() {
            return Some(other);
        }
    }
    None
}
