//! `hearsay-testnet logs`: the nodes' propagation logs as one, in the order of time.

mod filter;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::filter::Filter;

use crate::follow::Follower;

/// The time between two looks at the logs when they are followed.
const LOOK: Duration = Duration::from_millis(100);

/// Bytes that are read of one log at each look.
const MOST: usize = 4 << 20;

/// A line longer than this is no event: it is passed over rather than kept.
const LONGEST: u64 = 1 << 20;

/// The logs below `dir`, each with its node's name, in the natural order of the names.
///
/// # Errors
/// The folder cannot be read.
pub fn find(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let log = entry.path().join("events.jsonl");
        if log.is_file() {
            logs.push((entry.file_name().to_string_lossy().into_owned(), log));
        }
    }
    logs.sort_by_key(|(name, _)| (name.len(), name.clone()));
    Ok(logs)
}

/// Writes what the filter lets through, from the oldest line of all to the newest.
///
/// # Errors
/// A log cannot be read, or `out` cannot be written; somebody who stopped reading is no error.
pub fn print(dir: &Path, filter: &Filter, out: &mut impl Write) -> io::Result<()> {
    let mut sources = Vec::new();
    for (name, path) in find(dir)? {
        if filter.takes_node(&name) {
            sources.push(BufReader::new(File::open(path)?));
        }
    }
    unless_hung_up(merge(&mut sources, filter, out))
}

/// Writes what the filter lets through as it comes, from now on, until the reader stops reading or
/// `goes_on` says no.
///
/// # Errors
/// A log cannot be read, or `out` cannot be written.
pub fn follow(
    dir: &Path,
    filter: &Filter,
    out: &mut impl Write,
    mut goes_on: impl FnMut() -> bool,
) -> io::Result<()> {
    let mut followers: Vec<(String, Follower)> = Vec::new();
    // What is there already is not shown; what a node that joins later writes is, from its start.
    let mut at_end = true;
    while goes_on() {
        for (name, path) in find(dir)? {
            let known = followers.iter().any(|(known, _)| *known == name);
            if !known && filter.takes_node(&name) {
                let follower = if at_end { Follower::at_end(&path)? } else { Follower::new(&path) };
                followers.push((name, follower));
            }
        }
        at_end = false;
        let mut lines = Vec::new();
        for (_, follower) in &mut followers {
            follower.lines(MOST, |line| {
                if filter.takes_line(line) {
                    lines.push(line.to_owned());
                }
            })?;
        }
        // Within one look; across looks, lines come when they are written.
        lines.sort_by(|a, b| time(a).cmp(time(b)));
        let written = lines.iter().try_for_each(|line| writeln!(out, "{line}"));
        match written.and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// The moment of a line. Times of one length, in one time zone: the order of their letters is that of
/// time.
fn time(line: &str) -> &str {
    line.strip_prefix("{\"t\":\"").and_then(|rest| rest.get(..27)).unwrap_or_default()
}

fn merge(sources: &mut [impl BufRead], filter: &Filter, out: &mut impl Write) -> io::Result<()> {
    let mut heads = BinaryHeap::new();
    for (source, lines) in sources.iter_mut().enumerate() {
        heads.extend(next(lines, filter)?.map(|line| head(source, line)));
    }
    while let Some(Reverse((_, source, line))) = heads.pop() {
        writeln!(out, "{line}")?;
        heads.extend(next(&mut sources[source], filter)?.map(|line| head(source, line)));
    }
    out.flush()
}

/// A log's next line as it stands in the heap, the oldest on top: its time, the log, the line.
fn head(source: usize, line: String) -> Reverse<(String, usize, String)> {
    Reverse((time(&line).to_owned(), source, line))
}

/// The next whole line that the filter lets through.
fn next(lines: &mut impl BufRead, filter: &Filter) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        io::Read::take(&mut *lines, LONGEST).read_until(b'\n', &mut bytes)?;
        if bytes.len() as u64 == LONGEST && bytes.last() != Some(&b'\n') {
            lines.skip_until(b'\n')?;
            continue;
        }
        // The end, or a line that is still being written.
        if bytes.pop() != Some(b'\n') {
            return Ok(None);
        }
        if let Ok(line) = std::str::from_utf8(&bytes)
            && filter.takes_line(line)
        {
            return Ok(Some(line.to_owned()));
        }
    }
}

fn unless_hung_up(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(second: u32, node: &str, event: &str, id: &str) -> String {
        format!(
            r#"{{"t":"2026-03-01T12:30:{second:02}.000000Z","mono_us":1,"node":"{node}","event":"{event}","kind":"tx","id":"{id}"}}"#
        )
    }

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let logs = [
            ("n0", [line(1, "n0", "published", "aa11"), line(4, "n0", "included", "aa11")]),
            ("n2", [line(2, "n2", "received", "aa11"), line(5, "n2", "received", "bb22")]),
            ("n10", [line(3, "n10", "received", "aa11"), line(6, "n10", "duplicate", "bb22")]),
        ];
        for (name, lines) in logs {
            fs::create_dir(home.path().join(name)).unwrap();
            let half = "{\"t\":\"2026-03";
            let text = format!("{}\n{half}", lines.join("\n"));
            fs::write(home.path().join(name).join("events.jsonl"), text).unwrap();
        }
        home
    }

    fn printed(filter: &Filter) -> Vec<String> {
        let mut out = Vec::new();
        print(home().path(), filter, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(|line| time(line)[17..19].to_owned()).collect()
    }

    #[test]
    fn logs_are_one_in_the_order_of_time_and_half_a_line_waits_for_its_end() {
        assert_eq!(printed(&Filter::default()), ["01", "02", "03", "04", "05", "06"]);
    }

    #[test]
    fn node_event_and_id_choose_lines() {
        let filter = |nodes: &[&str], events: &[&str], ids: &[&str]| {
            let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
            Filter { nodes: owned(nodes), events: owned(events), ids: owned(ids) }
        };
        assert_eq!(printed(&filter(&["n2", "n10"], &[], &[])), ["02", "03", "05", "06"]);
        assert_eq!(printed(&filter(&[], &["received"], &[])), ["02", "03", "05"]);
        assert_eq!(printed(&filter(&[], &["received"], &["AA"])), ["02", "03"]);
        assert!(printed(&filter(&["n3"], &[], &[])).is_empty());
    }

    #[test]
    fn nodes_are_in_their_natural_order() {
        let names: Vec<_> =
            find(home().path()).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["n0", "n2", "n10"]);
    }

    #[test]
    fn following_shows_what_is_written_from_now_on_and_a_node_that_joins_whole() {
        let home = home();
        let (mut out, mut look) = (Vec::new(), 0);
        let append = |name: &str, text: &str| {
            let path = home.path().join(name);
            fs::create_dir_all(&path).unwrap();
            let path = path.join("events.jsonl");
            let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        follow(home.path(), &Filter::default(), &mut out, || {
            look += 1;
            if look == 2 {
                append("n0", &format!("\n{}\n", line(8, "n0", "received", "cc")));
                append("n3", &format!("{}\n", line(7, "n3", "received", "cc")));
            }
            look < 4
        })
        .unwrap();
        let text = String::from_utf8(out).unwrap();
        let times: Vec<_> = text.lines().map(time).filter(|time| !time.is_empty()).collect();
        assert_eq!(times, ["2026-03-01T12:30:07.000000Z", "2026-03-01T12:30:08.000000Z"]);
    }
}
