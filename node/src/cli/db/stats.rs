//! `hearsay db stats`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use hearsay_chain::store::{Ends, Table};
use hearsay_chain::{BlockId, Store, StoreError};
use serde::Serialize;

use super::{Console, Failure, Place, cannot};
use crate::cli::console::{Facts, table};
use crate::cli::progress::Bar;

/// Show the heights, rows and bytes of a store
#[derive(Args, Debug)]
pub(in crate::cli) struct Stats {
    /// The store's own directory, such as a snapshot [default: DATA_DIR/chain]
    #[arg(value_name = "DIR")]
    store: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct View {
    path: String,
    network: String,
    genesis: String,
    height: u64,
    tip: Option<BlockId>,
    final_height: u64,
    /// The lowest height whose transactions are kept.
    first_body: u64,
    side_blocks: u64,
    /// Blocks beside the main chain that no other stands on.
    side_branches: u64,
    evidence: u64,
    /// Files of the store on disk.
    files: u64,
    file_bytes: u64,
    tables: Vec<Rows>,
}

#[derive(Serialize)]
struct Rows {
    name: &'static str,
    rows: u64,
    /// Keys and values as they are written, before compression.
    bytes: u64,
}

impl Stats {
    pub(super) fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let found = self.place.find()?.or_at(self.store);
        let store = found.read()?;
        let bar = Bar::counting(None);
        let tables: Vec<Rows> = Table::ALL
            .into_iter()
            .map(|table| rows(&store, table, &bar))
            .collect::<Result<_, _>>()?;
        drop(bar);
        let (side_blocks, side_branches) = side(&store)?;
        let ends = store.ends()?;
        let (files, file_bytes) = files(&found.path).map_err(cannot("read", &found.path))?;
        let height = |of: fn(Ends) -> u64| ends.map_or(0, of);
        let view = View {
            path: found.path.display().to_string(),
            network: found.genesis().name.clone(),
            genesis: found.rules.id().to_string(),
            height: height(|ends| ends.height),
            tip: ends.map(|ends| ends.tip),
            final_height: height(|ends| ends.final_height),
            first_body: store.first_body()?,
            side_blocks,
            side_branches,
            evidence: tables
                .iter()
                .find(|rows| rows.name == Table::Evidence.name())
                .map_or(0, |rows| rows.rows),
            files,
            file_bytes,
            tables,
        };
        console.show(self.json, &view, human)
    }
}

fn rows(store: &impl Store, table: Table, bar: &Bar) -> Result<Rows, StoreError> {
    let mut counted = Rows { name: table.name(), rows: 0, bytes: 0 };
    store.scan(table, &mut |key, row| {
        counted.rows += 1;
        counted.bytes += (key.len() + row.len()) as u64;
        if counted.rows.is_multiple_of(1_024) {
            bar.set(format!("counting {}", table.name()), counted.rows);
        }
        Ok(())
    })?;
    Ok(counted)
}

/// Blocks beside the main chain, and those of them that are the end of a branch.
fn side(store: &impl Store) -> Result<(u64, u64), StoreError> {
    let blocks = store.side(0, u64::MAX)?;
    let mut parents = BTreeSet::new();
    for (_, id) in &blocks {
        parents.extend(store.header(id)?.map(|header| header.fields.parent));
    }
    let ends = blocks.iter().filter(|(_, id)| !parents.contains(id)).count();
    Ok((blocks.len() as u64, ends as u64))
}

fn files(path: &Path) -> std::io::Result<(u64, u64)> {
    let (mut count, mut bytes) = (0, 0);
    for entry in fs::read_dir(path)? {
        count += 1;
        bytes += entry?.metadata()?.len();
    }
    Ok((count, bytes))
}

fn human(view: &View) -> String {
    let facts = Facts::default()
        .with("store", &view.path)
        .with("network", &view.network)
        .with("genesis", &view.genesis)
        .with("height", view.height)
        .with_some("tip", view.tip)
        .with("final height", view.final_height)
        .with("transactions kept", format_args!("from height {} on", view.first_body))
        .with(
            "side blocks",
            format_args!("{} in {} branches", view.side_blocks, view.side_branches),
        )
        .with("evidence", view.evidence)
        .with("on disk", format_args!("{} bytes in {} files", view.file_bytes, view.files));
    let rows: Vec<_> = view
        .tables
        .iter()
        .map(|rows| [rows.name.to_owned(), rows.rows.to_string(), rows.bytes.to_string()])
        .collect();
    format!("{facts}\n{}", table(["TABLE", "ROWS", "BYTES"], &rows))
}
