//! `hearsay db import`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;

use clap::Args;
use hearsay_chain::BlockId;
use hearsay_chain::archive::{self, Imported};
use jiff::Timestamp;
use serde::Serialize;

use super::{Console, Failure, Place, cannot, is_stream, named};
use crate::cli::console::Facts;
use crate::cli::progress::Bar;
use crate::engine::CLOCK_TOLERANCE_MS;

/// Bytes read at once.
const BUFFER_BYTES: usize = 1 << 20;

/// Take in the blocks of a file that `hearsay db export` wrote
#[derive(Args, Debug)]
#[command(after_help = "\
Every block is checked as if a peer had sent it. Blocks that the store has already are passed over,
so an import that was interrupted goes on when it is started again. A file that is damaged or cut
short stops it with the height; what comes before is kept. The store is made if there is none.")]
pub(in crate::cli) struct Import {
    /// The file; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct View {
    file: String,
    /// Blocks that were here before.
    known: u64,
    /// Blocks that were taken.
    added: u64,
    height: u64,
    tip: BlockId,
    final_height: u64,
}

impl Import {
    pub(super) fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let found = self.place.find()?;
        let (input, total): (Box<dyn Read>, _) = if is_stream(&self.file) {
            (Box::new(std::io::stdin().lock()), None)
        } else {
            let file = File::open(&self.file).map_err(cannot("read", &self.file))?;
            let length = file.metadata().map_err(cannot("read", &self.file))?.len();
            (Box::new(file), Some(length))
        };
        let mut chain = found.chain(true)?;
        chain.keep_bodies(found.settings.keep_bodies);
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
        let latest_slot = found.genesis().slot_at(now.saturating_add(CLOCK_TOLERANCE_MS));
        let bar = Bar::bytes(total);
        let mut last = Imported::default();
        let input = BufReader::with_capacity(BUFFER_BYTES, input);
        let done = archive::import(&mut chain, input, latest_slot, &mut |done| {
            bar.set(format!("importing, height {}", done.height), done.bytes);
            last = *done;
        });
        drop(bar);
        let file = self.file.display().to_string();
        let done = done.map_err(|error| {
            let height = chain.ends().height;
            match named(&file, error) {
                Failure::Failed(told) => {
                    Failure::Failed(format!("{told} (the chain is at height {height})"))
                }
                other => other,
            }
        })?;
        let ends = chain.ends();
        let view = View {
            file,
            known: done.known,
            added: done.added,
            height: ends.height,
            tip: ends.tip,
            final_height: ends.final_height,
        };
        console.show(self.json, &view, |view| {
            Facts::default()
                .with("file", &view.file)
                .with("known before", view.known)
                .with("added", view.added)
                .with("height", view.height)
                .with("tip", view.tip)
                .with("final height", view.final_height)
                .to_string()
        })
    }
}
