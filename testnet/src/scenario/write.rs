//! A scenario's tree as canonical text: keys in the order they stood, without comments, each section
//! under its header and what is deeper on one line.

use std::fmt::Write;

use super::tree::{Entry, Item, Table, Value};

/// The text.
pub(super) fn write(table: &Table) -> String {
    let mut text = String::new();
    let (sections, values): (Vec<_>, Vec<_>) =
        table.entries.iter().partition(|entry| is_section(&entry.item));
    for entry in values {
        line(&mut text, entry);
    }
    for Entry { key, item, .. } in sections {
        match &item.value {
            Value::Table(table) => section(&mut text, &format!("[{}]", quoted_key(key)), table),
            Value::List(items) => {
                for item in items {
                    if let Value::Table(table) = &item.value {
                        section(&mut text, &format!("[[{}]]", quoted_key(key)), table);
                    }
                }
            }
            _ => {}
        }
    }
    text
}

fn is_section(item: &Item) -> bool {
    match &item.value {
        Value::Table(_) => true,
        Value::List(items) => {
            !items.is_empty() && items.iter().all(|item| matches!(item.value, Value::Table(_)))
        }
        _ => false,
    }
}

fn section(text: &mut String, header: &str, table: &Table) {
    text.push('\n');
    text.push_str(header);
    text.push('\n');
    for entry in &table.entries {
        line(text, entry);
    }
}

fn line(text: &mut String, entry: &Entry) {
    text.push_str(&quoted_key(&entry.key));
    text.push_str(" = ");
    value(text, &entry.item);
    text.push('\n');
}

fn value(text: &mut String, item: &Item) {
    // Writing to a string cannot fail.
    let _ = match &item.value {
        Value::Bool(value) => write!(text, "{value}"),
        Value::Int(value) => write!(text, "{value}"),
        Value::Float(value) => write!(text, "{value:?}"),
        Value::Text(value) | Value::Other(value) => write!(text, "{}", quoted(value)),
        Value::List(items) => {
            text.push('[');
            for (nth, item) in items.iter().enumerate() {
                text.push_str(if nth == 0 { "" } else { ", " });
                value(text, item);
            }
            write!(text, "]")
        }
        Value::Table(table) => {
            text.push_str("{ ");
            for (nth, entry) in table.entries.iter().enumerate() {
                let comma = if nth == 0 { "" } else { ", " };
                let _ = write!(text, "{comma}{} = ", quoted_key(&entry.key));
                value(text, &entry.item);
            }
            write!(text, " }}")
        }
    };
}

fn quoted_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::problem::Problems;
    use super::super::tree::parse;
    use super::*;

    fn again(text: &str) -> String {
        let problems = Problems::new(&"a".into());
        let table = parse(text, &problems);
        assert!(problems.into_sorted().0.is_empty(), "{text}");
        write(&table)
    }

    #[test]
    fn the_text_says_the_same_in_the_same_order() {
        let text = "# a comment\nname = \"a \\\"b\\\" \\\\ \\u0007\"\n[nodes]\ncount = 1_0\n[[at]]\ntime = '1s'\n\
                    cut = [['n0'], ['*']]\n[[at]]\nslow.nodes = ['n1']\nslow.factor = 2.0\n\
                    [assert]\n'tx.latency_ms.p99' = '< 800'\n[links]\n[[links.edge]]\nloss = 1e-7\n";
        let written = again(text);
        assert_eq!(
            written,
            "name = \"a \\\"b\\\" \\\\ \\u0007\"\n\n[nodes]\ncount = 10\n\n[[at]]\ntime = \"1s\"\n\
             cut = [[\"n0\"], [\"*\"]]\n\n[[at]]\nslow = { nodes = [\"n1\"], factor = 2.0 }\n\n\
             [assert]\n\"tx.latency_ms.p99\" = \"< 800\"\n\n[links]\nedge = [{ loss = 1e-7 }]\n"
        );
        let read = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
        assert_eq!(read(text), read(&written));
        assert_eq!(again(&written), written, "written once more it is the same");
    }
}
