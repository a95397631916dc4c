//! Installing a package with apt, where we may.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};

/// Installs the package without asking anything. False if that is not possible here.
pub(crate) fn install(package: &str) -> bool {
    let Some(prefix) = prefix() else { return false };
    // A list that cannot be fetched, be it of another source, is not yet a failure: the lists that
    // are there may do.
    apt_get(prefix, &["update"]);
    apt_get(prefix, &["install", "-y", "--no-install-recommends", package])
}

/// What to put before apt-get to run it as root, if anything does.
fn prefix() -> Option<&'static [&'static str]> {
    if !quietly(&["apt-get", "--version"]) {
        return None;
    }
    // The owner of a process's folder is its effective user.
    if fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
        return Some(&[]);
    }
    quietly(&["sudo", "-n", "true"]).then_some(&["sudo", "-n"])
}

fn quietly(line: &[&str]) -> bool {
    Command::new(line[0])
        .args(&line[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn apt_get(prefix: &[&str], arguments: &[&str]) -> bool {
    let mut line = prefix.to_vec();
    // Through env, as sudo does not pass our environment on. The lock may be held by the machine's
    // own updates.
    line.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]);
    line.extend(["-o", "DPkg::Lock::Timeout=120"]);
    line.extend(arguments);
    eprintln!("xtask: {}", line.join(" "));
    Command::new(line[0])
        .args(&line[1..])
        .stdin(Stdio::null())
        // Its talk is not our output.
        .stdout(std::io::stderr())
        .status()
        .is_ok_and(|status| status.success())
}
