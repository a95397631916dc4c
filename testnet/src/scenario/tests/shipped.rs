use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;

/// Every scenario in the folder `scenarios`, by its file's name.
fn shipped() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "toml"))
        .map(|path| {
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            (stem, fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn each_shipped_scenario_is_one_says_what_it_shows_and_asserts_something() {
    let shipped = shipped();
    let names: Vec<_> = shipped.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "big-blocks",
            "big-burst",
            "bridge",
            "burst",
            "calm",
            "churn",
            "discovery",
            "forks",
            "hundred",
            "interop-8",
            "late-join",
            "line",
            "lossy-gossip",
            "mass-death",
            "members-growth",
            "members-idle",
            "members-kill",
            "members-partition",
            "members-starved",
            "partition-and-heal",
            "slow-node",
            "slow-uplinks",
            "spread",
            "ten-nodes"
        ]
    );
    for (name, text) in &shipped {
        let scenario = Scenario::parse(text, &format!("scenarios/{name}.toml"))
            .unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        assert_eq!(&scenario.name, name);
        assert!(text.starts_with("# ") && scenario.description.is_some(), "{name}");
        assert!(!scenario.asserts.list.is_empty(), "{name}");
        let whole = scenario.duration + scenario.settle.unwrap_or_default();
        // Deaths take time to be noticed, and some must be seen to tell how long; that nobody is taken for
        // dead by mistake is only told by a long run.
        let longest = match name.strip_prefix("members-") {
            Some("starved") => 1_800,
            Some(_) => 200,
            None => 70,
        };
        assert!(whole.as_secs() <= longest, "{name} lasts {whole:?}");
    }
}

#[test]
fn each_shipped_scenario_is_the_same_when_written_and_read_again() {
    for (name, text) in shipped() {
        let scenario = parse(&text);
        let again = parse(&scenario.to_toml());
        assert_eq!(scenario.layout(), again.layout(), "{name}");
        assert_eq!(scenario.asserts, again.asserts, "{name}");
        assert_eq!(scenario.to_toml(), again.to_toml(), "{name}");
    }
}

#[test]
fn the_overrides_that_shipped_scenarios_speak_of_work() {
    for (name, text) in shipped() {
        for line in text.lines().filter(|line| line.contains(" --set ")) {
            let sets = line.split(" --set ").skip(1).map(|set| set.split(' ').next().unwrap());
            let variants = sets.map(|set| match parse(&text).variants(set) {
                Ok(variants) => variants.len(),
                Err(problems) => panic!("{name}: {set}: {problems:?}"),
            });
            assert!(variants.product::<usize>() > 1, "{name}: {line}");
        }
    }
}

proptest! {
    /// Neither a line that is missing nor one that stands elsewhere makes reading panic, and what is
    /// refused is refused with a reason.
    #[test]
    fn a_scenario_that_was_torn_apart_is_read_or_refused_with_a_reason(
        which: prop::sample::Index, gone: prop::sample::Index, moved: prop::sample::Index, cut: prop::sample::Index,
    ) {
        let shipped = shipped();
        let text = &shipped[which.index(shipped.len())].1;
        let mut lines: Vec<_> = text.lines().collect();
        lines.remove(gone.index(lines.len()));
        let line = lines[moved.index(lines.len())];
        lines.insert(cut.index(lines.len()), line);
        let torn = lines.join("\n");
        let end = torn.floor_char_boundary(cut.index(2 * torn.len()).min(torn.len()));
        for text in [&torn[..end], &torn] {
            if let Err(problems) = Scenario::parse(text, "t.toml") {
                prop_assert!(problems.iter().all(|problem| !problem.message.is_empty()));
                prop_assert!(!problems.is_empty());
            }
        }
    }
}
