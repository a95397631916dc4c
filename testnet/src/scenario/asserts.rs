//! What a report must say for a scenario to have gone well.

use std::fmt;

use serde_json::Value;

/// The assertions of a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asserts {
    /// Each with the report's field that it is about.
    pub list: Vec<Assertion>,
}

/// One assertion.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// The report's field, dotted: `tx.latency_ms.p99`.
    pub field: String,
    /// What it must be.
    pub check: Check,
}

/// What a field must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// This.
    Is(Value),
    /// Below this.
    Below(f64),
    /// This or below.
    AtMost(f64),
    /// Above this.
    Above(f64),
    /// This or above.
    AtLeast(f64),
    /// Between these two, both included.
    Between(f64, f64),
}

/// Whether one assertion held.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What was asserted: `tx.latency_ms.p99 < 800`.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// What the report says; none when it has no such field.
    pub found: Option<Value>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Asserts {
    /// Holds the assertions against a report's JSON.
    #[must_use]
    pub fn evaluate(&self, _report: &Value) -> Vec<Outcome> {
        Vec::new()
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
