//! The surroundings of an app's task: its networks, its container, and how these go together. Older forms are taken
//! up; a network of the container's own brings ports of its own.

use super::AppUpdate;
use super::container::ContainerUpdate;
use crate::definition::app::App;
use crate::definition::container::Container;
use crate::definition::network::{self, Mode, Network};
use crate::definition::port::PortDefinition;
use crate::definition::port_mapping::PortMapping;
use crate::definition::run_spec::RunSpec;
use crate::definition::validate::Faults;

impl AppUpdate {
    /// Takes up networks and container. `ports` is the number of `ports` that were sent, the oldest form.
    pub(super) fn surroundings(
        &mut self,
        spec: &mut RunSpec,
        app: &mut App,
        ports: Option<usize>,
        faults: &mut Faults,
    ) {
        let address = self.ip_address.take();
        let implied = || address.is_some().then(ContainerUpdate::plain);
        let sent = self.container.take().or_else(implied);
        let networks = self.networks.take();
        let older = sent.as_ref().and_then(|sent| sent.networks(address.as_ref(), networks.as_ref(), faults));
        let is_older = older.is_some();
        if let Some(networks) = older.or(networks) {
            app.networks = if networks.is_empty() { vec![Network::default()] } else { networks };
        }
        if let Some(sent) = sent {
            let container = sent.container(address.as_ref(), faults);
            let mapped = container.port_mappings.as_ref().is_some_and(|ports| !ports.is_empty());
            let allowed = is_older || !mapped || !network::is_host(&app.networks);
            faults.require(allowed, "/", "portMappings are not allowed with host-networking");
            app.container = Some(container);
        }
        if network::is_host(&app.networks) {
            on_host(spec, app);
        } else {
            in_network(spec, app, ports);
        }
    }
}

/// On the host's network the ports are the host's.
fn on_host(spec: &mut RunSpec, app: &mut App) {
    spec.port_definitions.get_or_insert_with(|| vec![PortDefinition::usual()]);
    if let Some(container) = &mut app.container {
        container.port_mappings = None;
    }
}

/// In a network of its own there is a container with ports, one if nobody says how many; as many as there are `ports`, which
/// was the oldest way to say it.
fn in_network(spec: &mut RunSpec, app: &mut App, ports: Option<usize>) {
    spec.require_ports = false;
    spec.port_definitions = None;
    let mappings = &mut app.container.get_or_insert_with(Container::plain).port_mappings;
    let mappings = mappings.get_or_insert_with(|| vec![PortMapping::usual()]);
    mappings.resize_with(mappings.len().max(ports.unwrap_or(0)), PortMapping::default);
    if app.networks.iter().any(|network| network.mode == Mode::Bridge) {
        mappings.iter_mut().for_each(|mapping| mapping.host_port = mapping.host_port.or(Some(0)));
    }
}
