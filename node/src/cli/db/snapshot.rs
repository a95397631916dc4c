//! `hearsay db snapshot`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use hearsay_chain::store::RocksStore;
use jiff::Timestamp;

use super::{Console, Failure, Found, Place};
use crate::api::SnapshotView;
use crate::cli::console::Facts;
use crate::rpc::{self, NodeUrl, RpcClient};
use crate::snapshots::{self, is_name};

/// Copy the store as it is at this moment, while its node runs or not
#[derive(Args, Debug)]
#[command(after_help = "\
It shares files with the store by hard links, so it is quick and takes little room at first. A running
node takes it itself, and only below DATA_DIR/snapshots. Check it and start a new node from it:
  hearsay db snapshot today
  hearsay db check ~/.hearsay/data/snapshots/today
  hearsay run --snapshot ~/.hearsay/data/snapshots/today --data-dir b --genesis demo.toml")]
pub(in crate::cli) struct Snapshot {
    /// A name, for DATA_DIR/snapshots/NAME; or, if no node runs, the path of a new directory
    /// [default: the time]
    #[arg(value_name = "DIR")]
    to: Option<PathBuf>,
    /// The running node [default: as the settings' rpc says]
    #[arg(long = "node", env = "HEARSAY_NODE", value_name = "URL")]
    url: Option<NodeUrl>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl Snapshot {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let found = self.place.find()?;
        let to = self
            .to
            .unwrap_or_else(|| Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string().into());
        let view = if RocksStore::is_open_elsewhere(&found.path) {
            let url = match self.url {
                Some(url) => url,
                None => found.settings.rpc.to_string().parse().map_err(Failure::Usage)?,
            };
            by_node(&url, &to, &found, console).await?
        } else {
            by_ourselves(&found, &to)?
        };
        console.show(self.json, &view, |view| {
            Facts::default()
                .with("snapshot", &view.path)
                .with("size", format_args!("{} bytes in {} files", view.bytes, view.files))
                .to_string()
        })
    }
}

async fn by_node(
    url: &NodeUrl,
    to: &Path,
    found: &Found,
    console: &mut Console<'_>,
) -> Result<SnapshotView, Failure> {
    let Some(name) = to.to_str().filter(|name| is_name(name)) else {
        return Err(Failure::Usage(format!(
            "a running node has the store open, and takes snapshots below {} alone: give a name of \
             letters, digits, `-`, `_` and `.`, or stop the node",
            snapshots::directory(&found.settings.data_dir).display()
        )));
    };
    let client = rpc::connect(url).map_err(|error| Failure::of_call(url, error))?;
    let view = client
        .db_snapshot(name.to_owned())
        .await
        .map_err(|error| Failure::of_call(url, error.into()))?;
    let ours = fs::canonicalize(&found.settings.data_dir);
    if !ours.is_ok_and(|ours| Path::new(&view.path).starts_with(ours)) {
        console.say(format_args!(
            "note: the node at {url} keeps its data elsewhere, so this is not a snapshot of {}; \
             --node names another node",
            found.path.display()
        ));
    }
    Ok(view)
}

fn by_ourselves(found: &Found, to: &Path) -> Result<SnapshotView, Failure> {
    let chain = found.chain(false)?;
    let taker = chain.store().snapshots();
    let result = match to.to_str().filter(|name| is_name(name)) {
        Some(name) => {
            snapshots::take_into(&taker, &snapshots::directory(&found.settings.data_dir), name)
        }
        None => match (to.parent(), to.file_name().and_then(|name| name.to_str())) {
            (Some(parent), Some(name)) => snapshots::take_into(&taker, parent, name),
            _ => return Err(Failure::Usage(format!("{} names no directory", to.display()))),
        },
    };
    result.map_err(|error| Failure::Failed(error.to_string()))
}
