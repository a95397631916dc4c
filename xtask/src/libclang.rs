//! Finding libclang where bindgen will: the same places and names as clang-sys 1.9, on Linux.

use std::env;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The usual places; `*` stands for the rest of a name.
const DIRECTORIES: &[&str] = &[
    "usr/local/llvm*/lib*",
    "usr/local/lib*/*/*",
    "usr/local/lib*/*",
    "usr/local/lib*",
    "usr/lib*/*/*",
    "usr/lib*/*",
    "usr/lib*",
];

/// A libclang that can be loaded.
#[derive(Debug, PartialEq)]
pub(crate) struct Libclang {
    directory: PathBuf,
    name: String,
}

/// The libclang that bindgen will load, if there is one.
pub(crate) fn find() -> Option<Libclang> {
    // While it is set, clang-sys looks nowhere else.
    if let Some(path) = env::var_os("LIBCLANG_PATH").map(PathBuf::from) {
        return at(&path);
    }
    let mut directories = Vec::new();
    if let Some(prefix) = llvm_prefix() {
        directories.extend([prefix.join("bin"), prefix.join("lib")]);
    }
    for variable in ["LD_LIBRARY_PATH", "LIBRARY_PATH"] {
        directories.extend(env::var_os(variable).iter().flat_map(env::split_paths));
    }
    for pattern in DIRECTORIES {
        directories.extend(expand(Path::new("/"), pattern));
    }
    best(directories.iter().flat_map(|directory| inside(directory)))
}

/// Whether clang's own headers lie where this library will look for them.
pub(crate) fn has_headers(libclang: &Libclang) -> bool {
    let file = libclang.directory.join(&libclang.name);
    let mut near = vec![libclang.directory.clone()];
    near.extend(fs::canonicalize(file).ok().and_then(|real| Some(real.parent()?.to_path_buf())));
    let mut places: Vec<PathBuf> = near.iter().map(|directory| directory.join("../lib")).collect();
    places.append(&mut near);
    // Where Debian's library, which lies elsewhere, looks for them.
    if let Some(major) = version(&libclang.name).first() {
        places.push(format!("/usr/lib/llvm-{major}/lib").into());
    }
    places.iter().any(|lib| {
        expand(lib, "clang/*/include").iter().any(|include| include.join("stddef.h").exists())
    })
}

fn at(path: &Path) -> Option<Libclang> {
    if let (Some(directory), Some(name)) = (path.parent(), path.file_name())
        && let Some(it) = inside(directory).into_iter().find(|it| it.name.as_str() == name)
    {
        return Some(it);
    }
    best(inside(path).into_iter())
}

/// The highest version, and of several such the first.
fn best(found: impl Iterator<Item = Libclang>) -> Option<Libclang> {
    found.reduce(|best, next| if version(&next.name) > version(&best.name) { next } else { best })
}

fn inside(directory: &Path) -> Vec<Libclang> {
    let mut found: Vec<Libclang> = names(directory)
        .into_iter()
        .filter(|name| is_libclang(name) && fits(&directory.join(name)))
        .map(|name| Libclang { directory: directory.to_path_buf(), name })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// libclang-cpp is another library, whose names look alike.
fn is_libclang(name: &str) -> bool {
    let numbered = name.starts_with("libclang-");
    !name.contains("-cpp.")
        && (name == "libclang.so"
            || name.starts_with("libclang.so.")
            || (numbered && (name.ends_with(".so") || name.contains(".so."))))
}

/// The numbers in the name, read as clang-sys reads them, since they decide which one it loads.
fn version(name: &str) -> Vec<u32> {
    let numbers = if let Some(numbers) = name.strip_prefix("libclang.so.") {
        numbers
    } else if let Some(rest) = name.strip_prefix("libclang-") {
        rest.get(..rest.len().saturating_sub(3)).unwrap_or("")
    } else {
        return Vec::new();
    };
    numbers.split('.').map(|number| number.parse().unwrap_or(0)).collect()
}

/// Whether it is an ELF library of our word size; a dangling link is not.
fn fits(path: &Path) -> bool {
    let mut head = [0; 5];
    let class = if cfg!(target_pointer_width = "64") { 2 } else { 1 };
    fs::File::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok())
        && head == [0x7f, b'E', b'L', b'F', class]
}

fn llvm_prefix() -> Option<PathBuf> {
    let program = env::var_os("LLVM_CONFIG_PATH").unwrap_or_else(|| "llvm-config".into());
    let output = Command::new(program).arg("--prefix").stderr(Stdio::null()).output().ok()?;
    let prefix = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| prefix.lines().next().map(PathBuf::from)).flatten()
}

/// The folders below `root` that a pattern names.
fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![root.to_path_buf()];
    for part in pattern.split('/') {
        found = match part.strip_suffix('*') {
            None => found.iter().map(|directory| directory.join(part)).collect(),
            Some(start) => found
                .iter()
                .flat_map(|directory| {
                    let mut names = names(directory);
                    names.retain(|name| name.starts_with(start));
                    names.sort();
                    names.into_iter().map(|name| directory.join(name))
                })
                .collect(),
        };
        found.retain(|directory| directory.is_dir());
    }
    found
}

#[cfg(test)]
mod tests;
