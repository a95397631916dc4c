use std::os::unix::fs::MetadataExt;

use super::*;

/// RFC 8410, section 10.3, as `openssl genpkey -algorithm ed25519` writes a key.
const OPENSSL: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
    -----END PRIVATE KEY-----\n";

fn write(directory: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn a_saved_key_is_loaded_again_and_only_its_owner_may_read_it() {
    let home = tempfile::tempdir().unwrap();
    let directory = directory(home.path());
    let path = locate(&directory, "alice").unwrap();
    let key = generate().unwrap();
    save(&path, &key, false).unwrap();
    assert_eq!(path, home.path().join("keys/alice.pem"));
    assert_eq!(load(&path).unwrap().seed(), key.seed());
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "nothing else is left behind");
}

#[test]
fn two_new_keys_differ() {
    assert_ne!(generate().unwrap().seed(), generate().unwrap().seed());
}

#[test]
fn a_key_is_replaced_only_on_demand() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.pem");
    let (first, second) = (generate().unwrap(), generate().unwrap());
    save(&path, &first, false).unwrap();
    let refused = save(&path, &second, false).unwrap_err();
    assert!(matches!(refused, KeyFileError::Exists(_)), "{refused}");
    assert!(refused.to_string().contains("--force"), "{refused}");
    assert_eq!(load(&path).unwrap().seed(), first.seed());
    save(&path, &second, true).unwrap();
    assert_eq!(load(&path).unwrap().seed(), second.seed());
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_key_that_others_may_read_is_refused_with_the_command_that_helps() {
    let home = tempfile::tempdir().unwrap();
    for loose in [0o644, 0o640, 0o604, 0o620] {
        let path = write(home.path(), "loose.pem", OPENSSL, loose);
        let refused = load(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("chmod 600 {}", path.display())), "{refused}");
        assert!(refused.contains(&format!("{loose:04o}")), "{refused}");
    }
    for tight in [0o600, 0o400] {
        assert!(load(&write(home.path(), "tight.pem", OPENSSL, tight)).is_ok(), "{tight:o}");
        fs::remove_file(home.path().join("tight.pem")).unwrap();
    }
}

#[test]
fn a_key_made_by_openssl_is_read() {
    let home = tempfile::tempdir().unwrap();
    let key = load(&write(home.path(), "openssl.pem", OPENSSL, 0o600)).unwrap();
    let public = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    assert_eq!(key.public().to_string(), public);
}

#[test]
fn what_is_no_plain_key_is_refused_by_what_it_is() {
    let home = tempfile::tempdir().unwrap();
    let wrapped = |label: &str| OPENSSL.replace("PRIVATE KEY", label);
    for (text, says) in [
        (wrapped("ENCRYPTED PRIVATE KEY"), "encrypted with a passphrase"),
        (wrapped("PUBLIC KEY"), "public key alone"),
        ("hello".to_owned(), "not an Ed25519 private key in PKCS#8 PEM"),
        (String::new(), "not an Ed25519 private key in PKCS#8 PEM"),
    ] {
        let refused = load(&write(home.path(), "x.pem", &text, 0o600)).unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
        assert!(!refused.contains("MC4CAQ"), "key material in: {refused}");
    }
    let path = home.path().join("binary.pem");
    fs::write(&path, [0xff, 0xfe]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(load(&path).unwrap_err().to_string().contains("not text"));
}

#[test]
fn a_missing_key_says_how_to_make_one() {
    let home = tempfile::tempdir().unwrap();
    let refused = load(&home.path().join("none.pem")).unwrap_err().to_string();
    assert!(refused.contains("hearsay key new"), "{refused}");
}

#[test]
fn a_name_is_a_file_of_the_directory_and_a_path_is_itself() {
    let directory = Path::new("/keys");
    assert_eq!(locate(directory, "alice_2-b").unwrap(), Path::new("/keys/alice_2-b.pem"));
    assert_eq!(locate(directory, "./alice").unwrap(), Path::new("./alice"));
    assert_eq!(locate(directory, "alice.pem").unwrap(), Path::new("alice.pem"));
    let long = "a".repeat(MAX_NAME_BYTES + 1);
    for wrong in ["", "..", "a b", "-force", "hs1abc", "ä", "a\0b", &long] {
        let refused = locate(directory, wrong).unwrap_err();
        assert!(matches!(refused, KeyFileError::Name(_)), "{wrong:?}: {refused}");
    }
}

#[test]
fn of_many_that_save_at_once_one_does_and_its_key_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deep/node.pem");
    let saved: Vec<[u8; 32]> = std::thread::scope(|scope| {
        let save_one = || {
            let key = generate().unwrap();
            save(&path, &key, false).is_ok().then(|| key.seed())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(save_one)).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(saved, [load(&path).unwrap().seed()]);
}

#[test]
fn the_list_holds_names_alone_and_is_sorted() {
    let home = tempfile::tempdir().unwrap();
    assert!(list(&home.path().join("none")).unwrap().is_empty());
    for name in ["bob.pem", "alice.pem", ".key-x1.pem", "notes.txt", "a b.pem"] {
        write(home.path(), name, OPENSSL, 0o600);
    }
    assert_eq!(list(home.path()).unwrap(), ["alice", "bob"]);
}

#[test]
fn the_home_that_is_given_wins() {
    assert_eq!(home(Some(Path::new("/h"))).unwrap(), Path::new("/h"));
    let refused = home(Some(Path::new(""))).unwrap_err();
    assert!(refused.to_string().contains("HEARSAY_HOME"), "{refused}");
}
