//! `hearsay db revert`.

use std::io::{IsTerminal, Write, stderr, stdin};

use clap::Args;
use hearsay_chain::BlockId;
use serde::Serialize;

use super::{Console, Failure, Place};
use crate::cli::console::Facts;

/// Take the main chain back to a height
#[derive(Args, Debug)]
#[command(after_help = "\
The blocks above are forgotten, and so are side branches that would win in their place. Final blocks
are never taken back. A node that is started again fetches what its peers have, the same blocks
among them if they still stand.")]
pub(in crate::cli) struct Revert {
    /// The height that will be the tip's
    #[arg(long, value_name = "HEIGHT")]
    to: u64,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct View {
    /// The height before.
    from: u64,
    height: u64,
    tip: BlockId,
    /// Transactions of the blocks taken back.
    transactions: u64,
    /// Blocks beside the main chain that were forgotten as well.
    side_blocks: u64,
}

impl Revert {
    pub(super) fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let mut chain = self.place.find()?.chain(false)?;
        let ends = chain.ends();
        if self.to > ends.final_height && self.to < ends.height && !self.yes {
            confirm(ends.height - self.to, self.to)?;
        }
        let done = chain.revert_to(self.to)?.map_err(|refused| {
            Failure::Failed(format!("the chain was not taken back: {refused}"))
        })?;
        let view = View {
            from: done.previous.height,
            height: done.tip.height,
            tip: done.tip.id,
            transactions: done.transactions,
            side_blocks: done.side_blocks,
        };
        console.show(self.json, &view, |view| {
            Facts::default()
                .with("height before", view.from)
                .with("height", view.height)
                .with("tip", view.tip)
                .with("transactions taken back", view.transactions)
                .with("side blocks forgotten", view.side_blocks)
                .to_string()
        })
    }
}

/// Asks whoever sits at the terminal.
fn confirm(blocks: u64, to: u64) -> Result<(), Failure> {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Err(Failure::Usage(
            "this forgets blocks, and there is no terminal to ask at: say --yes".to_owned(),
        ));
    }
    let blocks = if blocks == 1 { "1 block".to_owned() } else { format!("{blocks} blocks") };
    eprint!("Forget {blocks} above height {to}? [y/N] ");
    stderr().flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::Failed("nothing was changed".to_owned())),
    }
}
