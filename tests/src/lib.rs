//! What the tests of real nodes share: finding the programs, running them, and waiting on state
//! with a deadline.

pub mod attacker;
pub mod hostile;
pub mod makers;
pub mod peer;
pub mod storm;

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it. Generous, as machines are shared; a
/// test that passes waits only as long as it must.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A program of this workspace, built beside the tests, which are a folder below, or beside the
/// program that runs.
///
/// # Panics
/// It was not built: `cargo xtask test` builds it first.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a running program has a path");
    let beside = this.parent().unwrap_or(Path::new("."));
    let above = beside.parent().filter(|_| beside.ends_with("deps"));
    let path = above.unwrap_or(beside).join(name);
    assert!(path.exists(), "{} is missing; `cargo build --workspace` makes it", path.display());
    path
}

/// A port of the loopback address that was free a moment ago.
///
/// # Panics
/// There is none.
#[must_use]
pub fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    socket.expect("a free port").port()
}

/// Runs a program of this workspace to its end.
///
/// # Panics
/// It cannot be started.
pub fn run<S: AsRef<OsStr>>(name: &str, args: impl IntoIterator<Item = S>) -> Output {
    Command::new(program(name)).args(args).env("NO_COLOR", "1").output().expect("it starts")
}

/// What a program wrote on stdout, once it ended well.
///
/// # Panics
/// It ended with another code than 0.
#[must_use]
pub fn stdout(output: &Output) -> String {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\nstdout: {out}\nstderr: {err}", output.status);
    out.into_owned()
}

/// Asks again and again until there is an answer, and gives up after [`DEADLINE`].
///
/// # Panics
/// There was none in time; `what` names it.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
