//! The side of the testnet.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::getuid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::protocol::{Ask, Reply};
use super::{LONGEST, SOCKET, socket_in};

/// Questions that may wait; whoever asks more waits with them.
const QUEUE: usize = 16;

/// How long a caller may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);

/// The wait after a caller could not be taken.
const AGAIN: Duration = Duration::from_millis(50);

/// A question, and the way back.
#[derive(Debug)]
pub struct Asked {
    /// What is asked.
    pub ask: Ask,
    /// Takes the answer. Dropping it is an answer as well: that the testnet is ending.
    pub reply: oneshot::Sender<Reply>,
}

/// Listens in the folder of a testnet until it is dropped.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Server {
    /// Begins to listen. Whoever calls must be the only one that runs a testnet in `dir`: a socket
    /// that is left there is replaced.
    ///
    /// # Errors
    /// The system refuses.
    pub fn start(dir: &Path) -> io::Result<(Self, mpsc::Receiver<Asked>)> {
        let path = dir.join(SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (_handle, short) = socket_in(dir)?;
        let listener = UnixListener::bind(&short)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let (questions, asked) = mpsc::channel(QUEUE);
        let task = tokio::spawn(listen(listener, questions));
        Ok((Self { path, task }, asked))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        // Whoever finds it later finds nobody behind it, which is as good.
        let _ = fs::remove_file(&self.path);
    }
}

async fn listen(listener: UnixListener, questions: mpsc::Sender<Asked>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files, as a rule: they pass.
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        let questions = questions.clone();
        tokio::spawn(async move {
            // A caller that goes away in between has nothing to be told.
            let _ = serve(stream, questions).await;
        });
    }
}

async fn serve(stream: UnixStream, questions: mpsc::Sender<Asked>) -> io::Result<()> {
    // The file's mode says so already, but for the moment between making and changing it.
    if stream.peer_cred()?.uid() != getuid().as_raw() {
        return Ok(());
    }
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    let mut bounded = (&mut stream).take(LONGEST);
    timeout(PATIENCE, bounded.read_line(&mut line))
        .await
        .map_err(|_| io::ErrorKind::TimedOut)??;
    // Somebody only looked whether anybody is there.
    if line.is_empty() {
        return Ok(());
    }
    let answer = match serde_json::from_str(&line) {
        Ok(ask) => answer(ask, &questions).await,
        Err(error) => Reply::Refused { why: format!("not understood: {error}") },
    };
    let mut answer = serde_json::to_string(&answer)?;
    answer.push('\n');
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await
}

async fn answer(ask: Ask, questions: &mpsc::Sender<Asked>) -> Reply {
    let (reply, answer) = oneshot::channel();
    let ending = || Reply::Refused { why: "the testnet is ending".to_owned() };
    match questions.send(Asked { ask, reply }).await {
        Ok(()) => answer.await.unwrap_or_else(|_| ending()),
        Err(_) => ending(),
    }
}
