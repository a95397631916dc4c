//! `hearsay db check`.

use std::path::PathBuf;

use clap::Args;
use hearsay_chain::audit::{Audit, Options, audit};
use serde::Serialize;

use super::{Console, Failure, Place};
use crate::cli::console::Facts;
use crate::cli::progress::Bar;

/// Verify every link, root and index of a store, and change nothing
#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes: 0 nothing is wrong, 1 something is, or the store cannot be opened.

A node must not run on the store meanwhile. Of a running node, check a snapshot:
  hearsay db snapshot now
  hearsay db check ~/.hearsay/data/snapshots/now")]
pub(in crate::cli) struct Check {
    /// The store's own directory, such as a snapshot [default: DATA_DIR/chain]
    #[arg(value_name = "DIR")]
    store: Option<PathBuf>,
    /// Leave the signatures of transactions out, which takes most of the time
    #[arg(long)]
    no_signatures: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct View {
    path: String,
    clean: bool,
    #[serde(flatten)]
    audit: Audit,
}

impl Check {
    pub(super) fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let found = self.place.find()?.or_at(self.store);
        let store = found.read()?;
        let options = Options { signatures: !self.no_signatures };
        let bar = Bar::counting(Some(0));
        let audit = audit(&store, &found.rules, options, &mut |progress| bar.audit(progress))?;
        drop(bar);
        let path = found.path.display().to_string();
        let view = View { clean: audit.is_clean(), path, audit };
        console.show(self.json, &view, human)?;
        match view.audit.findings_total {
            0 => Ok(()),
            count => Err(Failure::Failed(format!(
                "{}: {count} {} wrong: restore the store from a snapshot, or move it away and \
                 start with an empty directory, which fills from other nodes",
                view.path,
                if count == 1 { "thing is" } else { "things are" }
            ))),
        }
    }
}

fn human(view: &View) -> String {
    let Audit { findings, findings_total, .. } = &view.audit;
    let facts = Facts::default()
        .with("store", &view.path)
        .with("blocks", view.audit.blocks)
        .with("side blocks", view.audit.side_blocks)
        .with("transactions", view.audit.transactions)
        .with("accounts", view.audit.accounts)
        .with("signatures", view.audit.signatures)
        .with("size", format_args!("{} bytes", view.audit.bytes))
        .with("findings", findings_total);
    let mut text = facts.to_string();
    for finding in findings {
        text += &format!("{finding}\n");
    }
    if *findings_total > findings.len() as u64 {
        text += &format!("… and {} more\n", findings_total - findings.len() as u64);
    }
    text
}
