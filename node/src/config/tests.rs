use std::collections::BTreeSet;
use std::process::Command;

use clap::{CommandFactory, FromArgMatches, Parser};

use super::*;
use crate::lab::LabSettings;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    flags: Flags,
}

fn flags(line: &str) -> Flags {
    let words = std::iter::once("hearsay").chain(line.split_whitespace());
    Line::try_parse_from(words).unwrap().flags
}

fn with_file(text: &str, line: &str) -> Result<Settings, ConfigError> {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("node.toml");
    std::fs::write(&path, text).unwrap();
    load(Some(&path), &flags(line), Some(PathBuf::from("/home/.hearsay")))
}

fn mistake(text: &str) -> String {
    with_file(text, "").unwrap_err().to_string()
}

#[test]
fn without_file_or_flags_everything_has_its_default() {
    let settings = load(None, &Flags::default(), Some(PathBuf::from("/h"))).unwrap();
    assert_eq!(settings, Settings::in_dir("/h/data"));
    assert_eq!(settings.rpc.to_string(), "127.0.0.1:7780");
    assert_eq!(settings.listen, ["/ip4/0.0.0.0/tcp/7700"]);
    assert_eq!(settings.genesis, Path::new("/h/data/genesis.toml"));
}

#[test]
fn a_file_covers_defaults_and_leaves_the_rest() {
    let settings = with_file("name = \"a\"\n[gossip]\nmesh = 8\n", "").unwrap();
    assert_eq!(settings.name.as_deref(), Some("a"));
    assert_eq!(settings.gossip, Gossip { mesh: 8, ..Gossip::default() });
    assert_eq!(settings.log, "info");
}

#[test]
fn a_flag_covers_the_file_key_by_key() {
    let file = "name = \"file\"\nlog = \"debug\"\nbootstrap = [\"/a\", \"/b\"]\n\
                [gossip]\nmesh = 8\nheartbeat_ms = 100\n";
    let line = "--name flag --gossip-mesh 7 --bootstrap /c --gossip-flood-publish false";
    let settings = with_file(file, line).unwrap();
    assert_eq!(settings.name.as_deref(), Some("flag"));
    assert_eq!(settings.log, "debug");
    assert_eq!(settings.bootstrap, ["/c"], "a list is replaced, not appended to");
    let gossip = Gossip { mesh: 7, heartbeat_ms: 100, flood_publish: false, ..Gossip::default() };
    assert_eq!(settings.gossip, gossip);
}

#[test]
fn the_paths_that_are_not_given_follow_the_data_directory() {
    let settings = with_file("data_dir = \"/d\"\nevents = \"/log/e\"\n", "").unwrap();
    assert_eq!(settings.node_key, Path::new("/d/node.pem"));
    assert_eq!(settings.events, Path::new("/log/e"));
    let settings = with_file("data_dir = \"/d\"\n", "--data-dir /flag").unwrap();
    assert_eq!(settings.genesis, Path::new("/flag/genesis.toml"));
}

#[test]
fn without_a_home_directory_the_data_directory_must_be_said() {
    let refused = load(None, &Flags::default(), None).unwrap_err();
    assert!(refused.to_string().contains("--data-dir"), "{refused}");
    assert!(load(None, &flags("--data-dir /d"), None).is_ok());
}

