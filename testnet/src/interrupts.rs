//! Ctrl-C and its kin. They never end this program by themselves: it stops its nodes first.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Requests to end: SIGINT, SIGTERM and SIGHUP, the last being what a closed terminal sends.
#[derive(Debug)]
pub struct Interrupts {
    count: watch::Receiver<u64>,
    seen: u64,
}

impl Interrupts {
    /// From now on these signals are only counted. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn listen() -> io::Result<Self> {
        Self::listen_to(true)
    }

    /// The same for a program that outlives its terminal: the closing of one is passed over.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn listen_detached() -> io::Result<Self> {
        Self::listen_to(false)
    }

    fn listen_to(hangups: bool) -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let (counter, count) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => if !hangups { continue },
                    () = counter.closed() => return,
                }
                counter.send_modify(|count| *count += 1);
            }
        });
        Ok(Self { count, seen: 0 })
    }

    /// Whether there is a request that nobody has waited for.
    #[must_use]
    pub fn was_asked(&self) -> bool {
        *self.count.borrow() > self.seen
    }

    /// Waits for a request that was not waited for before. Nothing is lost if it is not awaited to
    /// its end.
    pub async fn next(&mut self) {
        let seen = self.seen;
        if self.count.wait_for(|count| *count > seen).await.is_err() {
            // The counting task is gone, which only a runtime that is ending brings about.
            return std::future::pending().await;
        }
        self.seen += 1;
    }
}
