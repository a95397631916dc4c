//! Figures and names as text, for `report.txt` and for the whereabouts of a message.

use std::fmt::Display;
use std::path::Path;

use hearsay_node::trace::event::{VerdictName, Via};

use super::stats::Pair;

/// Nodes at either end of a path that are written out when it is longer than twice that.
const PATH_ENDS: usize = 4;

/// A figure with so many decimals, or a dash for one that is absent.
pub(crate) fn fixed(figure: Option<f64>, decimals: usize) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.decimals$}"))
}

/// A figure, or a dash for one that is absent.
pub(crate) fn or_dash(figure: Option<impl Display>) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| figure.to_string())
}

/// Middle and tail in milliseconds, divided by a slash.
pub(crate) fn pair(pair: Pair) -> String {
    format!("{}/{}", fixed(pair.p50, 3), fixed(pair.p99, 3))
}

/// Items with commas between them. Of more than `most`, the rest is only counted.
pub(crate) fn list(items: &[String], most: usize) -> String {
    match items.len().checked_sub(most) {
        _ if items.is_empty() => "none".to_owned(),
        None | Some(0) => items.join(", "),
        Some(more) => format!("{} and {more} more", items[..most].join(", ")),
    }
}

/// Bytes in decimal units.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let unit = units.into_iter().find(|(size, _)| bytes >= *size);
    match unit {
        Some((size, name)) => format!("{:.2} {name}", bytes as f64 / size as f64),
        None => format!("{bytes} B"),
    }
}

/// The nodes of a path; of a long one the two ends.
pub(crate) fn path(nodes: &[String]) -> String {
    if nodes.len() <= 2 * PATH_ENDS {
        return nodes.join(" → ");
    }
    let (head, tail) = (&nodes[..PATH_ENDS], &nodes[nodes.len() - PATH_ENDS..]);
    let between = nodes.len() - 2 * PATH_ENDS;
    format!("{} → ({between} more) → {}", head.join(" → "), tail.join(" → "))
}

/// A path as one word of a shell command.
pub(crate) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@~".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A line folded at spaces to at most `columns`, with the rest indented. A word that is longer than
/// that is not divided.
pub(crate) fn fold(line: &str, columns: usize) -> String {
    const INDENT: &str = "      ";
    let mut folded = String::new();
    let mut rest = line.to_owned();
    while let Some((limit, _)) = rest.char_indices().nth(columns) {
        let margin = rest.len() - rest.trim_start().len();
        let space = rest[..=limit].rfind(' ').filter(|&space| space > margin);
        let Some(space) = space else { break };
        folded += rest[..space].trim_end();
        folded.push('\n');
        rest = format!("{INDENT}{}", rest[space..].trim_start());
    }
    folded + &rest
}

/// A path's name, as in the log.
pub(crate) fn via_name(via: Via) -> &'static str {
    match via {
        Via::Gossip => "gossip",
        Via::Lazy => "lazy",
        Via::Compact => "compact",
        Via::Fetch => "fetch",
        Via::Reconcile => "reconcile",
        Via::Sync => "sync",
    }
}

/// A verdict's name, as in the log.
pub(crate) fn verdict_name(verdict: VerdictName) -> &'static str {
    match verdict {
        VerdictName::Accept => "accept",
        VerdictName::Ignore => "ignore",
        VerdictName::Reject => "reject",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_folded_at_a_space_and_a_long_word_is_kept_whole() {
        assert_eq!(fold("short", 10), "short");
        assert_eq!(fold("exactly te", 10), "exactly te");
        assert_eq!(fold("one two three four", 13), "one two three\n      four");
        assert_eq!(fold("one two three four", 12), "one two\n      three\n      four");
        assert_eq!(fold("  unbreakable-word", 10), "  unbreakable-word");
        assert_eq!(fold("a → b → c", 5), "a → b\n      → c");
    }

    #[test]
    fn lists_and_paths_are_cut_short_and_say_by_how_much() {
        let names: Vec<String> = (0..10).map(|n| format!("n{n}")).collect();
        assert_eq!(list(&names, 2), "n0, n1 and 8 more");
        assert_eq!(list(&names[..2], 2), "n0, n1");
        assert_eq!(list(&[], 2), "none");
        let text = path(&names);
        assert_eq!(text, "n0 → n1 → n2 → n3 → (2 more) → n6 → n7 → n8 → n9");
        assert_eq!(path(&names[..3]), "n0 → n1 → n2");
    }

    #[test]
    fn bytes_have_units_and_a_folder_is_one_word() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_234_567), "1.23 MB");
        assert_eq!(shell_word(Path::new("out/calm-1")), "out/calm-1");
        assert_eq!(shell_word(Path::new("it's out")), r"'it'\''s out'");
    }
}
