//! The network as a configuration of Shadow (shadow.github.io), a simulator that runs real programs.
//!
//! It follows Shadow's documented format. It is checked for what it says, not by a run: where this
//! is built there is no Shadow. What Shadow has no words for is told in the comments at its
//! beginning: loads, actions, the rates of single links, and jitter, which Shadow reads but does not
//! play.

use std::fmt::Write;
use std::time::Duration;

use crate::cluster::keys::{Role, key};
use crate::scenario::{LabPlan, Scenario};

/// Shadow wants a rate for each host: as much as its documentation's examples give where it is not to
/// matter, ten times over.
const UNLIMITED: u64 = 10_000_000_000 / 8;

/// The ports of every node; each has an address of its own.
const PORT: u16 = 7_700;

/// The port of every node's RPC, on its own loopback interface.
const RPC_PORT: u16 = 7_780;

/// Shadow runs each process in `shadow.data/hosts/NAME`, below the folder it is started in.
const UP: &str = "../../..";

/// What a person has to do besides.
const HEADER: &str = "\
# Not tried: it follows Shadow's documented format, but was made where there is no Shadow.
#
# Start it in a folder with `genesis.toml`, and `nK/node.pem` (and `nK/authority.pem`) for each node,
# made with the same seed: `hearsay-testnet up SCENARIO.toml --out DIR` leaves them in DIR. Shadow's
# clock begins on 1 January 2000, so set the genesis file's `time_ms` to 946684800000.
#
# Not in here, because Shadow has no words for it: load (hand it in with processes of `hearsay tx
# send`), actions after the start, rates of single links, and jitter.
";

/// A scenario's network for Shadow: one location for each node, every path between two of them with
/// its delay and loss, and each node's command line.
#[must_use]
pub fn shadow(scenario: &Scenario) -> String {
    let plan = scenario.layout();
    let mut yaml = format!("# {}\n", scenario.name);
    yaml.push_str(HEADER);
    let settle = scenario.settle.unwrap_or(Duration::from_secs(15));
    // Writing to a string cannot fail.
    let _ = write!(
        yaml,
        "general:\n  stop_time: {} s\n  seed: {}\nnetwork:\n  use_shortest_path: false\n  graph:\n    \
         type: gml\n    inline: |\n",
        (scenario.duration + settle).as_secs() + 1,
        // Shadow's seed has 32 bits.
        scenario.seed & u64::from(u32::MAX),
    );
    graph(&mut yaml, &plan);
    yaml.push_str("hosts:\n");
    for node in 0..plan.nodes() {
        host(&mut yaml, scenario.seed, &plan, node);
    }
    yaml
}

/// The graph in GML: without shortest paths, Shadow wants an edge between each two locations, and from
/// each to itself.
fn graph(yaml: &mut String, plan: &LabPlan) {
    let mut line = |text: String| {
        let _ = writeln!(yaml, "      {text}");
    };
    line("graph [".to_owned());
    line("  directed 1".to_owned());
    for node in 0..plan.nodes() {
        let bits = |rate: Option<u64>| rate.unwrap_or(UNLIMITED) * 8;
        let (up, down) = (bits(plan.access[node].up), bits(plan.access[node].down));
        line(format!(
            "  node [ id {node} label \"n{node}\" host_bandwidth_up \"{up} bit\" \
             host_bandwidth_down \"{down} bit\" ]"
        ));
    }
    for from in 0..plan.nodes() {
        for to in 0..plan.nodes() {
            let link = plan.link(from, to);
            // A path that takes no time is refused.
            let (us, loss) = match from == to {
                true => (1, 0.0),
                false => (link.delay.as_micros().max(1), link.loss),
            };
            line(format!(
                "  edge [ source {from} target {to} latency \"{us} us\" packet_loss {loss:?} ]"
            ));
        }
    }
    line("]".to_owned());
}

