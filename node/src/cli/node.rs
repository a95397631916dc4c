//! How a command reaches its node.

use std::future::Future;

use clap::Args;
use jsonrpsee::core::client::Error as ClientError;
use jsonrpsee::http_client::HttpClient;

use super::failure::Failure;
use crate::rpc::{self, CallError, NodeUrl};

/// The flags of every command that asks a node.
#[derive(Args, Clone, Debug)]
pub(super) struct Node {
    /// The node to ask: a URL, or HOST:PORT
    #[arg(
        long = "node",
        env = "HEARSAY_NODE",
        value_name = "URL",
        default_value = "http://127.0.0.1:7780"
    )]
    url: NodeUrl,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Node {
    pub(super) fn client(&self) -> Result<HttpClient, Failure> {
        rpc::connect(&self.url).map_err(|error| Failure::of_call(&self.url, error))
    }

    /// Waits for a call's answer.
    pub(super) async fn ask<T>(
        &self,
        call: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, Failure> {
        call.await.map_err(|error| self.failure(error.into()))
    }

    /// What a failed call means for the command.
    pub(super) fn failure(&self, error: CallError) -> Failure {
        Failure::of_call(&self.url, error)
    }
}

/// Runs a command that asks a node. One thread is enough for one question at a time.
pub(super) fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("cannot start: {error}")))?
        .block_on(command)
}
