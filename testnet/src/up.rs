//! A testnet that stays: `up` starts it, and it lives on without a terminal until `down`.
//!
//! ```text
//!  up ── starts ──► supervise (a session of its own) ── Lab ── nodes
//!  status, kill, cut, load, … ── control socket ──┘
//! ```
//!
//! Whoever supervises holds a lock in the folder, so that there is one at a time; when it ends in any
//! way, its nodes end with it.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process, setsid};

use crate::cluster::Layout;
use crate::control::{Reply, Server};
use crate::interrupts::Interrupts;
use crate::lab::{self, Ends, Fault, Lab, Stopped};
use crate::manifest::{MANIFEST, Manifest};
use crate::out_dir;
use crate::progress::Phase;
use crate::scenario::Scenario;

/// What the supervisor says to `up` when everything runs.
const READY: &str = "ready";

/// Lines of the supervisor's log that are shown when it did not get that far.
const TAIL: usize = 20;

/// How long a supervisor that was told to end by Ctrl-C may take; stopping the nodes takes eight
/// seconds at most.
const ENDING: Duration = Duration::from_secs(15);

/// Whether there is a testnet in `dir`, running or not.
#[must_use]
pub fn is_testnet(dir: &Path) -> bool {
    dir.join(MANIFEST).exists() || Layout::at(dir.to_owned()).scenario().exists()
}

/// Makes the folder of a new testnet, with its scenario.
///
/// # Errors
/// The folder holds something, or cannot be written.
pub fn make(scenario: &Scenario, out: Option<&Path>) -> anyhow::Result<PathBuf> {
    let dir = out_dir::prepare(out, jiff::Timestamp::now())?;
    std::fs::write(Layout::at(dir.clone()).scenario(), scenario.to_toml())?;
    Ok(dir)
}

/// What can be done with the testnet in `dir`, for whoever has just started it.
#[must_use]
pub fn what_now(dir: &Path) -> String {
    let (ours, dir) = (lab::ours("hearsay-testnet"), lab::quoted(dir));
    format!(
        "\nIt stays up until `{ours} down --out {dir}`. Meanwhile, for example:\n  {ours} load --rate 20 \
         --duration 10s --out {dir}\n  {ours} cut n0 --out {dir}\n  {ours} logs -f --event tip --out \
         {dir}\n  {ours} report --out {dir}"
    )
}

/// Starts the testnet in `dir`, whose scenario is written there, and waits until it runs.
///
/// # Errors
/// It did not come up: why, with the end of what it said.
pub async fn up(dir: &Path) -> anyhow::Result<()> {
    let mut interrupts = Interrupts::listen()?;
    let layout = Layout::at(dir.to_owned());
    let log = File::options().create(true).append(true).open(layout.lab_log())?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("supervise")
        .arg(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("cannot start the supervisor")?;
    let said = child.stdout.take();
    let waiting = tokio::task::spawn_blocking(move || said.is_some_and(became_ready));
    tokio::select! {
        ready = waiting => match ready {
            Ok(true) => Ok(()),
            _ => Err(anyhow!("the testnet did not come up; {}", tail(&layout))),
        },
        () = interrupts.next() => {
            end(&mut child).await;
            bail!("interrupted; nothing of it is left running")
        }
    }
}

fn became_ready(said: impl io::Read) -> bool {
    BufReader::new(said).lines().map_while(Result::ok).any(|line| line == READY)
}

fn tail(layout: &Layout) -> String {
    let path = layout.lab_log();
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(TAIL)..].join("\n");
    format!("the end of {}:\n{last}", path.display())
}

/// Tells the supervisor to end, and waits for that.
async fn end(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself; it is our child and not waited for, so the number is its own.
        let _ = kill_process(pid, Signal::TERM);
    }
    let deadline = tokio::time::Instant::now() + ENDING;
    while matches!(child.try_wait(), Ok(None)) && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until nobody runs the testnet in `dir` any more: whoever did has said so a moment before
