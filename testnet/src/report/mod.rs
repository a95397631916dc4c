//! The report: what the logs of a testnet say about how transactions and blocks spread.
//!
//! ```text
//!  DIR/n0/events.jsonl ─┐                        ┌─ spread ── copies, stages, journey, spent
//!  DIR/n1/events.jsonl ─┼─ read ── join ── Run ──┼─ regions, stretch (shortest), link_copies
//!  DIR/testnet.json ────┘                 window ├─ pool, forks, blocks, chain, wire, reconciliation
//!                                                ├─ members, calibration, lag, per_node, valid
//!                                                └─ detail: curves and ways for the page
//!                         Report ── report.json, report.txt, report.html, prometheus, csv
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

mod blocks;
mod calibration;
mod chain;
mod clock;
mod copies;
mod detail;
mod export;
mod forks;
mod histogram;
mod join;
mod journey;
mod json;
mod lag;
mod line;
mod link_copies;
pub mod live;
mod manifest;
mod members;
mod per_node;
mod pool;
mod read;
mod rebuilt;
mod reconciliation;
mod regions;
mod rounds;
pub(crate) mod run;
mod shape;
mod shortest;
mod spent;
mod spread;
mod stages;
mod stats;
mod submitted;
mod text;
mod tree;
mod valid;
mod window;
mod wire;
mod words;
mod words_table;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hearsay_node::trace::event::Kind;

pub use self::blocks::BlockRow;
pub use self::calibration::{
    Calibration, LinkCheck, RATE_BAR_PERCENT, RTT_BAR_MS, RTT_BAR_PERCENT,
};
pub use self::chain::Chain;
pub use self::copies::{FirstBy, ViaCopies};
pub use self::detail::{Arrival, Detail, KindDetail, Way};
pub use self::export::{CSV_COLUMNS, csv, prometheus};
pub use self::forks::Forks;
pub use self::journey::{Journey, Stage, Step};
pub use self::json::{Assert, BlockFigures, Logs, Report, SCHEMA, TxFigures};
pub use self::lag::Lag;
pub use self::link_copies::LinkCopies;
pub use self::members::{End, Members, Mistake, Why};
pub use self::per_node::{LifeSpan, NodeFigures};
pub use self::pool::Pool;
pub use self::read::ReadError;
pub use self::reconciliation::{Reconciliation, Rounds, StrategyRounds};
pub use self::regions::RegionPair;
pub use self::rounds::Rounds as PushRounds;
pub use self::shape::{Access, Action, Cut, OddLink, Pause, Shape};
pub use self::spent::TimeSpent;
pub use self::spread::{Hops, Share, Slowest, Spread, Stretch, ToShare};
pub use self::stages::{Stages, VerdictCount};
pub use self::stats::{Pair, Summary};
pub use self::submitted::Submitted;
pub use self::window::{Part, Window};
pub use self::wire::Wire;

pub(crate) use self::stats::ms;
pub(crate) use self::tree::Tree;
pub(crate) use self::words::{fold, verdict_name, via_name};

use self::forks::Canonical;
use self::manifest::Manifest;
use self::rebuilt::Compactness;
use self::run::Run;
use self::shortest::Shortest;
use self::window::Counted;
use crate::load::Counts;
use crate::page;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The logs cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was made cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
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
    build_part(dir, Part::default())
}

/// As [`build`], of a part of the measured stretch only: for looking at what came before something
/// happened, and after it.
///
/// # Errors
///
/// As [`build`].
pub fn build_part(dir: &Path, part: Part) -> Result<Report, ReportError> {
    let run = read::run(dir)?;
    let mut manifest = Manifest::read(dir);
    if part != Part::default() {
        manifest.measure = Some(part.of(&Window::choose(&run, &manifest)));
    }
    let mut report = assemble(run, &manifest);
    dir.clone_into(&mut report.dir);
    Ok(report)
}

/// Reads the logs under `dir`, and what the manifest says of the nodes.
pub(crate) fn read_run(dir: &Path) -> Result<Run, ReadError> {
    let mut run = read::run(dir)?;
    run.note(&Manifest::read(dir));
    Ok(run)
}

