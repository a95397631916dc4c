//! Tests: a simulator of many routers under virtual time, and hostile peers.

mod bounds;
mod calm;
mod faults;
mod floods;
mod measure;
mod rules;
mod sim;
mod turns;