/// A test cannot change its own environment safely, so it runs itself again with another one.
#[test]
fn the_environment_covers_the_file_and_a_flag_covers_the_environment() {
    const CHILD: &str = "HEARSAY_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let settings = with_file("name = \"file\"\nlog = \"warn\"\n", "--log trace").unwrap();
        assert_eq!(settings.name.as_deref(), Some("variable"));
        assert_eq!(settings.log, "trace");
        assert_eq!(settings.listen, ["/a", "/b"]);
        assert_eq!(settings.gossip.mesh_high, 9);
        return;
    }
    let test = "the_environment_covers_the_file_and_a_flag_covers_the_environment";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("config::tests::{test}")])
        .env(CHILD, "1")
        .env("HEARSAY_NAME", "variable")
        .env("HEARSAY_LOG", "debug")
        .env("HEARSAY_LISTEN", "/a,/b")
        .env("HEARSAY_GOSSIP_MESH_HIGH", "9")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn every_setting_has_a_flag_and_a_variable() {
    fn keys(table: &toml::Table, prefix: &str, found: &mut BTreeSet<String>) {
        for (key, value) in table {
            match value {
                toml::Value::Table(inner) => keys(inner, &format!("{prefix}{key}_"), found),
                _ => drop(found.insert(format!("{prefix}{key}"))),
            }
        }
    }
    let full = Settings {
        name: Some(String::new()),
        authority_key: Some(PathBuf::new()),
        keep_bodies: Some(64),
        discovery: Discovery { book: Some(PathBuf::new()), ..Discovery::default() },
        ..Settings::in_dir("d")
    };
    let mut settings = BTreeSet::new();
    keys(&toml::Table::try_from(full).unwrap(), "", &mut settings);
    let flags: BTreeSet<String> = Line::command()
        .get_arguments()
        .filter(|arg| arg.get_id() != "help")
        .map(|arg| {
            let variable = arg.get_env().unwrap().to_str().unwrap();
            let key = variable.strip_prefix("HEARSAY_").unwrap().to_lowercase();
            // A flag that may be repeated is in the singular.
            let flag = arg.get_long().unwrap().replace('-', "_");
            assert!(key == flag || key == format!("{flag}s"), "{variable} has the flag {flag}");
            key
        })
        .collect();
    assert_eq!(flags, settings);
}

#[test]
fn the_table_that_the_flags_become_has_the_keys_of_the_settings() {
    // Each flag set to a value that only a file with the right key would give.
    let line = "--name n --data-dir /d --genesis /g --listen /l --announce /c --bootstrap /b --rpc 127.0.0.1:1 \
                --rpc-host h --rpc-origin http://o --authority-key a --node-key k --events e \
                --keep-bodies 64 --log l --gossip-mode flood --gossip-blocks full --gossip-bundle-ms 1 \
                --gossip-idontwant-bytes 1 --gossip-lazy false --gossip-partners random \
                --gossip-reconcile-ms 1 --gossip-mesh 6 --gossip-mesh-low 5 --gossip-mesh-high 12 \
                --gossip-heartbeat-ms 1 --gossip-flood-publish false --mempool-max-count 1 \
                --mempool-max-memory 1 --mempool-max-ready-per-sender 1 \
                --mempool-max-queued-per-sender 1 --mempool-replacement-percent 1 \
                --mempool-max-age-ms 1 --mempool-min-fee-per-kb 2 --mempool-fee-step-per-kb 2 \
                --mempool-floor-half-life-ms 1 --mempool-local-percent 1 \
                --members-enabled false --members-probe-ms 200 --members-probe-rtt-ms 1 \
                --members-forward random --discovery-slots false --discovery-near 1 \
                --discovery-random 1 --discovery-far 1 --discovery-min-outbound 1 \
                --discovery-most 4 --discovery-book b --discovery-kademlia false \
                --discovery-mdns false --peers-max-inbound 1 --peers-max-outbound 1 \
                --sync-peers random";
    let from_flags = toml::Table::try_from(flags(line)).unwrap();
    let settings: Settings = from_flags.clone().try_into().unwrap();
    assert_eq!(toml::Table::try_from(settings).unwrap(), from_flags);
    // Nothing was left out of the line above.
    let mut command = Line::command();
    let matches =
        command.try_get_matches_from_mut(std::iter::once("hearsay").chain(line.split_whitespace()));
    let matches = matches.unwrap();
    assert!(Line::from_arg_matches(&matches).is_ok());
    for arg in command.get_arguments().filter(|arg| arg.get_id() != "help") {
        assert!(matches.contains_id(arg.get_id().as_str()), "{} is missing above", arg.get_id());
    }
}

