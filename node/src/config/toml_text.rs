//! Reading a TOML file that a person wrote: every mistake becomes one sentence with its place.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// A file with a mistake, told to its author.
#[derive(Debug)]
pub(crate) struct Mistake {
    path: PathBuf,
    /// Line and column from 1, if the mistake has a place.
    place: Option<(usize, usize)>,
    message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Reads `path` as a `T`. `flag` is how its user says which file is meant.
pub(crate) fn read_toml<T: DeserializeOwned>(path: &Path, flag: &str) -> Result<T, Mistake> {
    let mistake = |message| Mistake { path: path.to_owned(), place: None, message };
    let bytes = std::fs::read(path).map_err(|error| {
        mistake(match error.kind() {
            io::ErrorKind::NotFound => format!("there is no such file; name one with {flag}"),
            io::ErrorKind::PermissionDenied => {
                "this user may not read it; check its owner and mode".to_owned()
            }
            io::ErrorKind::IsADirectory => format!("a directory; name a file with {flag}"),
            _ => format!("cannot be read: {error}"),
        })
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        mistake(format!("not UTF-8 text (byte {at} is wrong); save it as UTF-8"))
    })?;
    toml::from_str(&text).map_err(|error| Mistake {
        path: path.to_owned(),
        place: error.span().map(|span| place(&text, span.start)),
        message: explain(error.message()),
    })
}

/// Line and column, both from 1, of a byte in a text.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Serde's words for an unknown key, with the key that was probably meant.
///
/// Serde has no other way to tell which keys it expected: ``unknown field `a`, expected `b` or
/// `c` ``.
fn explain(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let (Some(unknown), true) = (quoted.next(), message.starts_with("unknown field `")) else {
        return message.trim_end().replace('\n', ", ");
    };
    let nearest = nearest(unknown, quoted.clone());
    match nearest {
        Some(key) => format!("unknown key `{unknown}`; did you mean `{key}`?"),
        None => format!(
            "unknown key `{unknown}`; the keys here are {}",
            quoted.collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The known word that `word` resembles most, if any resembles it at all.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this two words have little more in common than some letters.
    const RESEMBLANCE: f64 = 0.7;
    known
        .map(|key| (strsim::jaro_winkler(word, key), key))
        .filter(|(score, _)| *score >= RESEMBLANCE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let text = "ä = 1\nbb = 2\n";
        assert_eq!(place(text, 0), (1, 1));
        assert_eq!(place(text, 3), (1, 3));
        assert_eq!(place(text, text.find("bb").unwrap()), (2, 1));
        assert_eq!(place(text, 1_000), (3, 1));
    }

    #[test]
    fn the_nearest_key_is_offered_and_a_far_one_is_not() {
        let known = ["mesh", "mesh_low", "heartbeat_ms"];
        assert_eq!(nearest("mehs", known.into_iter()), Some("mesh"));
        assert_eq!(nearest("heartbeat", known.into_iter()), Some("heartbeat_ms"));
        assert_eq!(nearest("colour", known.into_iter()), None);
    }

    #[test]
    fn what_serde_says_of_an_unknown_key_is_understood() {
        let one = explain("unknown field `mehs`, expected `mesh`");
        assert_eq!(one, "unknown key `mehs`; did you mean `mesh`?");
        let far = explain("unknown field `x`, expected one of `mesh`, `log`");
        assert_eq!(far, "unknown key `x`; the keys here are mesh, log");
        assert_eq!(explain("missing field `name`"), "missing field `name`");
    }
}
