//! What is wrong with a scenario, told to its author: where, what, and what to do about it.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

/// Where in a scenario something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In its text: line and column, both from 1, the column in characters.
    At {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// In an override, as it was given: `gossip.mesh=4`.
    Set(Arc<str>),
}

impl Place {
    /// The beginning of a text, for what is missing in it.
    pub const START: Self = Self::At { line: 1, column: 1 };

    /// Line and column, both from 1, of a byte in a text.
    #[must_use]
    pub fn of(text: &str, at: usize) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Self::At { line, column: before[line_start..].chars().count() + 1 }
    }
}

/// One mistake in a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as its reader was told it.
    pub file: Arc<str>,
    /// Where the mistake is.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do about it, when that does not go without saying.
    pub hint: Option<String>,
}

impl Problem {
    /// The line, from 1; none for an override.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self.place {
            Place::At { line, .. } => Some(line),
            Place::Set(_) => None,
        }
    }

    /// The column in characters, from 1; none for an override.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        match self.place {
            Place::At { column, .. } => Some(column),
            Place::Set(_) => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::At { line, column } => write!(f, "{}:{line}:{column}: ", self.file)?,
            Place::Set(set) => write!(f, "{} with {set}: ", self.file)?,
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// A mistake whose place is still to be told: what reading a single value comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Wrong {
    /// A mistake that needs no advice.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// The problems found so far. Reading goes on after each, so that an author is told all at once.
#[derive(Debug)]
pub(super) struct Problems {
    file: Arc<str>,
    found: RefCell<Vec<Problem>>,
    /// The places of keys that an override left without a meaning.
    idle: RefCell<Vec<Place>>,
}

impl Problems {
    pub(super) fn new(file: &Arc<str>) -> Self {
        Self { file: Arc::clone(file), found: RefCell::default(), idle: RefCell::default() }
    }

    /// Notes one.
    pub(super) fn add(&self, place: &Place, wrong: Wrong) {
        let Wrong { message, hint } = wrong;
        let problem = Problem { file: Arc::clone(&self.file), place: place.clone(), message, hint };
        self.found.borrow_mut().push(problem);
    }

    /// Notes the place of a key that an override left without a meaning: no problem, but it must not
    /// be written down again.
    pub(super) fn pass_over(&self, place: &Place) {
        self.idle.borrow_mut().push(place.clone());
    }

    /// All of them, in the order of the text, and the places that were passed over.
    pub(super) fn into_sorted(self) -> (Vec<Problem>, Vec<Place>) {
        let mut found = self.found.into_inner();
        found.sort_by(|a, b| a.place.cmp(&b.place));
        found.dedup();
        (found, self.idle.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let text = "ä = 1\nbb = 2\n";
        let at = |line, column| Place::At { line, column };
        assert_eq!(Place::of(text, 0), at(1, 1));
        assert_eq!(Place::of(text, 3), at(1, 3));
        assert_eq!(Place::of(text, text.find("bb").unwrap()), at(2, 1));
        assert_eq!(Place::of(text, 1_000), at(3, 1));
    }

    #[test]
    fn a_problem_tells_file_line_column_what_and_what_to_do() {
        let problem = |place, hint: Option<&str>| Problem {
            file: "a.toml".into(),
            place,
            message: "zero nodes".to_owned(),
            hint: hint.map(str::to_owned),
        };
        let at = problem(Place::At { line: 3, column: 9 }, Some("run one or more"));
        assert_eq!(at.to_string(), "a.toml:3:9: zero nodes; run one or more");
        assert_eq!((at.line(), at.column()), (Some(3), Some(9)));
        let set = problem(Place::Set("nodes.count=0".into()), None);
        assert_eq!(set.to_string(), "a.toml with nodes.count=0: zero nodes");
        assert_eq!((set.line(), set.column()), (None, None));
    }
}