#[test]
fn an_unknown_key_is_told_with_its_place_and_the_nearest_known_one() {
    let text = mistake("name = \"a\"\nbootstap = []\n");
    assert!(text.ends_with("node.toml:2:1: unknown key `bootstap`; did you mean `bootstrap`?"));
    let text = mistake("[gossip]\nmesh = 6\nmesh_hihg = 12\n");
    assert!(text.ends_with(":3:1: unknown key `mesh_hihg`; did you mean `mesh_high`?"), "{text}");
    let text = mistake("[gosip]\n");
    assert!(text.contains("did you mean `gossip`?"), "{text}");
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_place() {
    let text = mistake("name = \n");
    assert!(text.contains("node.toml:1:"), "{text}");
    let text = mistake("log = \"info\"\nrpc = \"here\"\n");
    assert!(text.contains("node.toml:2:7: "), "{text}");
    assert!(!text.contains('\n'), "{text}");
}

#[test]
fn a_file_that_cannot_be_read_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let read = |name: &str| {
        load(Some(&home.path().join(name)), &Flags::default(), None).unwrap_err().to_string()
    };
    assert!(read("none.toml").contains("there is no such file; name one with --config"));
    assert!(read(".").contains("a directory"));
    std::fs::write(home.path().join("latin1.toml"), [b'#', 0xe4]).unwrap();
    assert!(read("latin1.toml").contains("byte 1 is wrong"));
}

#[test]
fn values_that_do_not_fit_together_are_refused() {
    for (text, says) in [
        ("[gossip]\nmesh = 4\n", "gossip.mesh_low"),
        ("[gossip]\nmesh_low = 0\n", "gossip.mesh_low"),
        ("[gossip]\nmesh = 13\n", "gossip.mesh_high"),
        ("[gossip]\nheartbeat_ms = 0\n", "gossip.heartbeat_ms"),
        ("[mempool]\nmax_count = 0\n", "mempool.max_count is 0; it must be 1 to"),
        ("[mempool]\nmax_memory = 9000\n", "mempool.max_memory is 9000; it must be"),
        ("[mempool]\nmax_ready_per_sender = 0\n", "mempool.max_ready_per_sender is 0"),
        ("[mempool]\nreplacement_percent = 1001\n", "mempool.replacement_percent is 1001"),
        ("[mempool]\nlocal_percent = 101\n", "mempool.local_percent is 101; it must be 0 to 50"),
        ("[mempool]\nmax_age_ms = 0\n", "mempool.max_age_ms is 0; it must be at least 1"),
        ("[mempool]\nfloor_half_life_ms = 0\n", "mempool.floor_half_life_ms is 0"),
        ("keep_bodies = 63\n", "keep_bodies is 63"),
        ("[members]\nprobe_ms = 99\n", "members.probe_ms is 99; it must be 100 to"),
        ("[members]\nprobe_rtt_ms = 1000\n", "members.probe_rtt_ms is 1000; it must be"),
        ("[members]\nprobe_rtt_ms = 0\n", "members.probe_rtt_ms is 0"),
        ("[discovery]\nslots = false\nmdns = true\n", "discovery.mdns finds peers, but"),
        ("[discovery]\nnear = 33\n", "discovery.near is 33; it must be at most 32"),
        ("[discovery]\nmost = 7\n", "discovery.most is 7"),
        ("[discovery]\nmin_outbound = 33\nmost = 99\n", "discovery.min_outbound is 33"),
        ("[discovery]\nnear = 0\nrandom = 0\nfar = 0\n", "discovery.slots to false"),
        ("[peers]\nmax_inbound = 0\nmax_outbound = 0\n", "peers.max_inbound"),
    ] {
        assert!(mistake(text).contains(says), "{text}: {}", mistake(text));
    }
    let refused = with_file("", "--mempool-max-memory 18446744073709551615").unwrap_err();
    assert!(refused.to_string().starts_with("a setting cannot be used: "), "{refused}");
}

