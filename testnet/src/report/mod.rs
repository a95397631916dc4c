//! The report: what the logs of a testnet say about how transactions and blocks spread.
//!
//! ```text
//!  DIR/n0/events.jsonl ─┐                        ┌─ spread ── copies, stages, journey
//!  DIR/n1/events.jsonl ─┼─ read ── join ── Run ──┼─ pool, forks, chain, wire
//!  DIR/testnet.json ────┘                 window └─ valid
//!                                                      └── Report ── report.json, report.txt
//! ```
//!
//! [`build`] reads the logs that the nodes wrote, joins them by message, and works out the figures.
//! All but the reading is arithmetic over the joined logs. The definition of each figure stands at
//! its field in the types of the report; which messages count, and who is expected to have them, is
//! defined by [`Window`].
//!
//! All nodes of a local testnet run on one machine and share its clock. That is why the time of a
//! receipt at one node may be compared with that of a publication at another, and the report says
//! so.

mod chain;
mod clock;
mod copies;
mod forks;
mod histogram;
mod join;
mod journey;
mod json;
mod line;
pub mod live;
mod manifest;
mod pool;
mod read;
pub(crate) mod run;
mod spread;
mod stages;
mod stats;
mod text;
mod tree;
mod valid;
mod window;
mod wire;
mod words;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hearsay_node::trace::event::Kind;

pub use self::chain::Chain;
pub use self::copies::{FirstBy, ViaCopies};
pub use self::forks::Forks;
pub use self::journey::{Journey, Stage, Step};
pub use self::json::{Assert, BlockFigures, Logs, Report, SCHEMA, TxFigures};
pub use self::pool::Pool;
pub use self::read::ReadError;
pub use self::spread::{Hops, Share, Slowest, Spread, Stretch, ToShare};
pub use self::stages::{Stages, VerdictCount};
pub use self::stats::{Pair, Summary};
pub use self::window::Window;
pub use self::wire::Wire;

pub(crate) use self::read::run as read_run;
pub(crate) use self::stats::ms;
pub(crate) use self::tree::Tree;
pub(crate) use self::words::{verdict_name, via_name};

use self::manifest::Manifest;
use self::run::Run;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The logs cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What the manifest says of the links when it says nothing: nodes on one machine, joined by plain
/// sockets.
const UNSHAPED: &str = "loopback, unshaped";

/// Reads the logs under `dir` and reports on them.
///
/// # Errors
///
/// When the folder or one of the logs cannot be read, or when there is no log. Whatever is wrong
/// *within* a log is no error: it is in [`Report::invalid_reasons`].
pub fn build(dir: &Path) -> Result<Report, ReportError> {
    let run = read::run(dir)?;
    let mut report = assemble(&run, &Manifest::read(dir));
    dir.clone_into(&mut report.dir);
    Ok(report)
}

/// Writes `report.json` and `report.txt` into `dir`, over those that are there.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write(dir: &Path, report: &Report) -> io::Result<()> {
    let mut json = serde_json::to_string_pretty(report)?;
    json.push('\n');
    fs::write(dir.join("report.json"), json)?;
    fs::write(dir.join("report.txt"), report.to_text())
}

/// A report on nothing: it has every field that a report has, so that a name can be looked up before
/// there is anything to report.
pub(crate) fn empty() -> Report {
    assemble(&Run::default(), &Manifest::default())
}

/// Works out the figures.
fn assemble(run: &Run, manifest: &Manifest) -> Report {
    let window = Window::choose(run, manifest);
    let txs = window::counted(run, Kind::Tx, &window);
    let blocks = window::counted(run, Kind::Block, &window);
    let wire = Wire::of(run, &window, &txs, &blocks);
    let spread = |counted| Spread { wire_ratio: wire.ratio, ..spread::spread(run, counted) };
    let invalid_reasons = valid::reasons(run, manifest, &window);
    Report {
        schema: SCHEMA,
        scenario: manifest.scenario.clone(),
        seed: manifest.seed,
        nodes: run.nodes.len() as u64,
        valid: invalid_reasons.is_empty(),
        invalid_reasons,
        measured: true,
        links: manifest.links.clone().unwrap_or_else(|| UNSHAPED.to_owned()),
        clock: "one machine's clock".to_owned(),
        window,
        logs: valid::logs(run),
        tx: TxFigures {
            spread: spread(&txs),
            verdicts: stages::verdicts(run, Kind::Tx, &window),
            pool: Pool::of(&txs),
        },
        block: BlockFigures {
            spread: spread(&blocks),
            verdicts: stages::verdicts(run, Kind::Block, &window),
            rebuilt_share: None,
            compact_ratio: None,
            forks: Forks::of(run, &window, &blocks),
        },
        chain: Chain::of(run, &window),
        wire,
        asserts: Vec::new(),
        dir: PathBuf::new(),
    }
}
