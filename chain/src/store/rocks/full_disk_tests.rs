//! A full disk, and directories of another user: both need a child process.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::testing::{
    assert_refused, child_of, copy_of, fingerprint, open, refusal, store_of, work_of_child,
};
use crate::store::suite::{assert_grown, assert_tip, chain_of, growth};
use crate::store::{Changes, Store, StoreError};

/// Fills a disk to the last byte.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [64 << 10, 1 << 10, 1] {
        while file.write(&vec![1; size]).is_ok_and(|written| written > 0) {}
    }
}

/// Runs in a child that has a small disk of its own.
#[test]
#[ignore = "runs in a child process of another test"]
fn meets_a_full_disk() {
    let Some(disk) = work_of_child() else { return };
    let (path, filling) = (disk.join("store"), disk.join("filling"));
    let blocks = chain_of(400);

    fill(&filling);
    let before = fingerprint(&disk).len();
    let why = refusal(&path);
    assert!(why.contains("the disk is full") && why.contains("free some space"), "{why}");
    assert_eq!(fingerprint(&disk).len(), before, "something was left behind");
    fs::remove_file(&filling).unwrap();

    let mut store = open(&path).unwrap();
    store.commit(growth(&blocks[0])).unwrap();
    drop(store);
    fill(&filling);
    assert_refused(&path, &["the disk is full"]);
    fs::remove_file(&filling).unwrap();

    let mut store = open(&path).unwrap();
    fill(&filling);
    let mut done = 1;
    let error = loop {
        let batch = Changes { blocks: blocks[1..].to_vec(), ..growth(&blocks[done]) };
        match store.commit(batch) {
            Ok(()) => done += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    assert!(error.to_string().contains("No space left"), "{error}");

    // Without room it goes on being read, and takes nothing.
    for _ in 0..2 {
        let error = store.recover().unwrap_err();
        assert!(matches!(error, StoreError::Full(_)), "{error}");
        assert_tip(&store, &blocks[done - 1]);
        assert!(matches!(store.commit(growth(&blocks[done])), Err(StoreError::Full(_))));
    }
    // A copy of the full disk, as a kill would leave it, has every commit that returned.
    let killed = copy_of(&path);
    let reopened = open(killed.path()).unwrap();
    assert!(reopened.ends().unwrap().unwrap().height >= done as u64);
    assert_grown(&reopened, &blocks[done - 1]);
    drop(reopened);

    fs::remove_file(&filling).unwrap();
    store.recover().unwrap();
    let height = store.ends().unwrap().unwrap().height as usize;
    assert!(height == done || height == done + 1, "{done} commits returned, {height} are there");
    for block in &blocks[..height] {
        assert_grown(&store, block);
    }
    for block in &blocks[height..height + 20] {
        store.commit(growth(block)).unwrap();
    }
    drop(store);
    let store = open(&path).unwrap();
    assert_tip(&store, &blocks[height + 19]);
    for block in &blocks[..height + 20] {
        assert_grown(&store, block);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    // A disk of its own, without being root: in a user namespace.
    let mounts = |command: &mut Command| {
        command
            .args(["--map-root-user", "--mount", "sh", "-c"])
            .arg("mount -t tmpfs -o size=40m none \"$0\" && { test $# -eq 0 || exec \"$@\"; }");
        command.arg(directory.path());
    };
    let mut probe = Command::new("unshare");
    mounts(&mut probe);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        eprintln!("not tested: this machine lets no user mount a disk of its own");
        return;
    }
    let child = child_of(
        &std::env::current_exe().unwrap(),
        concat!(module_path!(), "::meets_a_full_disk"),
        directory.path(),
    );
    let mut inside = Command::new("unshare");
    mounts(&mut inside);
    inside.arg(child.get_program()).args(child.get_args());
    inside.envs(child.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = inside.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Runs in a child that may be another user.
#[test]
#[ignore = "runs in a child process of another test"]
fn says_why_it_may_not() {
    let Some(path) = work_of_child() else { return };
    eprintln!("why: {}", refusal(&path));
}

/// Why a path is refused to a user who is not root, as root may do anything.
#[cfg(unix)]
fn refusal_to_a_user(path: &Path) -> String {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut child = child_of(&program, concat!(module_path!(), "::says_why_it_may_not"), path);
    if fs::metadata(place.path()).unwrap().uid() == 0 {
        // The usual id of "nobody".
        child.uid(65_534).gid(65_534);
    }
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let why = said.lines().find_map(|line| line.strip_prefix("why: ")).map(str::to_owned);
    why.unwrap_or_else(|| panic!("{said}"))
}

#[test]
#[cfg(unix)]
fn a_directory_that_may_not_be_read_or_written_is_told_and_left_alone() {
    use std::os::unix::fs::PermissionsExt;

    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let directory = store_of(&chain_of(2));
    for (mode_of_directory, mode_of_files) in [(0o000, 0o644), (0o555, 0o444), (0o555, 0o000)] {
        for entry in fs::read_dir(directory.path()).unwrap() {
            set(&entry.unwrap().path(), mode_of_files);
        }
        set(directory.path(), mode_of_directory);
        let why = refusal_to_a_user(directory.path());
        set(directory.path(), 0o755);
        for entry in fs::read_dir(directory.path()).unwrap() {
            set(&entry.unwrap().path(), 0o644);
        }
        assert!(why.contains("permission denied"), "{why}");
        assert!(why.contains("let this user read and write"), "{why}");
    }
    // What may be read but not written is refused before anything is.
    let before = fingerprint(directory.path());
    set(directory.path(), 0o555);
    refusal_to_a_user(directory.path());
    set(directory.path(), 0o755);
    assert!(fingerprint(directory.path()) == before);
    assert_tip(&open(directory.path()).unwrap(), &chain_of(2)[1]);
}

#[test]
#[cfg(unix)]
fn a_directory_that_may_not_be_made_is_told() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let why = refusal_to_a_user(&directory.path().join("store"));
    assert!(why.contains("permission denied"), "{why}");
    assert!(!directory.path().join("store").exists());
}
