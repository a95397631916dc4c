//! The report against logs written by hand, with answers worked out by hand.

mod afterwards;
mod chain;
mod laws;
mod live;
mod lives;
mod reading;
mod spreading;
mod stages;

use super::testing::{END, Lab, id, peer};
use super::*;
