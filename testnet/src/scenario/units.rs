//! Times, rates and sizes with their units, as people write them: `50ms`, `50Mbit`, `16KiB`.

use std::time::Duration;

use hearsay_network::link::LOWEST_RATE;

use super::problem::Wrong;

/// Each unit of time with its seconds.
const TIMES: &[(&str, f64)] =
    &[("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("min", 60.0), ("h", 3_600.0)];

/// Each unit of a rate with its bytes a second. Networks are sold in bits, decimal.
const RATES: &[(&str, f64)] = &[
    ("bit", 0.125),
    ("kbit", 125.0),
    ("Mbit", 125_000.0),
    ("Gbit", 125_000_000.0),
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
];

/// Each unit of size with its bytes.
const SIZES: &[(&str, f64)] =
    &[("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("KiB", 1_024.0), ("MiB", 1_048_576.0)];

/// Longer than any run, far from where adding up times overflows.
const LONGEST_S: f64 = 86_400.0 * 30.0;

/// Reads a time: `50ms`, `2s`, `1m 30s`.
///
/// # Errors
/// It is none, or below nothing, or longer than 30 days.
pub fn time(text: &str) -> Result<Duration, Wrong> {
    let (sign, seconds) = seconds(text)?;
    if sign < 0.0 {
        return Err(Wrong::new(format!("`{text}` is a time before the beginning"))
            .hint("take the minus away"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Reads a time that may be negative, as microseconds: `-250ms`.
///
/// # Errors
/// It is none, or longer than 30 days.
pub fn signed_us(text: &str) -> Result<i64, Wrong> {
    let (sign, seconds) = seconds(text)?;
    Ok((sign * seconds * 1e6).round() as i64)
}

/// Reads a rate as bytes a second: `50Mbit` or `50Mbit/s`, `6MB/s`.
///
/// # Errors
/// It is none, or lower than [`LOWEST_RATE`].
pub fn rate(text: &str) -> Result<u64, Wrong> {
    let bare = text.trim().strip_suffix("/s").unwrap_or(text);
    let bytes = quantity(bare, RATES, "a rate", "50Mbit")?;
    if bytes < 1.0 {
        return Err(Wrong::new(format!("`{text}` lets nothing through"))
            .hint("give a rate above nothing, or cut the link with [[at]] cut"));
    }
    let bytes = bytes.round() as u64;
    if bytes < LOWEST_RATE {
        return Err(Wrong::new(format!("`{text}` is slower than any link that can be played"))
            .hint(format!(
                "give {LOWEST_RATE}B (a second) or more, or cut the link with [[at]] cut"
            )));
    }
    Ok(bytes)
}

/// Reads a size as bytes: `16KiB`.
///
/// # Errors
/// It is none, or negative.
pub fn size(text: &str) -> Result<u64, Wrong> {
    let bytes = quantity(text, SIZES, "a size", "16KiB")?;
    if bytes < 0.0 {
        return Err(Wrong::new(format!("`{text}` is less than nothing")));
    }
    Ok(bytes.round() as u64)
}

/// The sign of a time, and how many seconds it has.
fn seconds(text: &str) -> Result<(f64, f64), Wrong> {
    let trimmed = text.trim();
    let (sign, mut rest) = match trimmed.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, trimmed),
    };
    let mut seconds = 0.0;
    loop {
        // `1m 30s`: a part ends where the next number begins.
        let unit = rest.find(|c: char| c.is_alphabetic()).unwrap_or(rest.len());
        let length = rest[unit..].find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len() - unit);
        let (part, more) = rest.split_at(unit + length);
        let part = quantity(part, TIMES, "a time", "50ms or 2s")?;
        if part < 0.0 {
            return Err(Wrong::new(format!("`{text}` is not a time")).hint("write 50ms or 2s"));
        }
        seconds += part;
        rest = more.trim_start();
        if rest.is_empty() {
            break;
        }
    }
    if seconds > LONGEST_S {
        return Err(Wrong::new(format!("`{text}` is longer than 30 days")));
    }
    Ok((sign, seconds))
}

/// A number and one of `units`.
fn quantity(text: &str, units: &[(&str, f64)], what: &str, example: &str) -> Result<f64, Wrong> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = (text[..split].trim(), &text[split..]);
    let known = || units.iter().map(|(name, _)| *name);
    let listed = || known().collect::<Vec<_>>().join(", ");
    let Some(number) = number.replace('_', "").parse::<f64>().ok().filter(|n| n.is_finite()) else {
        return Err(Wrong::new(format!("`{text}` is not {what}")).hint(format!("write {example}")));
    };
    if unit.is_empty() {
        return Err(Wrong::new(format!("`{text}` has no unit"))
            .hint(format!("write {what} as {example}; the units are {}", listed())));
    }
    if let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) {
        return Ok(number * factor);
    }
    let alike = known().find(|name| name.eq_ignore_ascii_case(unit));
    Err(Wrong::new(format!("`{unit}` is no unit of {}", what.trim_start_matches("a "))).hint(
        match alike {
            Some(name) => format!("did you mean `{}{name}`?", &text[..split]),
            None => format!("the units are {}", listed()),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<T: std::fmt::Debug>(read: Result<T, Wrong>) -> String {
        let wrong = read.unwrap_err();
        [Some(wrong.message), wrong.hint].into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn times_are_read_with_their_units() {
        for (text, us) in [
            ("50ms", 50_000),
            ("0s", 0),
            ("1.5s", 1_500_000),
            ("1m 30s", 90_000_000),
            ("1m30s", 90_000_000),
            ("2 min", 120_000_000),
            ("7us", 7),
        ] {
            assert_eq!(time(text), Ok(Duration::from_micros(us)), "{text}");
        }
        assert_eq!(signed_us("-250ms"), Ok(-250_000));
        assert_eq!(signed_us("1s"), Ok(1_000_000));
    }

    #[test]
    fn rates_are_bytes_a_second_and_sizes_bytes() {
        assert_eq!(rate("50Mbit"), Ok(6_250_000));
        assert_eq!(rate("50 Mbit/s"), Ok(6_250_000));
        assert_eq!(rate("8kbit"), Ok(1_000));
        assert_eq!(rate("2.5MB/s"), Ok(2_500_000));
        assert_eq!(size("16KiB"), Ok(16_384));
        assert_eq!(size("1_000B"), Ok(1_000));
    }

    #[test]
    fn what_is_no_time_says_how_to_write_one() {
        assert_eq!(
            told(time("50")),
            "`50` has no unit; write a time as 50ms or 2s; the units are us, ms, s, m, min, h"
        );
        assert_eq!(told(time("soon")), "`soon` is not a time; write 50ms or 2s");
        assert_eq!(
            told(time("5sec")),
            "`sec` is no unit of time; the units are us, ms, s, m, min, h"
        );
        assert_eq!(told(time("5MS")), "`MS` is no unit of time; did you mean `5ms`?");
        assert_eq!(told(time("-5s")), "`-5s` is a time before the beginning; take the minus away");
        for wrong in ["", "s", "--5s", "1m -30s", "nan s", "1e9h", "1e400s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_rate_says_how_to_write_one() {
        assert_eq!(told(rate("50mbit")), "`mbit` is no unit of rate; did you mean `50Mbit`?");
        assert!(told(rate("50")).starts_with("`50` has no unit; write a rate as 50Mbit"));
        for nothing in ["0Mbit", "-5Mbit"] {
            assert!(told(rate(nothing)).contains("lets nothing through"));
        }
        assert_eq!(
            told(rate("7kbit")),
            "`7kbit` is slower than any link that can be played; \
             give 1000B (a second) or more, or cut the link with [[at]] cut"
        );
        assert!(rate("999B").is_err() && rate("1kB/s").is_ok());
        assert_eq!(told(size("-1KiB")), "`-1KiB` is less than nothing");
    }
}
