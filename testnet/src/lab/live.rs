//! The loop of a running testnet: timed actions at their times, questions, and whatever ends it early.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{Fault, Lab, talk};
use crate::cluster::Exit;
use crate::control::{Ask, Asked, Reply};
use crate::interrupts::Interrupts;
use crate::scenario::TimedAction;

/// What may come in between.
#[derive(Debug)]
pub struct Ends {
    /// Nodes that end.
    pub exits: mpsc::UnboundedReceiver<Exit>,
    /// Requests to end.
    pub interrupts: Interrupts,
    /// Questions from outside, if anybody can ask.
    pub asked: Option<mpsc::Receiver<Asked>>,
    /// Whether a node that dies ends the run; else it is only noted.
    pub strict: bool,
}

/// Why some work was given up.
#[derive(Debug)]
pub enum Stopped {
    /// Somebody asked for the end.
    Interrupted,
    /// Somebody asked for it over the control socket, and waits for it.
    Down(tokio::sync::oneshot::Sender<Reply>),
    /// A node died.
    Died(Exit),
}

impl Ends {
    /// Does `work`, unless something ends it early.
    ///
    /// # Errors
    /// What it was.
    pub async fn guard<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        tokio::pin!(work);
        loop {
            let asked = tokio::select! {
                biased;
                () = self.interrupts.next() => return Err(Stopped::Interrupted),
                Some(exit) = self.exits.recv(), if self.strict => return Err(Stopped::Died(exit)),
                done = &mut work => return Ok(done),
                asked = next_asked(&mut self.asked) => asked,
            };
            if asked.ask == Ask::Down {
                return Err(Stopped::Down(asked.reply));
            }
            let why = "the testnet is starting or ending; ask again in a moment".to_owned();
            // Whoever asked may have gone.
            let _ = asked.reply.send(Reply::Refused { why });
        }
    }
}

async fn next_asked(asked: &mut Option<mpsc::Receiver<Asked>>) -> Asked {
    let next = match asked {
        Some(asked) => asked.recv().await,
        None => None,
    };
    match next {
        Some(asked) => asked,
        None => std::future::pending().await,
    }
}

/// The actions of a scenario that have yet to be done.
#[derive(Debug)]
pub(crate) struct Timeline {
    start: Instant,
    dilation: u32,
    left: VecDeque<TimedAction>,
}

impl Timeline {
    /// All actions of a scenario that begins now.
    pub(crate) fn new(actions: &[TimedAction], dilation: u32) -> Self {
        Self { start: Instant::now(), dilation, left: actions.iter().cloned().collect() }
    }

    /// The real moment of one in the scenario.
    pub(crate) fn at(&self, told: Duration) -> Instant {
        self.start + told * self.dilation
    }

    fn next(&self) -> Option<Instant> {
        self.left.front().map(|timed| self.at(timed.at))
    }
}

impl Lab {
    /// Lives until `until`, or, without it, until something ends it.
    ///
    /// # Errors
    /// What ended it early. A timed action that could not be done is a fault and the rest goes on.
    pub(crate) async fn live(
        &mut self,
        timeline: &mut Timeline,
        until: Option<Instant>,
        ends: &mut Ends,
    ) -> Result<(), Stopped> {
        enum Came {
            Interrupt,
            Exit(Exit),
            Ask(Asked),
            Due,
            End,
        }
        loop {
            let never = Instant::now() + Duration::from_secs(u64::from(u32::MAX));
            let (next, end) = (timeline.next().unwrap_or(never), until.unwrap_or(never));
            let came = tokio::select! {
                biased;
                () = ends.interrupts.next() => Came::Interrupt,
                Some(exit) = ends.exits.recv() => Came::Exit(exit),
                () = sleep_until(next), if next <= end => Came::Due,
                () = sleep_until(end) => Came::End,
                asked = next_asked(&mut ends.asked) => Came::Ask(asked),
            };
            match came {
                Came::Interrupt => return Err(Stopped::Interrupted),
                Came::Exit(exit) if ends.strict && self.is_current(&exit) => {
                    return Err(Stopped::Died(exit));
                }
                Came::Exit(exit) => self.died(&exit, "while the testnet ran").await,
                Came::Due => {
                    if let Some(timed) = timeline.left.pop_front() {
                        self.act_in_time(&timed).await;
                    }
                }
                Came::End => return Ok(()),
                Came::Ask(asked) => {
                    if let Some(stopped) = self.answer(asked).await {
                        return Err(stopped);
                    }
                }
            }
        }
    }

    /// Whether an end is that of the node as it is now, and not of one that was started anew since.
    fn is_current(&self, exit: &Exit) -> bool {
        self.cluster.seats()[exit.node].is_current(exit)
    }

    async fn act_in_time(&mut self, timed: &TimedAction) {
        let at = timed.at.as_secs_f64();
        match self.act(&timed.action).await {
            Ok(what) => self.note(format!("{at:>5.1} s  {what}")).await,
            Err(why) => {
                let what = format!("the action at {at} s was not done: {why}");
                self.note(what.clone()).await;
                self.fault(Fault::sentence(what));
            }
        }
    }

    /// Notes that a node ended that nobody had asked to, and says so at once.
    pub(crate) async fn died(&mut self, exit: &Exit, when: &str) {
        if !self.cluster.seat(exit.node).ended(exit) {
            return;
        }
        let name = self.name(exit.node);
        self.tail.gone(&name);
        self.record_death(exit.node, exit.end.to_string());
        let what = format!("{name} died {when}: {}", exit.end);
        let fault = Fault::of_node(&self.layout, &name, what);
        self.note(talk::at_once(&fault)).await;
        self.fault(fault);
        self.write_manifest();
    }

    /// Notes that work was given up, and says so at once.
    pub(crate) async fn stopped(&mut self, stopped: &Stopped, when: &str) {
        match stopped {
            Stopped::Died(exit) => self.died(exit, when).await,
            Stopped::Interrupted => {
                let what = format!("interrupted {when}");
                self.note(what.clone()).await;
                self.fault(Fault { interruption: true, ..Fault::sentence(what) });
            }
            Stopped::Down(_) => {}
        }
    }
}
