//! What is seen while a testnet runs: a thread follows the nodes' logs, a task asks the nodes how
//! they are, and a few lines on stderr show both.
//!
//! On a terminal the lines are redrawn in place. On a pipe, a dumb terminal or with `NO_COLOR` there
//! is one plain line every few seconds instead.

mod poll;
mod screen;
mod tail;
mod view;

pub use self::poll::Polls;
pub use self::screen::{Progress, Sources};
pub use self::tail::Tail;
pub use self::view::{Label, Phase, View};
