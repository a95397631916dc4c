//! Brings the view to stderr.

use std::env;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::poll::Polls;
use super::view::{Label, Phase, View};
use crate::load::Counts;
use crate::report::live::Live;

/// The time between two drawings in place.
const REDRAW: Duration = Duration::from_millis(200);

/// The time between two plain lines.
const LINE: Duration = Duration::from_secs(5);

/// Messages to the drawing task; each is handled at once.
const MESSAGES: usize = 16;

/// Where the figures come from.
#[derive(Debug)]
pub struct Sources {
    /// The nodes.
    pub labels: Vec<Label>,
    /// What they say.
    pub polls: Polls,
    /// The tally over their logs.
    pub live: watch::Receiver<Live>,
    /// The load.
    pub load: watch::Receiver<Counts>,
}

#[derive(Debug)]
enum Message {
    Phase(Phase),
    Note(String),
    End(oneshot::Sender<()>),
}

/// Shows progress on stderr until it is ended or dropped.
#[derive(Debug)]
pub struct Progress {
    messages: mpsc::Sender<Message>,
    task: JoinHandle<()>,
}

impl Progress {
    /// Begins to show. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(sources: Sources) -> Self {
        let (messages, queue) = mpsc::channel(MESSAGES);
        let task = tokio::spawn(Screen::new(sources).run(queue));
        Self { messages, task }
    }

    /// Says what is being done from now on.
    pub async fn phase(&self, phase: Phase) {
        self.send(Message::Phase(phase)).await;
    }

    /// Says something that stays on the screen.
    pub async fn note(&self, note: impl Into<String>) {
        self.send(Message::Note(note.into())).await;
    }

    /// Ends showing; what is written to the terminal after this is not drawn over.
    pub async fn end(&self) {
        let (done, wait) = oneshot::channel();
        self.send(Message::End(done)).await;
        // An error means that it has ended already.
        let _ = wait.await;
    }

    async fn send(&self, message: Message) {
        // An error means that it has ended: then there is nothing to show it on.
        let _ = self.messages.send(message).await;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Screen {
    sources: Sources,
    /// None: plain lines.
    bar: Option<ProgressBar>,
    phase: Phase,
    since: Instant,
}

impl Screen {
    fn new(sources: Sources) -> Self {
        Self { sources, bar: fancy().then(bar), phase: Phase::Starting, since: Instant::now() }
    }

    async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut ticks = interval(if self.bar.is_some() { REDRAW } else { LINE });
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is at once, when there is nothing to tell yet.
        ticks.tick().await;
        loop {
            tokio::select! {
                _ = ticks.tick() => self.show(),
                message = messages.recv() => match message {
                    Some(Message::Phase(phase)) => {
                        self.phase = phase;
                        self.since = Instant::now();
                        if self.bar.is_some() {
                            self.show();
                        }
                    }
                    Some(Message::Note(note)) => self.note(&note),
                    Some(Message::End(done)) => {
                        self.clear();
                        // Whoever waited may be gone.
                        let _ = done.send(());
                        return;
                    }
                    None => return self.clear(),
                },
            }
        }
    }

    fn show(&self) {
        let labels = self.sources.labels.iter().cloned();
        let nodes: Vec<_> = labels.zip(self.sources.polls.last()).collect();
        let load = self.sources.load.borrow().clone();
        let view = View {
            phase: self.phase,
            elapsed: self.since.elapsed(),
            live: *self.sources.live.borrow(),
            load: &load,
            nodes: &nodes,
        };
        match &self.bar {
            Some(bar) => bar.set_message(view.block()),
            // A testnet that is kept for hours would fill whatever the lines go to.
            None if self.phase == Phase::Kept => {}
            None => eprintln!("{}", view.line()),
        }
    }

    fn note(&self, note: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{note}")),
            None => eprintln!("{note}"),
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Whether stderr can be redrawn in place, and nobody asked for plain text.
fn fancy() -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    stderr().is_terminal() && !dumb && !set("NO_COLOR")
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.with_style(ProgressStyle::with_template("{msg}").expect("a template without mistakes"))
}
