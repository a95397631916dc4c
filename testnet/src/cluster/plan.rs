//! What is to be started, worked out beforehand: genesis, keys, addresses, and each node's settings.
//! Pure.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use hearsay_chain::genesis::{GenesisError, Limits};
use hearsay_chain::{Genesis, Keypair};
use hearsay_network::PeerId;
use hearsay_node::config::Settings;
use hearsay_node::lab::LabSettings;

use super::keys::{Role, key};
use super::layout::Layout;
use super::ports::Ports;
use crate::scenario::{LabPlan, Scenario, Transport};

/// What each sender holds at first, and the wallet too: no load spends it. Even ten thousand of
/// them stay far from the most units that there can be.
const ALLOCATION: u64 = 1_000_000_000_000;

/// Accounts beyond those of the scenario's loads, for loads that are asked for while the testnet
/// runs: each takes accounts of its own.
pub const SPARE_SENDERS: usize = 1_000;

/// A testnet that is ready to be started.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The network.
    pub genesis: Genesis,
    /// The nodes in order.
    pub nodes: Vec<NodePlan>,
    /// The accounts that send transactions: those of the scenario's loads, then spare ones.
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
    /// Where it listens for peers.
    pub listen: String,
    /// Where it listens for its user; none for a node in this process, which is asked directly.
    pub rpc: Option<SocketAddr>,
    /// Whom it dials.
    pub bootstrap: Vec<String>,
    /// With which others it is to be connected, by number; or may be, if it finds them itself.
    pub neighbours: Vec<usize>,
    /// Whether it finds others itself.
    pub finds: bool,
    /// What its settings say beyond the defaults.
    pub overrides: toml::Table,
}

impl Plan {
    /// Works out the testnet of a scenario, whose first slot begins at `time_ms`. There must be ports
    /// for each node; memory addresses take the place of the ports where the scenario says so.
    ///
    /// # Errors
    /// What is asked for is outside what any network can run by.
    pub fn new(
        scenario: &Scenario,
        plan: &LabPlan,
        time_ms: u64,
        ports: &[Ports],
    ) -> Result<Self, GenesisError> {
        let key = |role, index| key(scenario.seed, role, index);
        let authorities: BTreeMap<usize, Keypair> = plan
            .authorities
            .iter()
            .enumerate()
            .map(|(index, node)| (*node, key(Role::Authority, index)))
            .collect();
        let senders: Vec<_> =
            (0..plan.senders + SPARE_SENDERS).map(|index| key(Role::Sender, index)).collect();
        let wallet = key(Role::Wallet, 0);
        let keys = plan.authorities.iter().filter_map(|node| authorities.get(node));
        let genesis = genesis(
            scenario,
            scenario.largest_payload(),
            time_ms,
            keys.map(Keypair::public).collect(),
            senders.iter().chain([&wallet]),
        );
        genesis.check()?;
        let identities: Vec<_> = (0..plan.nodes()).map(|node| key(Role::Node, node)).collect();
        let listens: Vec<_> = ports.iter().map(|ports| listen(scenario, *ports)).collect();
        let address = |node: usize| {
            let peer = hearsay_network::peer_id(&identities[node].seed());
            format!("{}/p2p/{peer}", listens[node])
        };
        let node = |(node, ports): (usize, &Ports)| NodePlan {
            name: format!("n{node}"),
            identity: identities[node].clone(),
            authority: authorities.get(&node).cloned(),
            listen: listens[node].clone(),
            rpc: (!scenario.nodes.in_process)
                .then(|| SocketAddr::from((Ipv4Addr::LOCALHOST, ports.rpc))),
            bootstrap: plan.dials(node).map(address).collect(),
            neighbours: plan.neighbours(node).collect(),
            finds: plan.bootstrap.is_some(),
            overrides: plan.overrides.get(node).cloned().unwrap_or_default(),
        };
        let nodes = (0..plan.nodes()).zip(ports).map(node).collect();
        Ok(Self { genesis, nodes, senders, wallet })
    }
}

fn listen(scenario: &Scenario, ports: Ports) -> String {
    match scenario.nodes.transport {
        Transport::Tcp => format!("/ip4/127.0.0.1/tcp/{}", ports.p2p),
        Transport::Memory => format!("/memory/{}", ports.p2p),
    }
}

fn genesis<'a>(
    scenario: &Scenario,
    payload: u64,
    time_ms: u64,
    authorities: Vec<hearsay_chain::PublicKey>,
    funded: impl Iterator<Item = &'a Keypair>,
) -> Genesis {
    let mut limits = Limits::default();
    // A limit that the payload does not fit in is raised to it; what no network bears, the check
    // of the genesis refuses.
    limits.payload_bytes = limits.payload_bytes.max(u32::try_from(payload).unwrap_or(u32::MAX));
    Genesis {
        name: format!("{}-{}", scenario.name, scenario.seed),
        time_ms,
        slot_ms: u64::try_from(scenario.nodes.slot.as_millis()).unwrap_or(u64::MAX),
        schedule: scenario.nodes.schedule,
        authorities,
        limits,
        allocations: funded.map(|key| (key.public().address(), ALLOCATION)).collect(),
    }
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
        format!("{}/p2p/{}", self.listen, self.peer())
    }

    /// Where its user reaches it.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.rpc.map(|rpc| format!("http://{rpc}"))
    }

    /// All its settings.
    ///
    /// # Errors
    /// What the scenario sets of it is no setting, in words; the scenario was checked, so it is one.
    pub fn settings(&self, layout: &Layout, lab: LabSettings) -> Result<Settings, String> {
        let mut settings = Settings::in_dir(layout.node(&self.name));
        settings.name = Some(self.name.clone());
        settings.genesis = layout.genesis();
        settings.listen = vec![self.listen.clone()];
        settings.bootstrap.clone_from(&self.bootstrap);
        settings.rpc = self.rpc.unwrap_or(settings.rpc);
        settings.events = layout.events(&self.name);
        settings.node_key = layout.node_key(&self.name);
        settings.authority_key = self.authority.as_ref().map(|_| layout.authority_key(&self.name));
        settings.lab = Some(lab);
        // Else the scenario says who is connected to whom.
        settings.discovery.slots = self.finds;
        let mut table = toml::Table::try_from(&settings).map_err(|error| error.to_string())?;
        merge(&mut table, &self.overrides);
        table.try_into().map_err(|error: toml::de::Error| error.to_string())
    }

    /// The arguments of the `hearsay` that is this node. The launcher holds the other end of the
    /// node's stdin: however the launcher ends, and be it by a kill -9, that end closes and the node
    /// stops.
    #[must_use]
    pub fn arguments(&self, config: &Path) -> Vec<OsString> {
        vec!["run".into(), "--config".into(), config.into(), "--exit-with-stdin".into()]
    }
}

/// Puts what `over` says in the place of what `table` says, table by table.
fn merge(table: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (table.get_mut(key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(over)) => merge(inner, over),
            _ => drop(table.insert(key.clone(), value.clone())),
        }
    }
}
