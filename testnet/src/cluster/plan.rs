//! What is to be started, worked out beforehand: genesis, keys, connections and each node's command
//! line. Pure.

use std::ffi::OsString;
use std::path::Path;

use hearsay_chain::genesis::{GenesisError, Limits, Schedule};
use hearsay_chain::{Genesis, Keypair};
use hearsay_network::PeerId;

use super::keys::{Role, key};
use super::layout::Layout;
use super::ports::Ports;
use crate::topology::Topology;

/// What each sender holds at first, and the wallet too: no load spends it. Even ten thousand of
/// them stay far from the most units that there can be.
const ALLOCATION: u64 = 1_000_000_000_000;

/// Up to so many nodes, everyone knows everyone unless a degree is asked for.
pub const FULL_UP_TO: usize = 8;

/// How many others each node knows in a larger testnet: the size that gossip aims at for its mesh.
pub const DEGREE: usize = 6;

/// What is asked of a testnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The network's name.
    pub name: String,
    /// How many nodes.
    pub nodes: usize,
    /// How many of them propose blocks: the first ones.
    pub authorities: usize,
    /// The length of a slot in milliseconds.
    pub slot_ms: u64,
    /// How many others each node knows; none: all of them in a small testnet, else [`DEGREE`].
    pub degree: Option<usize>,
    /// How many accounts send transactions.
    pub senders: usize,
    /// The payload of each transaction in bytes.
    pub payload: usize,
    /// Where keys and connections come from.
    pub seed: u64,
}

impl Spec {
    /// Who knows whom.
    #[must_use]
    pub fn topology(&self) -> Topology {
        match self.degree {
            Some(degree) => Topology::random(self.nodes, degree, self.seed),
            None if self.nodes <= FULL_UP_TO => Topology::full(self.nodes),
            None => Topology::random(self.nodes, DEGREE, self.seed),
        }
    }
}

/// A testnet that is ready to be started.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The network.
    pub genesis: Genesis,
    /// Who knows whom.
    pub topology: Topology,
    /// The nodes in order.
    pub nodes: Vec<NodePlan>,
    /// The accounts that send transactions.
    pub senders: Vec<Keypair>,
    /// An account that no load uses.
    pub wallet: Keypair,
}

/// One node of a [`Plan`].
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Its name: `n0`, `n1` and so on.
    pub name: String,
    /// Its key on the network.
    pub identity: Keypair,
    /// The key that it proposes blocks with.
    pub authority: Option<Keypair>,
    /// Where it listens.
    pub ports: Ports,
    /// Whom it dials.
    pub bootstrap: Vec<String>,
    /// With how many others it is to be connected.
    pub degree: usize,
}

impl Plan {
    /// Works out the testnet that `spec` asks for, whose first slot begins at `time_ms`. There must
    /// be ports for each node.
    ///
    /// # Errors
    /// What is asked for is outside what any network can run by.
    pub fn new(spec: &Spec, time_ms: u64, ports: &[Ports]) -> Result<Self, GenesisError> {
        let keys = |role, count| (0..count).map(move |index| key(spec.seed, role, index));
        let (identities, authorities): (Vec<_>, Vec<_>) = (
            keys(Role::Node, spec.nodes).collect(),
            keys(Role::Authority, spec.authorities).collect(),
        );
        let senders: Vec<_> = keys(Role::Sender, spec.senders).collect();
        let wallet = key(spec.seed, Role::Wallet, 0);
        let genesis = genesis(spec, time_ms, &authorities, senders.iter().chain([&wallet]));
        genesis.check()?;
        let topology = spec.topology();
        let addresses: Vec<_> =
            identities.iter().zip(ports).map(|(key, at)| address(key, *at)).collect();
        let nodes = identities.into_iter().zip(ports).enumerate();
        let nodes = nodes
            .map(|(node, (identity, &ports))| NodePlan {
                name: format!("n{node}"),
                identity,
                authority: authorities.get(node).cloned(),
                ports,
                bootstrap: topology.dials(node).map(|other| addresses[other].clone()).collect(),
                degree: topology.degree(node),
            })
            .collect();
        Ok(Self { genesis, topology, nodes, senders, wallet })
    }
}

fn genesis<'a>(
    spec: &Spec,
    time_ms: u64,
    authorities: &[Keypair],
    funded: impl Iterator<Item = &'a Keypair>,
) -> Genesis {
    let mut limits = Limits::default();
    // A limit that the payload does not fit in is raised to it; what no network bears, the check
    // of the genesis refuses.
    limits.payload_bytes =
        limits.payload_bytes.max(u32::try_from(spec.payload).unwrap_or(u32::MAX));
    Genesis {
        name: spec.name.clone(),
        time_ms,
        slot_ms: spec.slot_ms,
        schedule: Schedule::RoundRobin,
        authorities: authorities.iter().map(Keypair::public).collect(),
        limits,
        allocations: funded.map(|key| (key.public().address(), ALLOCATION)).collect(),
    }
}

fn address(identity: &Keypair, ports: Ports) -> String {
    format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", ports.p2p, hearsay_network::peer_id(&identity.seed()))
}

