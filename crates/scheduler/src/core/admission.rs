//! What is asked of a definition that only all the others together can tell: a role that is ours, and service ports that
//! no other app has.

use std::collections::BTreeSet;

use super::{Core, Refusal};
use crate::app::{App, Fault, Faults};

/// Service ports that are given out, as in Marathon: load balancers listen on them.
const SERVICE_PORTS: std::ops::RangeInclusive<u16> = 10_000..=20_000;

impl Core {
    /// The definition as it will be wanted.
    pub(super) fn admit(&self, mut app: App) -> Result<App, Refusal> {
        let mut faults = Faults::default();
        self.check_role(&app, &mut faults);
        self.give_service_ports(&mut app);
        Ok(faults.or(app)?)
    }

    fn check_role(&self, app: &App, faults: &mut Faults) {
        if let Some(role) = app.role.as_ref().filter(|role| **role != self.role) {
            faults.add(Fault::new("/role", format!("got {role}, expected {}", self.role)));
        }
    }

    /// A port that may be any gets a number of its own, under which a load balancer offers the app.
    fn give_service_ports(&self, app: &mut App) {
        if app.require_ports || app.port_definitions.iter().all(|port| port.port != 0) {
            return;
        }
        let wanted = self.apps.values().filter(|record| !record.removed).map(|record| &record.app);
        let others = wanted.filter(|other| other.id != app.id).flat_map(|other| &other.port_definitions);
        let taken: BTreeSet<u16> = others.chain(&app.port_definitions).map(|port| port.port).collect();
        let mut free = SERVICE_PORTS.filter(|port| !taken.contains(port));
        for port in app.port_definitions.iter_mut().filter(|port| port.port == 0) {
            port.port = free.next().unwrap_or(0);
        }
    }
}
