//! `hearsay db export`.

use std::fs::OpenOptions;
use std::path::PathBuf;

use clap::Args;
use hearsay_chain::archive::{self, Exported};
use serde::Serialize;

use super::{Console, Failure, Place, cannot, is_stream, named};
use crate::cli::console::Facts;
use crate::cli::progress::Bar;

/// Write the blocks of the main chain into a file
#[derive(Args, Debug)]
#[command(after_help = "\
A file that holds a part of the same blocks already, cut short or not, is continued where it ends.
The format is documented in chain/src/archive.rs.

Example, without a file between:
  hearsay db export - --data-dir a | hearsay db import - --data-dir b --genesis demo.toml")]
pub(in crate::cli) struct Export {
    /// The file; `-` for standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The first height [default: 1]
    #[arg(long, value_name = "HEIGHT")]
    from: Option<u64>,
    /// The last height [default: the tip's]
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u64>,
    /// The store's own directory, such as a snapshot [default: DATA_DIR/chain]
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct View {
    file: String,
    from: u64,
    to: u64,
    /// Blocks that the file held before.
    before: u64,
    /// Blocks that were added.
    added: u64,
}

impl Export {
    pub(super) fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let found = self.place.find()?.or_at(self.store);
        let store = found.read()?;
        let file = self.file.display().to_string();
        let named = |error| named(&file, error);
        let export =
            archive::Export::new(&store, &found.rules, self.from, self.to).map_err(named)?;
        let (first, last) = export.range();
        let bar = Bar::counting(Some((last + 1).saturating_sub(first)));
        let mut progress = |height: u64| bar.set("exporting", height - first + 1);
        let done = if is_stream(&self.file) {
            archive::export(&export, std::io::stdout().lock(), &mut progress).map_err(named)?
        } else {
            // What is there is looked at before anything of it is changed.
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&self.file)
                .map_err(cannot("write", &self.file))?;
            let done = archive::resume(&export, &file, &mut progress).map_err(named)?;
            file.sync_all().map_err(cannot("write", &self.file))?;
            done
        };
        drop(bar);
        let Exported { before, added, from, to } = done;
        let view = View { file: file.clone(), from, to, before, added };
        if is_stream(&self.file) {
            // Standard output holds the blocks.
            console.say(format_args!("{added} blocks exported, heights {from} to {to}"));
            return Ok(());
        }
        console.show(self.json, &view, |view| {
            Facts::default()
                .with("file", &view.file)
                .with("heights", format_args!("{} to {}", view.from, view.to))
                .with("there before", view.before)
                .with("added", view.added)
                .to_string()
        })
    }
}