impl NodePlan {
    /// Its id on the network.
    #[must_use]
    pub fn peer(&self) -> PeerId {
        hearsay_network::peer_id(&self.identity.seed())
    }

    /// The address that others dial.
    #[must_use]
    pub fn address(&self) -> String {
        address(&self.identity, self.ports)
    }

    /// Where its user reaches it.
    #[must_use]
    pub fn rpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.rpc)
    }

    /// The arguments of the `hearsay` that is this node.
    #[must_use]
    pub fn arguments(&self, layout: &Layout) -> Vec<OsString> {
        let path = |path: &Path| path.as_os_str().to_owned();
        let mut arguments: Vec<OsString> = vec!["run".into()];
        let mut flag = |name: &str, value: OsString| arguments.extend([name.into(), value]);
        flag("--genesis", path(&layout.genesis()));
        flag("--data-dir", path(&layout.node(&self.name)));
        flag("--name", self.name.clone().into());
        flag("--listen", format!("/ip4/127.0.0.1/tcp/{}", self.ports.p2p).into());
        flag("--rpc", format!("127.0.0.1:{}", self.ports.rpc).into());
        flag("--events", path(&layout.events(&self.name)));
        flag("--node-key", path(&layout.node_key(&self.name)));
        if self.authority.is_some() {
            flag("--authority-key", path(&layout.authority_key(&self.name)));
        }
        for address in &self.bootstrap {
            flag("--bootstrap", address.into());
        }
        // The launcher holds the other end of the node's stdin: however the launcher ends, and be
        // it by a kill -9, that end closes and the node stops.
        arguments.push("--exit-with-stdin".into());
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec {
            name: "test".to_owned(),
            nodes: 5,
            authorities: 3,
            slot_ms: 1_000,
            degree: None,
            senders: 4,
            payload: 128,
            seed: 7,
        }
    }

    fn ports(nodes: u16) -> Vec<Ports> {
        (0..nodes).map(|node| Ports { p2p: 1_000 + node, rpc: 2_000 + node }).collect()
    }

    fn plan(spec: &Spec) -> Plan {
        Plan::new(spec, 1_700_000_000_000, &ports(spec.nodes as u16)).unwrap()
    }

    #[test]
    fn the_first_nodes_are_the_authorities_of_the_genesis() {
        let plan = plan(&spec());
        let keys: Vec<_> =
            plan.nodes.iter().filter_map(|node| Some(node.authority.as_ref()?.public())).collect();
        assert_eq!(keys, plan.genesis.authorities);
        assert!(plan.nodes[2].authority.is_some() && plan.nodes[3].authority.is_none());
    }

    #[test]
    fn senders_and_wallet_hold_units_and_nobody_else_does() {
        let plan = plan(&spec());
        assert_eq!(plan.genesis.allocations.len(), 5);
        let funded = |key: &Keypair| plan.genesis.allocations.contains_key(&key.public().address());
        assert!(plan.senders.iter().chain([&plan.wallet]).all(funded));
    }

    #[test]
    fn each_connection_is_in_the_bootstrap_list_of_one_of_its_ends() {
        let plan = plan(&spec());
        let dialled: usize = plan.nodes.iter().map(|node| node.bootstrap.len()).sum();
        assert_eq!(dialled, 10);
        assert!(plan.nodes.iter().all(|node| node.degree == 4));
        assert!(plan.nodes.iter().all(|node| !node.bootstrap.contains(&node.address())));
    }

    #[test]
    fn a_large_testnet_is_a_graph_and_not_a_full_mesh() {
        let plan = plan(&Spec { nodes: 20, ..spec() });
        assert!(plan.nodes.iter().all(|node| node.degree <= DEGREE));
    }

    #[test]
    fn a_larger_payload_raises_the_limit_and_one_beyond_all_networks_is_refused() {
        assert_eq!(plan(&spec()).genesis.limits, Limits::default());
        assert_eq!(plan(&Spec { payload: 9_000, ..spec() }).genesis.limits.payload_bytes, 9_000);
        assert!(Plan::new(&Spec { payload: 1 << 20, ..spec() }, 0, &ports(5)).is_err());
    }

    #[test]
    fn a_node_is_told_where_everything_is() {
        let plan = plan(&spec());
        let layout = Layout::at("out".into());
        let arguments = |node: usize| {
            let arguments = plan.nodes[node].arguments(&layout);
            arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let text = arguments(0).join(" ");
        assert!(text.starts_with("run --genesis out/genesis.toml --data-dir out/n0 --name n0 "));
        assert!(text.contains("--listen /ip4/127.0.0.1/tcp/1000 --rpc 127.0.0.1:2000 "), "{text}");
        assert!(text.contains("--authority-key out/n0/authority.pem"), "{text}");
        assert!(!arguments(4).contains(&"--authority-key".to_owned()));
        let bootstraps = arguments(4).iter().filter(|word| *word == "--bootstrap").count();
        assert_eq!(bootstraps, plan.nodes[4].bootstrap.len());
    }
}
