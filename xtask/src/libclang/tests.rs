//! Names, versions and folders of libclang.

use super::*;

/// A folder of this test's own, removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("hearsay-xtask-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn library(&self, path: &str, head: &[u8]) -> PathBuf {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, head).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(target_pointer_width = "64")]
const ELF: &[u8] = b"\x7fELF\x02rest";
#[cfg(target_pointer_width = "32")]
const ELF: &[u8] = b"\x7fELF\x01rest";

#[test]
fn the_names_of_libclang_are_accepted() {
    for name in [
        "libclang.so",
        "libclang-14.so",
        "libclang.so.1",
        "libclang-14.so.14.0.6",
        "libclang-3.9.so",
    ] {
        assert!(is_libclang(name), "{name}");
    }
}

#[test]
fn libraries_with_similar_names_are_refused() {
    for name in [
        "libclang-cpp.so",
        "libclang-cpp.so.14",
        "libclangTooling.so",
        "libclang.a",
        "libclang_rt.asan.so",
        "libclang-14.a",
    ] {
        assert!(!is_libclang(name), "{name}");
    }
}

#[test]
fn the_highest_version_wins_and_the_first_of_equals() {
    let candidate =
        |directory: &str, name: &str| Libclang { directory: directory.into(), name: name.into() };
    let chosen = best(
        [
            candidate("/a", "libclang.so"),
            candidate("/b", "libclang-14.so"),
            candidate("/c", "libclang-16.so"),
            candidate("/d", "libclang-16.so"),
        ]
        .into_iter(),
    );
    assert_eq!(chosen, Some(candidate("/c", "libclang-16.so")));
}

#[test]
fn a_pattern_names_the_folders_that_exist() {
    let scratch = Scratch::new("pattern");
    scratch.library("usr/lib/llvm-14/lib/libclang.so.1", ELF);
    scratch.library("usr/lib64/file", ELF);
    scratch.library("usr/share/file", ELF);
    let found = expand(&scratch.0, "usr/lib*/*/*");
    assert_eq!(found, [scratch.0.join("usr/lib/llvm-14/lib")]);
    assert_eq!(expand(&scratch.0, "usr/lib*").len(), 2);
}

#[test]
fn a_folder_or_a_file_may_be_given() {
    let scratch = Scratch::new("given");
    let path = scratch.library("lib/libclang.so", ELF);
    let expected = Some(Libclang { directory: scratch.0.join("lib"), name: "libclang.so".into() });
    assert_eq!(at(&path), expected);
    assert_eq!(at(&scratch.0.join("lib")), expected);
    assert_eq!(at(&scratch.0.join("elsewhere")), None);
}

#[test]
fn what_is_no_library_is_not_taken_for_one() {
    let scratch = Scratch::new("script");
    scratch.library("libclang.so", b"INPUT(libclang.so.14)");
    assert_eq!(at(&scratch.0), None);
}

#[test]
fn headers_are_found_beside_the_library() {
    let scratch = Scratch::new("headers");
    scratch.library("lib/libclang.so", ELF);
    let found = at(&scratch.0.join("lib")).unwrap();
    assert!(!has_headers(&found));
    scratch.library("lib/clang/18/include/stddef.h", b"");
    assert!(has_headers(&found));
}
