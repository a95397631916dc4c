//! Which member is to take a transaction.

use std::convert::Infallible;
use std::str::FromStr;

/// Which member is to take a transaction that is handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taker {
    /// The node that it is handed to.
    Here,
    /// That node or one of its neighbours, whichever has room.
    Auto,
    /// A neighbour, by its name or its peer id.
    Member(String),
}

impl FromStr for Taker {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "here" => Self::Here,
            "auto" => Self::Auto,
            member => Self::Member(member.to_owned()),
        })
    }
}
