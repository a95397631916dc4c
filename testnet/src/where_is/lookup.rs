//! From what the user typed to one message.

use std::fmt;
use std::ops::Bound;

use hearsay_node::trace::event::Kind;
use serde::Serialize;

use crate::report::run::Run;

/// The shortest beginning of an id that is looked up.
const SHORTEST: usize = 4;

/// Ids that an error lists.
const LISTED: usize = 5;

/// An id that may have been meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// What it is.
    pub kind: Kind,
    /// The whole id.
    pub id: String,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// Why what was typed is not one message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// It cannot be the beginning of an id.
    #[error(
        "{given:?} is no id: give {SHORTEST} to 64 hex digits of a transaction's or a block's id"
    )]
    NotAnId {
        /// What was typed.
        given: String,
    },
    /// No message has such an id.
    #[error("no message begins with {given}{}", listing("; the closest:", candidates, 0))]
    Unknown {
        /// What was typed.
        given: String,
        /// The ids that share the most digits with it.
        candidates: Vec<Candidate>,
    },
    /// More than one message has such an id.
    #[error("{given} is not enough to go by{}", listing(":", candidates, *more))]
    Ambiguous {
        /// What was typed.
        given: String,
        /// The first of the ids that begin so.
        candidates: Vec<Candidate>,
        /// How many more there are.
        more: usize,
    },
}

fn listing(head: &str, candidates: &[Candidate], more: usize) -> String {
    if candidates.is_empty() {
        return String::new();
    }
    let mut text = head.to_owned();
    for candidate in candidates {
        text += &format!("\n  {candidate}");
    }
    if more > 0 {
        text += &format!("\n  and {more} more");
    }
    text
}

/// The one message whose id is or begins with `given`.
pub(super) fn resolve(run: &Run, given: &str) -> Result<(Kind, String), LookupError> {
    let wanted = given.trim().to_ascii_lowercase();
    let is_hex = wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex || !(SHORTEST..=64).contains(&wanted.len()) {
        let given = given.to_owned();
        return Err(LookupError::NotAnId { given });
    }
    let beginning = |kind| {
        let from_it = (Bound::Included(&*wanted), Bound::Unbounded);
        let later = run.messages(kind).range::<str, _>(from_it);
        let begins = later.map(|(id, _)| id).take_while(|id| id.starts_with(&wanted));
        begins.map(move |id| (kind, &**id))
    };
    let mut found: Vec<(Kind, &str)> = beginning(Kind::Tx).chain(beginning(Kind::Block)).collect();
    if let Some(whole) = found.iter().position(|(_, id)| *id == wanted) {
        found = vec![found[whole]];
    }
    match *found {
        [(kind, id)] => Ok((kind, id.to_owned())),
        [] => Err(LookupError::Unknown { candidates: closest(run, &wanted), given: wanted }),
        _ => Err(LookupError::Ambiguous {
            given: wanted,
            more: found.len().saturating_sub(LISTED),
            candidates: found.into_iter().take(LISTED).map(candidate).collect(),
        }),
    }
}

fn candidate((kind, id): (Kind, &str)) -> Candidate {
    let id = id.to_owned();
    Candidate { kind, id }
}

/// The ids that share the most leading digits with `wanted`, and at least one.
fn closest(run: &Run, wanted: &str) -> Vec<Candidate> {
    let shared = |id: &str| {
        let pairs = id.bytes().zip(wanted.bytes());
        pairs.take_while(|(one, other)| one == other).count()
    };
    let of_kind = |kind| run.messages(kind).keys().map(move |id| (kind, &**id));
    let all = of_kind(Kind::Tx).chain(of_kind(Kind::Block));
    let mut ranked: Vec<(usize, (Kind, &str))> = all.map(|one| (shared(one.1), one)).collect();
    let most = ranked.iter().map(|ranked| ranked.0).max().unwrap_or(0);
    ranked.retain(|(shared, _)| *shared == most && most > 0);
    let close = ranked.into_iter().take(LISTED);
    close.map(|(_, one)| candidate(one)).collect()
}
