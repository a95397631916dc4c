//! Data on stdout: as text for people, or as JSON for programs.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use crate::report::Report;
use crate::where_is::Whereabouts;

/// The form of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Prints a report.
///
/// # Errors
/// Stdout cannot be written.
pub fn report(report: &Report, format: Format) -> io::Result<()> {
    print(report, Report::to_text, format)
}

/// Prints where a message went.
///
/// # Errors
/// Stdout cannot be written.
pub fn whereabouts(whereabouts: &Whereabouts, format: Format) -> io::Result<()> {
    print(whereabouts, Whereabouts::to_text, format)
}

/// The form that `--json` asks for.
#[must_use]
pub fn format(json: bool) -> Format {
    if json { Format::Json } else { Format::Text }
}

/// Prints data, as text or as JSON.
///
/// # Errors
/// Stdout cannot be written.
pub fn print<T: Serialize>(
    data: &T,
    to_text: impl Fn(&T) -> String,
    format: Format,
) -> io::Result<()> {
    match format {
        Format::Text => text(&to_text(data)),
        Format::Json => text(&serde_json::to_string_pretty(data)?),
    }
}

/// Prints text.
///
/// # Errors
/// Stdout cannot be written.
pub fn text(text: &str) -> io::Result<()> {
    let mut text = text.to_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever read has read enough, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
