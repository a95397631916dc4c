//! `hearsay account`.

use clap::Args;

use super::console::{Console, Facts, units};
use super::failure::Failure;
use super::node::Node;
use super::who::{Home, Who};
use crate::rpc::RpcClient;

/// Show an account's balance and nonce
#[derive(Args, Debug)]
pub(super) struct Account {
    /// An address, or a key of your own by its name or file
    #[arg(value_name = "ADDRESS|KEY")]
    who: Who,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    home: Home,
}

impl Account {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let Self { who, node, home } = self;
        let address = home.address(&who)?;
        let account = node.ask(node.client()?.account_get(address)).await?;
        console.show(node.json, &account, |account| {
            Facts::default()
                .with("address", account.address)
                .with("balance", units(account.balance))
                .with("nonce", account.nonce)
                .with("next nonce", account.next_nonce)
                .with("at height", account.height)
                .to_string()
        })
    }
}
