//! x
pub struct Chain;
