//! Where the files of a testnet are.
//!
//! ```text
//! DIR/testnet.json                what was run, and how            (manifest)
//! DIR/scenario.toml               what was asked for
//! DIR/genesis.toml                the network
//! DIR/submitted.txt               when each transaction of the loads was handed in
//! DIR/keys/sender-0.pem …         accounts that send the load
//! DIR/keys/wallet.pem             an account that the load leaves alone
//! DIR/n0/node.pem, authority.pem  a node's keys
//! DIR/n0/node.toml                its settings
//! DIR/n0/events.jsonl             its propagation log
//! DIR/n0/node.log                 what it said on stdout and stderr
//! DIR/report.json, .txt, .html    what came of it
//! DIR/lab.log                     what the testnet said after `up`
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use hearsay_chain::Keypair;
use hearsay_node::genesis_file;

use super::plan::Plan;

/// The name of the file that says when each transaction was handed in.
pub(crate) const SUBMITTED: &str = "submitted.txt";

/// How far back from its end a node's log is read for its last lines.
const TAIL_BYTES: u64 = 8 * 1024;

/// The files of one testnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    dir: PathBuf,
}

impl Layout {
    /// The files below `dir`, which need not exist.
    #[must_use]
    pub fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The testnet's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The genesis.
    #[must_use]
    pub fn genesis(&self) -> PathBuf {
        self.dir.join("genesis.toml")
    }

    /// What was asked for.
    #[must_use]
    pub fn scenario(&self) -> PathBuf {
        self.dir.join("scenario.toml")
    }

    /// What a testnet that runs by itself says.
    #[must_use]
    pub fn lab_log(&self) -> PathBuf {
        self.dir.join("lab.log")
    }

    /// When each transaction of the loads was handed in.
    #[must_use]
    pub fn submitted(&self) -> PathBuf {
        self.dir.join(SUBMITTED)
    }

    /// Held by whoever runs this testnet.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.dir.join("lab.lock")
    }

    /// A node's settings.
    #[must_use]
    pub fn config(&self, name: &str) -> PathBuf {
        self.node(name).join("node.toml")
    }

    /// A node's folder.
    #[must_use]
    pub fn node(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A node's key on the network.
    #[must_use]
    pub fn node_key(&self, name: &str) -> PathBuf {
        self.node(name).join("node.pem")
    }

    /// The key that a node proposes blocks with.
    #[must_use]
    pub fn authority_key(&self, name: &str) -> PathBuf {
        self.node(name).join("authority.pem")
    }

    /// A node's propagation log.
    #[must_use]
    pub fn events(&self, name: &str) -> PathBuf {
        self.node(name).join("events.jsonl")
    }

    /// What a node said.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.node(name).join("node.log")
    }

    /// The key of a sender.
    #[must_use]
    pub fn sender_key(&self, index: usize) -> PathBuf {
        self.dir.join(format!("keys/sender-{index}.pem"))
    }

    /// The key of the account that no load uses.
    #[must_use]
    pub fn wallet_key(&self) -> PathBuf {
        self.dir.join("keys/wallet.pem")
    }

    /// Writes the genesis, the keys of nodes, wallet and the first `senders` senders, and the nodes'
    /// folders.
    ///
    /// # Errors
    /// The file that could not be written, and why.
    pub fn write(&self, plan: &Plan, senders: usize) -> io::Result<()> {
        fs::create_dir_all(self.dir.join("keys")).map_err(about(&self.dir))?;
        genesis_file::write(&self.genesis(), &plan.genesis, false).map_err(io::Error::other)?;
        for (index, key) in plan.senders.iter().take(senders).enumerate() {
            write_key(&self.sender_key(index), key)?;
        }
        write_key(&self.wallet_key(), &plan.wallet)?;
        for node in &plan.nodes {
            let folder = self.node(&node.name);
            fs::create_dir(&folder).map_err(about(&folder))?;
            write_key(&self.node_key(&node.name), &node.identity)?;
            if let Some(authority) = &node.authority {
                write_key(&self.authority_key(&node.name), authority)?;
            }
        }
        Ok(())
    }

    /// The last lines that a node said, at most `lines` of them; empty if there are none.
    #[must_use]
    pub fn log_tail(&self, name: &str, lines: usize) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(self.log(name))?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
            let mut bytes = Vec::new();
            file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let all: Vec<_> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

/// Writes a test key for its owner alone, as the node insists. Unlike a real key's it is not worth
/// a wait for the disk.
fn write_key(path: &Path, key: &Keypair) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(key.to_pem().as_bytes())).map_err(about(path))
}

fn about(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    let path = path.to_owned();
    move |error| io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_a_log_is_its_last_lines() {
        let home = tempfile::tempdir().unwrap();
        let layout = Layout::at(home.path().to_owned());
        assert_eq!(layout.log_tail("n0", 2), "");
        fs::create_dir(layout.node("n0")).unwrap();
        fs::write(layout.log("n0"), "one\n".repeat(5_000) + "two\nthree\n").unwrap();
        assert_eq!(layout.log_tail("n0", 2), "two\nthree");
    }

    #[test]
    fn a_key_file_can_be_read_by_its_owner_alone_and_is_never_replaced() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.pem");
        let key = Keypair::from_seed(&[1; 32]);
        write_key(&path, &key).unwrap();
        assert_eq!(hearsay_node::keyfile::load(&path).unwrap().public(), key.public());
        assert!(write_key(&path, &key).is_err());
    }
}
