//! What the kernel says of a process.

pub(super) use crate::processor::time_s as cpu_seconds;
use anyhow::Context;

/// The most memory that a process had resident until now, in MiB. A process is its number, or
/// `self`.
pub(super) fn peak_memory(process: &str) -> anyhow::Result<f64> {
    Ok(memory(process, "VmHWM:")? / 1024.0)
}

/// Resident memory of this process, in kB.
pub(super) fn resident() -> anyhow::Result<u64> {
    Ok(memory("self", "VmRSS:")? as u64)
}

fn memory(process: &str, what: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    let kb = line.and_then(|line| line.split_whitespace().next());
    Ok(kb.with_context(|| format!("the kernel does not tell {what}"))?.parse()?)
}
