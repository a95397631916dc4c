//! One event as one line of text.

use std::fmt::Write;
use std::io;

use serde::Serialize;

use super::event::{Event, Record};
use crate::engine::Time;

/// A [`Record`] whose parts lie elsewhere.
#[derive(Serialize)]
struct Line<'a> {
    t: &'a str,
    mono_us: u64,
    node: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

/// Writes the lines of one node.
#[derive(Debug)]
pub(super) struct Lines {
    node: String,
    stamp: Stamp,
}

impl Lines {
    pub(super) fn of(node: String) -> Self {
        Self { node, stamp: Stamp::default() }
    }

    /// Appends the line of an event, its end included.
    pub(super) fn append(&mut self, at: Time, event: &Event, to: &mut Vec<u8>) -> io::Result<()> {
        let line =
            Line { t: self.stamp.at(at.unix_us), mono_us: at.mono_us, node: &self.node, event };
        serde_json::to_writer(&mut *to, &line)?;
        to.push(b'\n');
        Ok(())
    }
}

/// Moments in RFC 3339, UTC, with six decimals. The date and the second are worked out once a second.
#[derive(Debug, Default)]
struct Stamp {
    second: Option<u64>,
    text: String,
    until_point: usize,
}

impl Stamp {
    /// A moment in microseconds since the Unix epoch.
    fn at(&mut self, unix_us: u64) -> &str {
        let second = unix_us / 1_000_000;
        if self.second != Some(second) {
            let whole = i64::try_from(second).ok();
            let whole = whole.and_then(|second| jiff::Timestamp::from_second(second).ok());
            self.text = whole.map_or_else(
                // Later than any date that RFC 3339 can tell.
                || "9999-12-31T23:59:59.".to_owned(),
                |whole| whole.strftime("%Y-%m-%dT%H:%M:%S.").to_string(),
            );
            self.until_point = self.text.len();
            self.second = Some(second);
        }
        self.text.truncate(self.until_point);
        // A string takes whatever is written to it.
        let _ = write!(self.text, "{:06}Z", unix_us % 1_000_000);
        &self.text
    }
}

impl Record {
    /// Reads a line of a log.
    ///
    /// # Errors
    /// It is no line of a log, or of an event that this version does not know.
    pub fn read(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trace::event::Kind;

    proptest! {
        #[test]
        fn a_moment_is_told_as_the_calendar_has_it(
            times in prop::collection::vec(0_u64..253_402_207_200_000_000, 1..20),
        ) {
            let mut stamp = Stamp::default();
            for us in times {
                let timestamp = jiff::Timestamp::from_microsecond(us as i64).unwrap();
                prop_assert_eq!(stamp.at(us), format!("{timestamp:.6}"));
                prop_assert_eq!(stamp.at(us + 1), {
                    let next = jiff::Timestamp::from_microsecond(us as i64 + 1).unwrap();
                    format!("{next:.6}")
                });
            }
        }
    }

    #[test]
    fn a_line_reads_back_as_the_record_it_was() {
        let mut text = Vec::new();
        let event = Event::Final { kind: Kind::Block, id: "ab".to_owned(), height: 7 };
        let at = Time { unix_us: 1_790_000_000_000_001, mono_us: 12 };
        Lines::of("n0".to_owned()).append(at, &event, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.ends_with("}\n") && text.matches('\n').count() == 1, "{text}");
        let t = "2026-09-21T14:13:20.000001Z".to_owned();
        let record = Record { t, mono_us: 12, node: "n0".to_owned(), event };
        assert_eq!(Record::read(&text).unwrap(), record);
        assert_eq!(serde_json::to_string(&record).unwrap(), text.trim_end());
    }
}
