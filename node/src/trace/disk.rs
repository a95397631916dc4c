//! Writes lines to a file whole or not at all.

use std::fs::File;
use std::io::{self, Write};

/// Writes lines and takes them out of `chunk`, which ends with the end of a line. When the disk
/// refuses, what does not stand in the file as whole lines stays in `chunk`, to be tried again, and
/// the piece of a line that was written is taken back: whoever reads the file then, or finds it
/// after a kill, sees whole lines.
///
/// # Errors
/// What the disk said.
pub(super) fn write_whole_lines(file: &mut File, chunk: &mut Vec<u8>) -> io::Result<()> {
    let before = file.metadata()?.len();
    let mut written = 0;
    while written < chunk.len() {
        let error = match file.write(&chunk[written..]) {
            Ok(0) => io::ErrorKind::StorageFull.into(),
            Ok(more) => {
                written += more;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        let whole = chunk[..written].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let kept = if take_back(file, before, written, whole) { whole } else { written };
        chunk.drain(..kept);
        return Err(error);
    }
    chunk.clear();
    Ok(())
}

/// Cuts the file behind the whole lines. Not if somebody else writes to it as well.
fn take_back(file: &File, before: u64, written: usize, whole: usize) -> bool {
    let ours = |bytes: usize| before + bytes as u64;
    written == whole
        || (file.metadata().is_ok_and(|now| now.len() == ours(written))
            && file.set_len(ours(whole)).is_ok())
}

#[cfg(test)]
#[path = "disk_tests.rs"]
mod tests;
