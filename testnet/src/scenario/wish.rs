//! What is asked of a running testnet, read by the rules of its scenario.

use std::time::Duration;

use super::{Action, LoadPlan, Problem, Scenario};

/// Something to be done now.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// An action.
    Action(Action),
    /// A load that no scenario has.
    Load(LoadPlan),
}

impl Scenario {
    /// Reads the keys of one `[[at]]` entry, without `time`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn wish(&self, _text: &str, _longest: Duration) -> Result<Wish, Vec<Problem>> {
        Err(Vec::new())
    }

    /// In one line.
    #[must_use]
    pub fn summary(&self) -> String {
        self.name.clone()
    }
}

impl Problem {
    /// Without its place.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {hint}", self.message),
            None => self.message.clone(),
        }
    }
}

/// Problems, one a line.
#[must_use]
pub fn list(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}
