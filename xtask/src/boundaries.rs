//! The crate boundaries of the architecture, checked on what cargo says each crate depends on.

use crate::cargo;
use crate::failure::Failure;

struct Boundary {
    package: &'static str,
    /// All that it depends on, or only what its own manifest names.
    depth: Depth,
    never: &'static [&'static str],
}

#[derive(PartialEq)]
enum Depth {
    All,
    Direct,
}

const BOUNDARIES: &[Boundary] = &[
    Boundary {
        package: "hearsay-chain",
        depth: Depth::All,
        never: &["tokio", "libp2p", "rocksdb", "librocksdb-sys"],
    },
    Boundary {
        package: "hearsay-mempool",
        depth: Depth::All,
        never: &["tokio", "libp2p", "rocksdb", "librocksdb-sys"],
    },
    Boundary {
        package: "hearsay-network",
        depth: Depth::All,
        never: &["hearsay-mempool", "rocksdb", "librocksdb-sys"],
    },
    Boundary {
        package: "hearsay-testnet",
        depth: Depth::Direct,
        never: &["rocksdb", "librocksdb-sys"],
    },
];

/// Fails with every dependency that crosses a boundary.
pub(crate) fn check() -> Result<(), Failure> {
    let mut crossings = Vec::new();
    for boundary in BOUNDARIES {
        let tree = tree(boundary)?;
        for found in forbidden(&tree, boundary.never) {
            crossings.push(format!(
                "xtask: {} must not depend on {found}; `cargo tree -p {} -e normal -i {found}` \
                 shows how it does",
                boundary.package, boundary.package
            ));
        }
    }
    if crossings.is_empty() { Ok(()) } else { Err(Failure::new(crossings.join("\n"))) }
}

/// One dependency a line. With `-p`, cargo turns on the features that this package alone asks for,
/// so RocksDB shows up under chain only if chain's default features bring it.
fn tree(boundary: &Boundary) -> Result<String, Failure> {
    let mut command = cargo::cargo();
    command.args(["tree", "-p", boundary.package, "-e", "normal", "--prefix", "none"]);
    if boundary.depth == Depth::Direct {
        command.args(["--depth", "1"]);
    }
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| Failure::new(format!("xtask: cargo tree did not start: {error}")))?;
    if !output.status.success() {
        return Err(Failure::ended("cargo tree", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The crates of the tree that are in `never`, or belong to such a crate's family as tokio-util
/// does to tokio. The first line is the package itself.
fn forbidden<'t>(tree: &'t str, never: &[&str]) -> Vec<&'t str> {
    let mut found: Vec<&str> = tree
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| {
            never.iter().any(|never| {
                name.strip_prefix(never)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            })
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "hearsay-mempool v0.1.0 (/clone/mempool)\n\
                        hearsay-chain v0.1.0 (/clone/chain)\n\
                        tokio-util v0.7.0\n\
                        tokio v1.0.0\n\
                        tokio v1.0.0 (*)\n\
                        tokionaut v1.0.0\n\
                        thiserror-impl v2.0.0 (proc-macro)\n";

    #[test]
    fn a_forbidden_crate_and_its_family_are_each_found_once() {
        assert_eq!(forbidden(TREE, &["tokio", "libp2p"]), ["tokio", "tokio-util"]);
    }

    #[test]
    fn a_tree_without_forbidden_crates_passes() {
        assert!(forbidden(TREE, &["libp2p", "rocksdb"]).is_empty());
    }

    #[test]
    fn the_package_itself_is_not_its_own_dependency() {
        assert!(forbidden(TREE, &["hearsay-mempool"]).is_empty());
    }
}
