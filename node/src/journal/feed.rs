//! The thread that reads what a journal held, as fast as the engine takes it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::thread;

use tokio::sync::mpsc;
use tracing::warn;

use super::format::read_add;
use super::live::Place;
use crate::engine::{RESTORE_BATCH, Restored};

/// Reads the transactions at their places, and hands them on in batches. Ends early if nobody takes
/// them any more.
pub(super) fn start(
    file: Arc<File>,
    places: Vec<Place>,
    to: mpsc::Sender<Vec<Restored>>,
) -> io::Result<()> {
    if places.is_empty() {
        return Ok(());
    }
    thread::Builder::new().name("restore".to_owned()).spawn(move || feed(&file, &places, &to))?;
    Ok(())
}

fn feed(file: &File, places: &[Place], to: &mpsc::Sender<Vec<Restored>>) {
    let mut failed = 0_u64;
    let mut bytes = Vec::new();
    for places in places.chunks(RESTORE_BATCH) {
        let mut batch = Vec::with_capacity(places.len());
        for place in places {
            bytes.resize(place.length as usize, 0);
            let read =
                file.read_exact_at(&mut bytes, place.at).ok().and_then(|()| read_add(&bytes));
            match read {
                Some((tx, local, arrived_unix_us)) => {
                    batch.push(Restored { tx, local, arrived_unix_us });
                }
                None => failed += 1,
            }
        }
        if to.blocking_send(batch).is_err() {
            return;
        }
    }
    if failed > 0 {
        warn!(failed, "waiting transactions could not be read from their journal a second time");
    }
}
