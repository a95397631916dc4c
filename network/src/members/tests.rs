//! The whole machine: many of them over links with delays, under virtual time.

mod detect;
mod heal;
mod hostile;
mod join;
mod merge;
mod quiet;
mod sim;
