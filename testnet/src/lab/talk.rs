//! What a testnet says on stderr. Pure, but for looking up our own programs' names.

use std::env;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::{Fault, Lab};
use crate::scenario::Scenario;

/// What is about to happen.
pub(crate) fn beginning(scenario: &Scenario, dir: &Path) -> String {
    let plan = scenario.layout();
    let count: u64 = plan.loads.iter().map(|load| load.spec.schedule.count()).sum();
    let load = match count {
        0 => "no load".to_owned(),
        _ => format!("{count} transactions over {:.0} s", scenario.duration.as_secs_f64()),
    };
    let place = if scenario.nodes.in_process { " in one process" } else { "" };
    let links = match (&scenario.profile, plan.shaped()) {
        (Some(profile), _) => format!(", links of {profile}"),
        (None, true) => ", shaped links".to_owned(),
        (None, false) => String::new(),
    };
    let slower = match scenario.dilation {
        0 | 1 => String::new(),
        dilation => format!(", {dilation} times slower"),
    };
    format!(
        "{}: {} nodes{place}, {} of them authorities{links}{slower}; {load}; logs in {}",
        scenario.name,
        scenario.nodes.count,
        scenario.nodes.authorities,
        dir.display()
    )
}

/// The network was not at rest in time.
pub(super) fn unsettled(within: Duration) -> String {
    format!(
        "after {:.0} s there are still transactions in pools, or tips that differ; reporting what \
         there is",
        within.as_secs_f64()
    )
}

/// Some nodes' meshes are small.
pub(super) fn unmeshed(nodes: &[String]) -> String {
    let some = nodes.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let more =
        if nodes.len() > 5 { format!(" and {} more", nodes.len() - 5) } else { String::new() };
    format!(
        "the gossip meshes of {some}{more} are smaller than their settings want: that is what the \
         topology gives"
    )
}

/// A node that died, with the end of its log.
pub(super) fn at_once(fault: &Fault) -> String {
    fault.to_string()
}

/// What there is to look at.
pub(crate) fn afterwards(lab: &Lab) -> String {
    let dir = quoted(lab.layout.dir());
    let load = lab.load_line().map_or_else(String::new, |line| format!("\n{line}\n"));
    format!(
        "{load}\nreport    {dir}/report.html, .json, .txt\nlogs      {dir}/*/events.jsonl, and what the \
         nodes said in {dir}/*/node.log\nwhere did a transaction or block go?\n          {} where ID \
         --out {dir}",
        ours("hearsay-testnet"),
    )
}

/// How to use a testnet that stays up.
pub(crate) fn how_to_use(lab: &Lab) -> String {
    let mut text = "\nIts nodes:\n".to_owned();
    for node in &lab.network.nodes {
        let role = if node.authority.is_some() { "authority" } else { "" };
        let line = format!("  {:<6}{}  {role}", node.name, node.url().unwrap_or_default());
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let last = lab.network.nodes.last().and_then(crate::cluster::NodePlan::url);
    let (Some(node), Some(recipient)) = (last, lab.network.senders.first()) else {
        return text;
    };
    let _ = write!(
        text,
        "Send a transaction, and see how a node is:\n  {hearsay} tx send --from {} --to {} --amount 5 \
         --fee 1 --node {node}\n  {hearsay} status --node {node}",
        quoted(&lab.layout.wallet_key()),
        recipient.public().address(),
        hearsay = ours("hearsay"),
    );
    text
}

/// How to call one of our programs from here: by its path, as it need not be on the `PATH`.
#[must_use]
pub fn ours(name: &str) -> String {
    let path = env::current_exe().ok().and_then(|this| Some(this.parent()?.join(name)));
    let Some(path) = path else { return name.to_owned() };
    let here = env::current_dir().ok();
    let short = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    quoted(&short.unwrap_or(path))
}

/// A path as a word of a shell command.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_odd_characters_is_still_one_word() {
        assert_eq!(quoted(Path::new("out/n0")), "out/n0");
        assert_eq!(quoted(Path::new("my runs/it's")), r"'my runs/it'\''s'");
    }
}
