//! The page in a real browser, without a window: what its scripts draw is read back.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;

use super::*;

/// Names by which Chromium is known.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// It is to draw and to end, and to leave the network alone.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=4000",
];

fn chromium() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    let all = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.into_iter().find(|file| file.is_file())
}

/// The document as it is after the scripts ran.
fn rendered(browser: &PathBuf, html: &str) -> String {
    let home = tempfile::tempdir().expect("a temporary folder");
    let file = home.path().join("page.html");
    fs::write(&file, html).expect("a writable folder");
    let output = Command::new(browser)
        .args(FLAGS)
        .arg(format!("--user-data-dir={}", home.path().join("profile").display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", file.display()))
        .stderr(Stdio::null())
        .output()
        .expect("the browser starts");
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).expect("a document is text")
}

/// The figures that a document shows, by path, and what is shown.
fn figures(dom: &str) -> BTreeMap<String, String> {
    let part = |text: &str, name: &str| {
        let (_, after) = text.split_once(&format!("{name}=\""))?;
        Some(after.split_once('"')?.0.to_owned())
    };
    let elements = dom.split('<').filter(|element| element.contains("data-figure="));
    let figures =
        elements.map(|element| Some((part(element, "data-figure")?, part(element, "data-value")?)));
    figures.collect::<Option<_>>().expect("every figure has its value")
}

#[test]
fn the_figures_that_a_browser_shows_are_those_of_the_report() {
    let Some(browser) = chromium() else {
        eprintln!("SKIPPED: no Chromium on PATH, so the page was not opened in a browser");
        return;
    };
    let report = lab().report();
    let dom = rendered(&browser, &super::super::report(&report));
    assert!(dom.contains("data-drawn=\"yes\""), "the scripts ran to their end");
    assert!(!dom.contains("id=\"failed-"), "every part could be drawn");
    let json = serde_json::to_value(&report).expect("it serialises");
    let shown = figures(&dom);
    // Drawn by the scripts, and not by the template.
    for path in [
        "tx.to_share_ms.75.p99",
        "block.to_share_ms.50.p50",
        "block.to_tip_ms.p99",
        "members.false_positives",
    ] {
        assert!(shown.contains_key(path), "{path}");
    }
    for (path, value) in &shown {
        let expected = path.split('.').fold(&json, |json, key| match json {
            Value::Array(list) => &list[key.parse::<usize>().expect("a place in a list")],
            _ => &json[key],
        });
        match expected {
            Value::Null => assert_eq!(value, "", "{path}"),
            Value::Bool(flag) => assert_eq!(*value, flag.to_string(), "{path}"),
            expected => assert_eq!(value.parse().ok(), expected.as_f64(), "{path}"),
        }
    }
    // The two ways of one cut are one bar.
    assert!(dom.contains(">cut: n0, n1</text>"));
    for id in [
        "arrivals",
        "shares",
        "rounds",
        "regions",
        "spent",
        "ways",
        "links",
        "blocks",
        "load",
        "calibration",
        "members",
        "nodes",
    ] {
        assert!(dom.contains(&format!("<section id=\"{id}\"")), "{id}");
    }
}