#[test]
fn every_bound_of_the_pool_is_what_the_settings_say_and_has_the_pools_default() {
    let pool = |text: &str| with_file(text, "").unwrap().mempool.bounds(7);
    let default = hearsay_mempool::Config { seed: 7, ..Default::default() };
    assert_eq!(pool(""), default);
    let all = "[mempool]\nmax_count = 11\nmax_memory = 90000\nmax_ready_per_sender = 12\n\
               max_queued_per_sender = 13\nreplacement_percent = 14\nmax_age_ms = 15\n\
               min_fee_per_kb = 16\nfee_step_per_kb = 17\nfloor_half_life_ms = 18\n\
               local_percent = 19\n";
    let config = hearsay_mempool::Config {
        max_count: 11,
        max_memory: 90_000,
        max_ready_per_sender: 12,
        max_queued_per_sender: 13,
        replacement_percent: 14,
        max_age_us: 15_000,
        min_fee_per_kb: 16,
        fee_step_per_kb: 17,
        floor_half_life_us: 18_000,
        local_percent: 19,
        seed: 7,
    };
    assert_eq!(pool(all), config);
}

#[test]
fn the_lab_is_read_from_its_table_and_absent_without_one() {
    assert_eq!(with_file("", "").unwrap().lab, None);
    let lab = with_file("[lab]\n", "").unwrap().lab.unwrap();
    assert_eq!(lab, LabSettings::default());
    let peer = "12D3KooWSerLvUJmQQBn9Mv5Kkm1BJv78BMvFtst6LLnYERTEypN";
    let text = format!(
        "[lab]\ndilation = 4\nepoch_us = 7\nmemory_store = true\n[lab.access]\nup = 6250000\n\
         [lab.default]\ndelay_us = 50000\njitter = 0.05\n[lab.peers.{peer}]\nloss = 0.01\n"
    );
    let lab = with_file(&text, "").unwrap().lab.unwrap();
    assert_eq!((lab.dilation, lab.epoch_us, lab.memory_store), (4, 7, true));
    assert_eq!((lab.access.up, lab.access.down), (Some(6_250_000), None));
    assert_eq!((lab.default.delay_us, lab.default.jitter), (50_000, 0.05));
    assert_eq!(lab.peers[peer].loss, 0.01);
    // What was read can be written, and is the same again.
    let written = toml::to_string(&lab).unwrap();
    assert_eq!(toml::from_str::<LabSettings>(&written).unwrap(), lab);
}

#[test]
fn a_lab_that_cannot_be_played_is_refused() {
    for (text, says) in [
        ("dilation = 0", "lab.dilation is 0"),
        ("dilation = 1001\nepoch_us = 1", "lab.dilation is 1001"),
        ("dilation = 2", "lab.epoch_us is 0"),
        ("skew_ms = 86400001", "skew_ms is 86400001"),
        ("[lab.access]\nup = 0", "lab.access.up is 0"),
        ("[lab.default]\ndelay_us = 10000001", "lab.default: delay_us is 10000001"),
        ("[lab.default]\njitter = -0.1", "lab.default: jitter is -0.1"),
        ("[lab.default]\njitter = nan", "lab.default: jitter is NaN"),
        ("[lab.default]\nloss = 0.6", "lab.default: loss is 0.6"),
        ("[lab.peers.n1]\ncut = true", "\"n1\" among the lab's peers"),
        ("[lab.default]\ndelay = 5", "unknown key `delay`; did you mean `delay_us`?"),
        ("windo = true", "unknown key `windo`; did you mean `window`?"),
    ] {
        let told = mistake(&format!("[lab]\n{text}\n"));
        assert!(told.contains(says), "{text}: {told}");
    }
}
