//! How the verbs reach a testnet that runs: a socket in its folder, one question and one answer, each
//! a line of JSON.
//!
//! Only the user who started the testnet may use it. The socket's path may be longer than the 108
//! bytes that the system allows, so both sides name it through their handle of the folder.

mod client;
mod protocol;
mod server;

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

pub use self::client::{ControlError, ask, is_up};
pub use self::protocol::{Ask, NodeRow, Reply, Status};
pub use self::server::{Asked, Server};

/// The socket's name in the folder of a testnet.
const SOCKET: &str = "control.sock";

/// The longest line that either side reads: the status of a thousand nodes is well below it.
const LONGEST: u64 = 4 << 20;

/// A short path to the socket, good for as long as the handle is kept.
fn socket_in(dir: &Path) -> io::Result<(File, PathBuf)> {
    let handle = File::open(dir)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", handle.as_raw_fd()));
    Ok((handle, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_is_answered_however_deep_the_folder_lies() {
        let home = tempfile::tempdir().unwrap();
        let deep = home.path().join("d".repeat(100)).join("e".repeat(100));
        std::fs::create_dir_all(&deep).unwrap();
        assert!(!is_up(&deep).await);
        let (_server, mut asked) = Server::start(&deep).unwrap();
        let answers = tokio::spawn(async move {
            while let Some(Asked { ask, reply }) = asked.recv().await {
                let Ask::Act { action } = ask else { continue };
                let _ = reply.send(Reply::Done { said: action });
            }
        });
        assert!(is_up(&deep).await);
        let act = Ask::Act { action: "kill = [\"n0\"]".to_owned() };
        let Reply::Done { said } = ask(&deep, &act).await.unwrap() else { panic!("no answer") };
        assert_eq!(said, "kill = [\"n0\"]");
        answers.abort();
    }

    #[tokio::test]
    async fn a_folder_without_a_running_testnet_is_told_in_a_sentence() {
        let home = tempfile::tempdir().unwrap();
        let error = ask(home.path(), &Ask::Status).await.unwrap_err().to_string();
        assert!(error.contains("no testnet runs in"), "{error}");
        // What a supervisor that was killed leaves behind.
        drop(std::os::unix::net::UnixListener::bind(home.path().join(SOCKET)).unwrap());
        let error = ask(home.path(), &Ask::Status).await.unwrap_err().to_string();
        assert!(error.contains("no testnet runs in"), "{error}");
    }

    #[tokio::test]
    async fn garbage_is_answered_with_what_is_wrong_and_does_no_harm() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let home = tempfile::tempdir().unwrap();
        let (_server, mut asked) = Server::start(home.path()).unwrap();
        let mut stream = tokio::net::UnixStream::connect(home.path().join(SOCKET)).await.unwrap();
        stream.write_all(b"{\"verb\":\"dance\"}\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("dance"), "{answer}");
        assert!(asked.try_recv().is_err());
    }
}
