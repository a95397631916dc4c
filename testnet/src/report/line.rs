//! One line of a log: from bytes to a dated record, or the way in which it is none.

use hearsay_node::trace::event::{Event, Record};
use jiff::Timestamp;
use serde::Deserialize;

/// What a line turned out to be.
#[derive(Debug)]
pub(crate) enum Line {
    /// A record, and its wall-clock time in microseconds since the Unix epoch.
    Record(i64, Box<Record>),
    /// A start that follows the torn end of the process before it, on the same line: a process that
    /// was killed in the middle of a write leaves no line feed behind.
    Torn(i64, Box<Record>),
    /// Well formed, but with an event or a word that this version does not know. Schema 1 grows by
    /// such lines, so they are skipped.
    Unknown,
    /// Not a line of a log.
    Unreadable,
}

/// The fields that every line has, whatever its event.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    t: std::borrow::Cow<'a, str>,
    #[serde(rename = "mono_us")]
    _mono_us: u64,
    #[serde(rename = "event")]
    _event: String,
}

/// How every line of a log begins.
const OPENING: &[u8] = b"{\"t\":";

/// Reads one line, without its line feed.
pub(crate) fn parse(line: &[u8]) -> Line {
    if let Some((at, record)) = record(line) {
        return Line::Record(at, record);
    }
    if let Some(cut) = last_opening(line)
        && let Some((at, record)) = record(&line[cut..])
        && matches!(record.event, Event::Start { .. })
    {
        return Line::Torn(at, record);
    }
    if is_unknown(line) { Line::Unknown } else { Line::Unreadable }
}

fn record(line: &[u8]) -> Option<(i64, Box<Record>)> {
    let record: Record = serde_json::from_slice(line).ok()?;
    let at = micros(&record.t)?;
    Some((at, Box::new(record)))
}

/// Microseconds since the Unix epoch of an RFC 3339 instant.
fn micros(t: &str) -> Option<i64> {
    t.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

/// Where the last record on this line begins, when that is not at its start.
fn last_opening(line: &[u8]) -> Option<usize> {
    line.windows(OPENING.len()).rposition(|window| window == OPENING).filter(|&at| at > 0)
}

/// Whether a line that is no [`Record`] is one in a newer program's vocabulary. Serde tells an
/// unknown variant from a missing or mistyped field in its message only.
fn is_unknown(line: &[u8]) -> bool {
    let dated = serde_json::from_slice::<Envelope<'_>>(line)
        .is_ok_and(|envelope| micros(&envelope.t).is_some());
    dated
        && serde_json::from_slice::<Record>(line)
            .is_err_and(|error| error.to_string().starts_with("unknown variant"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = concat!(
        r#"{"t":"2026-01-01T00:00:00.000001Z","mono_us":1,"node":"n0","event":"start","#,
        r#""schema":1,"peer":"12D3","genesis":"00","version":"0.1.0"}"#
    );

    #[test]
    fn a_record_is_dated_in_microseconds_since_the_epoch() {
        let Line::Record(at, record) = parse(START.as_bytes()) else {
            panic!("a start line is a record");
        };
        assert_eq!(at, 1_767_225_600_000_001);
        assert_eq!(record.node, "n0");
    }

    #[test]
    fn a_start_behind_a_torn_line_is_found() {
        let line = format!(r#"{{"t":"2026-01-01T00:00:00.5Z","mono_us":77,"no{START}"#);
        assert!(matches!(parse(line.as_bytes()), Line::Torn(1_767_225_600_000_001, _)));
    }

    #[test]
    fn only_a_start_is_dug_out_of_a_torn_line() {
        let stop =
            r#"{"t":"2026-01-01T00:00:01Z","mono_us":2,"node":"n0","event":"stop","reason":"x"}"#;
        assert!(matches!(parse(stop.as_bytes()), Line::Record(..)));
        let line = format!("garbage{stop}");
        assert!(matches!(parse(line.as_bytes()), Line::Unreadable));
    }

    #[test]
    fn an_event_of_a_newer_program_is_unknown_and_not_unreadable() {
        let new =
            r#"{"t":"2026-01-01T00:00:01Z","mono_us":2,"node":"n0","event":"eclipse","depth":3}"#;
        assert!(matches!(parse(new.as_bytes()), Line::Unknown));
        let word = concat!(
            r#"{"t":"2026-01-01T00:00:01Z","mono_us":2,"node":"n0","event":"received","#,
            r#""kind":"tx","id":"aa","from":"p","via":"pigeon","bytes":1}"#
        );
        assert!(matches!(parse(word.as_bytes()), Line::Unknown));
    }

    #[test]
    fn a_known_event_without_its_fields_is_unreadable() {
        for line in [
            r#"{"t":"2026-01-01T00:00:01Z","mono_us":2,"node":"n0","event":"stop"}"#,
            r#"{"t":"yesterday","mono_us":2,"node":"n0","event":"stop","reason":"x"}"#,
            r#"{"t":"yesterday","mono_us":2,"node":"n0","event":"eclipse"}"#,
            "\0\0\0",
            "42",
        ] {
            assert!(matches!(parse(line.as_bytes()), Line::Unreadable), "{line:?}");
        }
    }
}