/// Writes `report.json`, `report.txt` and `report.html` into `dir`, over those that are there.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write(dir: &Path, report: &Report) -> io::Result<()> {
    let mut json = serde_json::to_string_pretty(report)?;
    json.push('\n');
    fs::write(dir.join("report.json"), json)?;
    fs::write(dir.join("report.txt"), report.to_text())?;
    fs::write(dir.join("report.html"), page::report(report))
}

/// A report on nothing: it has every field that a report can have, so that a name can be looked up
/// before there is anything to report. Only single figures are null.
pub(crate) fn empty() -> Report {
    let text = || Some(String::new());
    let mut report = Report {
        scenario: text(),
        description: text(),
        mode: text(),
        shape: Some(Shape { profile: text(), ..Shape::default() }),
        calibration: Some(Calibration::default()),
        load: Some(Counts::default()),
        submitted: Some(Submitted::default()),
        rounds: Some(PushRounds::default()),
        members: Some(Members::default()),
        ..assemble(Run::default(), &Manifest::default())
    };
    for spread in [&mut report.tx.spread, &mut report.block.spread] {
        let journey = Some(Journey::default());
        spread.slowest = Some(Slowest { journey, ..Slowest::default() });
    }
    report
}

/// Works out the figures.
fn assemble(mut run: Run, manifest: &Manifest) -> Report {
    run.note(manifest);
    let run = &run;
    let window = Window::choose(run, manifest);
    let txs = window::counted(run, Kind::Tx, &window);
    let blocks = window::counted(run, Kind::Block, &window);
    let wire = Wire::of(run, &window, &txs, &blocks);
    let shortest = Shortest::of(run, manifest);
    let spread = |counted: &[Counted<'_>]| Spread {
        wire_ratio: wire.ratio,
        stretch: shortest.as_ref().map(|paths| paths.stretch(counted)).unwrap_or_default(),
        by_region: shortest
            .as_ref()
            .map(|paths| regions::latencies(paths, counted))
            .unwrap_or_default(),
        by_link: link_copies::by_link(run, counted),
        where_time_went: spent::where_time_went(run, counted),
        ..spread::spread(run, counted)
    };
    let chain = Canonical::of(run, &window);
    let calibration = manifest.calibration.as_deref().map(Calibration::of);
    let one_process = manifest.mode.as_deref() == Some("in-process");
    let lag = Lag::of(run, &window, manifest.lag_limit_us, one_process);
    let mut invalid_reasons = valid::reasons(run, manifest, &window);
    invalid_reasons.extend(calibration.as_ref().and_then(Calibration::reason));
    invalid_reasons.extend(lag.reason());
    let compactness = Compactness::of(&blocks);
    let shaped = || manifest.shape.as_ref().map(Shape::words);
    Report {
        schema: SCHEMA,
        scenario: manifest.scenario.clone(),
        seed: manifest.seed,
        nodes: run.nodes.len() as u64,
        valid: invalid_reasons.is_empty(),
        invalid_reasons,
        measured: true,
        links: manifest.links.clone().or_else(shaped).unwrap_or_else(|| UNSHAPED.to_owned()),
        clock: "one machine's clock".to_owned(),
        description: manifest.description.clone(),
        mode: manifest.mode.clone(),
        dilation: manifest.dilation.unwrap_or(1),
        shape: manifest.shape.clone(),
        calibration,
        load: manifest.load.clone(),
        submitted: Submitted::of(run, manifest, &window),
        rounds: PushRounds::of(run, manifest, &txs),
        lag,
        detail: Detail::of(run, manifest, &window, &txs, &blocks),
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
            rebuilt_share: compactness.rebuilt_share,
            compact_ratio: compactness.compact_ratio,
            forks: Forks::of(&chain, run, &window, &blocks),
            time_line: blocks::time_line(run, &chain, &window),
        },
        chain: Chain::of(run, &window),
        wire,
        reconciliation: Reconciliation::of(run, &window),
        members: Members::of(run, manifest, &window),
        per_node: NodeFigures::of(run, manifest, &window, &txs, &blocks),
        actions: manifest.actions.clone(),
        pauses: manifest.pauses.clone(),
        cuts: manifest.cuts.clone(),
        asserts: Vec::new(),
        dir: PathBuf::new(),
    }
}
