//! Data directories that a node refuses: each by its own sentence and exit code, with every byte as
//! it was.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hearsay_tests::{free_port, program};
use rocksdb::{DB, Options};

use crate::node::{refused, tree};
use crate::world::World;

/// The usual id of "nobody".
const NOBODY: u32 = 65_534;

/// A network with a node that has run and stopped.
fn after_a_run() -> World {
    let world = World::new(1);
    let node = world.start(0, &[]);
    node.wait_for_height(3);
    node.stop();
    world
}

fn chain_of(world: &World) -> PathBuf {
    world.dir(0).join("chain")
}

/// What the node is told, besides `run`.
fn words(world: &World) -> Vec<String> {
    let words = [
        "--genesis",
        &world.genesis().display().to_string(),
        "--data-dir",
        &world.dir(0).display().to_string(),
        "--listen",
        &format!("/ip4/127.0.0.1/tcp/{}", free_port()),
        "--rpc",
        &format!("127.0.0.1:{}", free_port()),
    ];
    words.map(str::to_owned).to_vec()
}

fn assert_refused(world: &World, code: i32, parts: &[&str]) {
    let words = words(world);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = refused(world.path(), code, &words);
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{said}");
}

/// Changes the schema's row behind the node's back.
fn set_schema(world: &World, schema: u32) {
    let path = chain_of(world);
    let families = DB::list_cf(&Options::default(), &path).unwrap();
    let db = DB::open_cf(&Options::default(), &path, families).unwrap();
    db.put_cf(db.cf_handle("meta").unwrap(), b"schema", schema.to_be_bytes()).unwrap();
    drop(db);
    // RocksDB's own diary, which the node does not keep.
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_str().unwrap().starts_with("LOG") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}

#[test]
fn a_directory_that_another_node_has_open_is_refused() {
    let world = World::new(1);
    let node = world.start(0, &[]);
    node.wait_for_height(1);
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &node.pid().to_string()]).status();
        assert!(sent.unwrap().success());
    };
    // It keeps the lock and writes nothing.
    signal("-STOP");
    assert_refused(&world, 10, &["open already", "directory of its own"]);
    signal("-CONT");
    node.stop();
}

#[test]
fn a_newer_schema_is_refused_and_an_older_one_is_brought_up() {
    let world = after_a_run();
    set_schema(&world, 3);
    assert_refused(&world, 13, &["schema 3", "newer program"]);
    set_schema(&world, 1);
    let node = world.start(0, &[]);
    node.wait_for_height(5);
    node.stop();
}

#[test]
fn a_store_of_another_network_is_refused_by_both_names() {
    let world = after_a_run();
    let before = hearsay_node::genesis_file::read(&world.genesis()).unwrap().id();
    let text = fs::read_to_string(world.genesis()).unwrap();
    fs::write(world.genesis(), text.replace("name = \"test\"", "name = \"other\"")).unwrap();
    let after = hearsay_node::genesis_file::read(&world.genesis()).unwrap().id();
    assert_refused(&world, 14, &[&before.to_string(), &after.to_string()]);
}

#[test]
fn a_damaged_store_and_somebody_elses_directory_are_refused() {
    let world = after_a_run();
    let manifest = fs::read_dir(chain_of(&world)).unwrap().map(|entry| entry.unwrap().path());
    let is_manifest = |path: &PathBuf| path.display().to_string().contains("MANIFEST");
    let manifest = manifest.into_iter().find(is_manifest).unwrap();
    let mut bytes = fs::read(&manifest).unwrap();
    bytes[20] ^= 1;
    fs::write(&manifest, bytes).unwrap();
    assert_refused(&world, 12, &["damaged", "restore it from a copy"]);
    fs::remove_dir_all(chain_of(&world)).unwrap();
    fs::create_dir(chain_of(&world)).unwrap();
    fs::write(chain_of(&world).join("thesis.tex"), "chapter 1").unwrap();
    assert_refused(&world, 11, &["thesis.tex", "empty or new"]);
}

/// Runs a command to its end and asserts that it refuses so.
fn assert_command_refused(mut command: Command, world: &World, code: i32, parts: &[&str]) {
    let before = tree(world.path());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    assert_eq!(tree(world.path()), before, "something was changed on disk");
}

#[test]
fn a_file_system_mounted_read_only_is_refused() {
    let world = after_a_run();
    let mount = |program: &Path| {
        let mut command = Command::new("unshare");
        let mount = "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"";
        command.args(["--map-root-user", "--mount", "sh", "-c", mount]);
        command.arg(world.dir(0)).arg(program);
        command
    };
    if !mount(Path::new("true")).output().is_ok_and(|output| output.status.success()) {
        eprintln!("not tested: this machine lets no user mount a disk of its own");
        return;
    }
    let mut command = mount(&program("hearsay"));
    command.arg("run").args(words(&world));
    assert_command_refused(command, &world, 16, &["read-only", "mount it for writing"]);
}

/// Gives a directory and all in it to another user.
fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}

#[test]
fn a_directory_that_this_user_may_not_write_is_refused() {
    let world = after_a_run();
    let is_root = fs::metadata(world.path()).unwrap().uid() == 0;
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("hearsay");
    fs::copy(program("hearsay"), &copy).unwrap();
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    set(place.path(), 0o755);
    if is_root {
        // Root may do anything, so it is somebody else who tries.
        give(world.path(), NOBODY);
    }
    for (path, mode) in [(chain_of(&world), 0o500), (world.dir(0).join("node.pem"), 0o000)] {
        let usual = fs::metadata(&path).unwrap().permissions().mode();
        set(&path, mode);
        let mut command = Command::new(&copy);
        command.arg("run").args(words(&world)).env("HOME", world.path());
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(15), "{said}");
        assert!(said.to_lowercase().contains("permission denied"), "{said}");
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        set(&path, usual);
    }
}
