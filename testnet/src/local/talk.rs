//! What a run says on stderr before and after. Pure, but for looking up our own programs' names.

use std::env;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::Options;
use crate::cluster::{Layout, Plan};
use crate::load::Counts;

/// What is about to happen.
pub(super) fn beginning(options: &Options, layout: &Layout) -> String {
    let spec = &options.spec;
    let load = if options.schedule.count() == 0 {
        "no load".to_owned()
    } else {
        format!(
            "{} transactions a second for {:.0} s",
            options.schedule.rate(),
            options.schedule.duration.as_secs_f64()
        )
    };
    format!(
        "testnet of {} nodes, {} of them authorities; {load}; logs in {}",
        spec.nodes,
        spec.authorities,
        layout.dir().display()
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

/// What there is to look at.
pub(super) fn afterwards(layout: &Layout, counts: &Counts) -> String {
    let dir = quoted(layout.dir());
    let load =
        if counts.planned == 0 { String::new() } else { format!("\n{}\n", counts.to_line()) };
    format!(
        "{load}\nreport    {dir}/report.json\nlogs      {dir}/*/events.jsonl, and what the nodes \
         said in {dir}/*/node.log\nwhere did a transaction or block go?\n          {} where ID --in \
         {dir}",
        ours("hearsay-testnet"),
    )
}

/// The report was written again, over all of the run.
pub(super) fn rewritten(layout: &Layout) -> String {
    format!("the report over the whole run is in {}/report.txt", quoted(layout.dir()))
}

/// How to use a testnet that is kept.
pub(super) fn how_to_use(layout: &Layout, plan: &Plan) -> String {
    let mut text = "\nThe testnet stays up until Ctrl-C. Its nodes:\n".to_owned();
    for node in &plan.nodes {
        let role = if node.authority.is_some() { "authority" } else { "" };
        let line = format!("  {:<6}{}  {role}", node.name, node.rpc());
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let (Some(node), Some(recipient)) = (plan.nodes.last(), plan.senders.first()) else {
        return text;
    };
    let node = node.rpc();
    let _ = write!(
        text,
        "Send a transaction, and see how a node is:\n  {hearsay} tx send --from {} --to {} --amount 5 \
         --fee 1 --node {node}\n  {hearsay} status --node {node}",
        quoted(&layout.wallet_key()),
        recipient.public().address(),
        hearsay = ours("hearsay"),
    );
    text
}

/// How to call one of our programs from here: by its path, as it need not be on the `PATH`.
fn ours(name: &str) -> String {
    let path = env::current_exe().ok().and_then(|this| Some(this.parent()?.join(name)));
    let Some(path) = path else { return name.to_owned() };
    let here = env::current_dir().ok();
    let short = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    quoted(&short.unwrap_or(path))
}

/// A path as a word of a shell command.
fn quoted(path: &Path) -> String {
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
    use crate::cluster::{Ports, Spec};

    #[test]
    fn a_path_with_odd_characters_is_still_one_word() {
        assert_eq!(quoted(Path::new("out/n0")), "out/n0");
        assert_eq!(quoted(Path::new("my runs/it's")), r"'my runs/it'\''s'");
    }

    #[test]
    fn a_kept_testnet_says_how_to_send_with_a_key_that_the_load_leaves_alone() {
        let spec = Spec {
            name: "test".to_owned(),
            nodes: 2,
            authorities: 1,
            slot_ms: 1_000,
            degree: None,
            senders: 1,
            payload: 0,
            seed: 1,
        };
        let ports = [Ports { p2p: 1, rpc: 2 }, Ports { p2p: 3, rpc: 4 }];
        let plan = Plan::new(&spec, 0, &ports).unwrap();
        let text = how_to_use(&Layout::at("out".into()), &plan);
        assert!(text.contains("tx send --from out/keys/wallet.pem --to hs1"), "{text}");
        assert!(text.contains("--node http://127.0.0.1:4"), "{text}");
        assert!(text.contains("  n0    http://127.0.0.1:2  authority\n"), "{text}");
    }
}
