//! What the page shows beyond the figures: arrival curves, and the ways of some messages.
//!
//! It is no part of `report.json`, as it would be of no bounded size there.

/// Curves and ways, bounded however long the run was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detail {}