fn host(yaml: &mut String, seed: u64, plan: &LabPlan, node: usize) {
    let mut arguments = vec![
        "run".to_owned(),
        format!("--genesis {UP}/genesis.toml"),
        "--data-dir data".to_owned(),
        format!("--name n{node}"),
        format!("--listen /ip4/0.0.0.0/tcp/{PORT}"),
        format!("--rpc 127.0.0.1:{RPC_PORT}"),
        "--events events.jsonl".to_owned(),
        format!("--discovery-slots {}", plan.bootstrap.is_some()),
        format!("--node-key {UP}/n{node}/node.pem"),
    ];
    if plan.authorities.contains(&node) {
        arguments.push(format!("--authority-key {UP}/n{node}/authority.pem"));
    }
    for other in plan.dials(node) {
        let peer = hearsay_network::peer_id(&key(seed, Role::Node, other).seed());
        arguments.push(format!("--bootstrap /ip4/{}/tcp/{PORT}/p2p/{peer}", address(other)));
    }
    for (name, value) in flags(&plan.overrides[node], "") {
        arguments.push(format!("--{name} {value}"));
    }
    let _ = write!(
        yaml,
        "  n{node}:\n    network_node_id: {node}\n    ip_addr: {}\n    processes:\n    \
         - path: hearsay\n      args: {}\n      start_time: {} ms\n      \
         expected_final_state: running\n",
        address(node),
        arguments.join(" "),
        plan.starts[node].as_millis(),
    );
}

/// An address of a node's own, from 11.0.0.1 on: no block that is reserved.
fn address(node: usize) -> std::net::Ipv4Addr {
    let number = u32::try_from(node).unwrap_or(u32::MAX - 1) + 1;
    std::net::Ipv4Addr::from_bits(std::net::Ipv4Addr::new(11, 0, 0, 0).to_bits() | number)
}

/// A node's settings as flags: `gossip.mesh_low` is `--gossip-mesh-low`.
fn flags(table: &toml::Table, prefix: &str) -> Vec<(String, String)> {
    let flag = |(key, value): (&String, &toml::Value)| {
        let name = format!("{prefix}{}", key.replace('_', "-"));
        match value {
            toml::Value::Table(inner) => flags(inner, &format!("{name}-")),
            toml::Value::String(text) => vec![(name, text.clone())],
            other => vec![(name, other.to_string())],
        }
    };
    table.iter().flat_map(flag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = \"three\"\nseed = 3\nduration = \"20s\"\nsettle = \"5s\"\n\
        [nodes]\ncount = 3\nauthorities = 1\n[topology]\nkind = \"line\"\n\
        [links]\ndelay = \"50ms\"\nuplink = \"8Mbit\"\nloss = 0.01\n[gossip]\nmesh = 2\n\
        [[node]]\nnames = \"n2\"\nstart = \"4s\"\n";

    #[test]
    fn each_node_is_a_host_with_its_command_line() {
        let yaml = shadow(&Scenario::parse(TEXT, "t.toml").unwrap());
        assert!(yaml.contains("stop_time: 26 s\n"), "{yaml}");
        let hosts = yaml.split_once("\nhosts:\n").unwrap().1;
        assert_eq!(hosts.matches("- path: hearsay\n").count(), 3);
        let (_, last) = hosts.split_once("  n2:\n").unwrap();
        let peer = hearsay_network::peer_id(&key(3, Role::Node, 1).seed());
        assert_eq!(
            last,
            format!(
                "    network_node_id: 2\n    ip_addr: 11.0.0.3\n    processes:\n    - path: hearsay\n      \
                 args: run --genesis ../../../genesis.toml --data-dir data --name n2 \
                 --listen /ip4/0.0.0.0/tcp/7700 --rpc 127.0.0.1:7780 --events events.jsonl \
                 --discovery-slots false --node-key ../../../n2/node.pem --bootstrap /ip4/11.0.0.2/tcp/7700/p2p/{peer} \
                 --gossip-mesh 2 --gossip-mesh-high 4 --gossip-mesh-low 1\n      \
                 start_time: 4000 ms\n      expected_final_state: running\n"
            )
        );
    }

    #[test]
    fn every_path_is_there_with_its_delay_and_loss() {
        let yaml = shadow(&Scenario::parse(TEXT, "t.toml").unwrap());
        assert_eq!(yaml.matches("edge [").count(), 9);
        assert!(yaml.contains("source 0 target 2 latency \"50000 us\" packet_loss 0.01 ]"));
        assert!(yaml.contains("source 1 target 1 latency \"1 us\" packet_loss 0.0 ]"));
        assert!(yaml.contains(
            "id 0 label \"n0\" host_bandwidth_up \"8000000 bit\" host_bandwidth_down \"10000000000 bit\""
        ));
    }
}
