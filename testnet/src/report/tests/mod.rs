//! The report against logs written by hand, with answers worked out by hand.

mod afterwards;
mod blocks;
mod chain;
mod export;
mod golden;
mod laws;
mod live;
mod lives;
mod measuring;
mod members;
mod reading;
mod reconciling;
mod running;
mod shaped;
mod spreading;
mod stages;
mod starved;

use super::testing::{END, Lab, id, peer};
use super::*;