/// its end.
///
/// # Errors
/// It still runs after some seconds, or the lock cannot be looked at.
pub async fn gone(dir: &Path) -> anyhow::Result<()> {
    let layout = Layout::at(dir.to_owned());
    let deadline = tokio::time::Instant::now() + ENDING;
    while let Err(error) = lock(&layout) {
        if tokio::time::Instant::now() > deadline {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Runs the testnet in `dir` until it is told to stop. Its stdout is read by [`up`] alone.
///
/// # Errors
/// It did not come up, or something went wrong.
pub async fn supervise(dir: &Path) -> anyhow::Result<()> {
    // A session of its own: the end of the terminal is none of its business. Whoever started it by
    // hand as the leader of a group has one already.
    let _ = setsid();
    let interrupts = Interrupts::listen_detached()?;
    let layout = Layout::at(dir.to_owned());
    let _lock = lock(&layout)?;
    let scenario = read_scenario(&layout)?;
    let (mut lab, exits) = if layout.dir().join(MANIFEST).exists() {
        let before = Manifest::read(dir).with_context(|| format!("{MANIFEST} cannot be read"))?;
        Lab::take_up(dir, scenario, before)?
    } else {
        Lab::prepare(scenario, |_| Ok(dir.to_owned()))?
    };
    let (server, asked) = Server::start(lab.layout.dir())?;
    let mut ends = Ends { exits, interrupts, asked: Some(asked), strict: true };
    let lived = live(&mut lab, &mut ends).await;
    let from_us = lived.as_ref().ok().copied();
    if let Some(from_us) = from_us {
        // Whatever comes in between: the nodes are stopped next.
        let _ = lab.settle(from_us, lab::SETTLE_BRIEFLY, &mut ends).await;
    }
    lab.stop(&mut ends).await;
    if from_us.is_some()
        && let Err(error) = lab.report().await
    {
        lab.fault(Fault::sentence(error.to_string()));
    }
    let faults = lab.faults_text();
    if let Some(reply) = lab.farewell.take() {
        let dir = lab.layout.dir().display();
        let report = if from_us.is_some() {
            format!("; report in {dir}/report.html")
        } else {
            String::new()
        };
        let said = match &faults {
            None => format!("all nodes have stopped{report}"),
            Some(faults) => format!("all nodes have stopped{report}; what went wrong:\n{faults}"),
        };
        // Whoever asked may have gone.
        let _ = reply.send(Reply::Done { said });
        // The answer is on its way by another task: let it go out before the runtime ends.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(server);
    faults.map_or(Ok(()), |faults| Err(anyhow!("{faults}")))
}

/// From the start until the end is asked for. Returns when the nodes were ready.
async fn live(lab: &mut Lab, ends: &mut Ends) -> Result<i64, ()> {
    let ready = async {
        lab.start().await?;
        lab.get_ready().await
    };
    match ends.guard(ready).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let fault = Fault::of_cluster(&lab.layout, &error);
            lab.fault(fault);
            return Err(());
        }
        Err(stopped) => {
            lab.stopped(&stopped, "before the nodes were ready").await;
            return Err(());
        }
    }
    let from_us = lab.now_us();
    lab.phase(Phase::Kept).await;
    // `up` reads no further; it may be gone already.
    let _ = writeln!(io::stdout(), "{READY}");
    let _ = io::stdout().flush();
    ends.strict = false;
    let mut timeline = lab.timeline();
    if let Err(Stopped::Down(reply)) = lab.live(&mut timeline, None, ends).await {
        lab.farewell = Some(reply);
    }
    Ok(from_us)
}

/// Makes sure that nobody else runs the testnet in this folder, for as long as the file is kept.
///
/// # Errors
/// Somebody does, or the system refuses.
pub fn lock(layout: &Layout) -> anyhow::Result<File> {
    let path = layout.lock();
    let file = File::options().create(true).truncate(false).write(true).open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("the testnet in {} is up already", layout.dir().display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// The scenario in a testnet's folder.
///
/// # Errors
/// It is not there, or is none.
pub fn read_scenario(layout: &Layout) -> anyhow::Result<Scenario> {
    let path: PathBuf = layout.scenario();
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    Scenario::parse(&text, &path.display().to_string())
        .map_err(|problems| anyhow!("{}", crate::scenario::list(&problems)))
}
