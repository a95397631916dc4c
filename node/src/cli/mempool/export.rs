//! `hearsay mempool export`.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jsonrpsee::http_client::HttpClient;

use super::super::console::Console;
use super::super::failure::Failure;
use super::super::node::Node;
use super::file::{Header, line};
use crate::api::ExportPage;
use crate::rpc::RpcClient;

const EXAMPLES: &str = "\
Examples:
  hearsay mempool export waiting.jsonl
  hearsay mempool export - | hearsay mempool import - --node 127.0.0.1:7790

The file has one JSON value a line: first what it is and of which network, then the transactions.";

/// Write all that waits to a file, in full
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Export {
    /// Where to write it; - is standard output
    file: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    node: Node,
}

impl Export {
    pub(in crate::cli) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let client = self.node.client()?;
        if self.file == Path::new("-") {
            self.pages(&client, |text| console.text(text)).await?;
            return Ok(());
        }
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::Failed(format!(
                "{} exists already; --force replaces it",
                self.file.display()
            )),
            _ => Failure::Failed(format!("cannot write {}: {error}", self.file.display())),
        };
        // A node that cannot be asked leaves what is there as it was.
        let first = self.node.ask(client.mempool_export(None)).await?;
        // What is replaced stays until the new one is whole; a device is written to as it is.
        let is_file = fs::metadata(&self.file).map_or(true, |it| it.is_file());
        let target = fs::canonicalize(&self.file).unwrap_or_else(|_| self.file.clone());
        let mut at = target.clone();
        if self.force && is_file {
            at.as_mut_os_string().push(".part");
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).create_new(!self.force);
        let mut file = BufWriter::new(options.open(&at).map_err(failed)?);
        let write = |text: &str| file.write_all(text.as_bytes()).map_err(failed);
        let written = self.pages_from(first, &client, write).await;
        let written = written
            .and_then(|count| file.flush().map(|()| count).map_err(failed))
            .and_then(|count| match is_file {
                true => file.get_ref().sync_all().map(|()| count).map_err(failed),
                false => Ok(count),
            })
            .and_then(|count| match at == target {
                true => Ok(count),
                false => fs::rename(&at, &target).map(|()| count).map_err(failed),
            });
        if written.is_err() && is_file {
            // It would look like an export, and is a piece of one.
            let _ = fs::remove_file(&at);
        }
        let count = written?;
        console.say(format_args!("wrote {count} transactions to {}", self.file.display()));
        Ok(())
    }

    async fn pages(
        &self,
        client: &HttpClient,
        write: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<u64, Failure> {
        let first = self.node.ask(client.mempool_export(None)).await?;
        self.pages_from(first, client, write).await
    }

    /// Writes one page after the other; gives how many transactions there were.
    async fn pages_from(
        &self,
        mut page: ExportPage,
        client: &HttpClient,
        mut write: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<u64, Failure> {
        write(&line(&Header::new(page.genesis, page.total))?)?;
        let mut count = 0;
        loop {
            count += page.transactions.len() as u64;
            let mut text = String::new();
            for tx in &page.transactions {
                text += &line(tx)?;
            }
            write(&text)?;
            let Some(next) = page.next else { return Ok(count) };
            page = self.node.ask(client.mempool_export(Some(next))).await?;
        }
    }
}
