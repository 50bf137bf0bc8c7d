//! The part of an offer that one instance takes: the resources and ports of its task, and what its executor needs
//! beside them. Pure.

use mesos::v1::Resource;

use crate::definition::RunSpec;
use crate::definition::ports::HostPort;
use crate::executor::Overhead;
use crate::stock::{Stock, merge_ports};

/// All that one instance takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Portion {
    /// Its host ports, in the order in which they are asked for.
    pub ports: Vec<u16>,
    /// The resources of its task, or of the tasks of its pod and their executor.
    pub resources: Vec<Resource>,
    /// The resources that its executor has for itself.
    pub executor_resources: Vec<Resource>,
}

impl Portion {
    /// Takes all of it or nothing.
    pub(crate) fn take(
        stock: &mut Stock,
        app: &RunSpec,
        overhead: Overhead,
        dice: &mut fastrand::Rng,
    ) -> Option<Portion> {
        let mut rest = stock.clone().accepting(&app.accepted_resource_roles);
        let mut resources = scalars(&mut rest, &[("cpus", app.cpus), ("mem", app.mem), ("disk", app.disk)])?;
        let executor_resources = scalars(&mut rest, &[("cpus", overhead.cpus), ("mem", overhead.mem)])?;
        let (ports, port_resources) = take_ports(&mut rest, app, dice)?;
        resources.extend(merge_ports(port_resources));
        *stock = rest.accepting(&[]);
        Some(Portion { ports, resources, executor_resources })
    }
}

/// The ports of the host that an instance needs: these, or any.
pub(crate) fn wanted_ports(app: &RunSpec) -> Vec<Option<u16>> {
    let of = |host| match host {
        HostPort::None => None,
        HostPort::Any => Some(None),
        HostPort::This(port) => Some(Some(port)),
    };
    app.wanted_ports().iter().filter_map(|port| of(port.host)).collect()
}

fn scalars(stock: &mut Stock, amounts: &[(&str, f64)]) -> Option<Vec<Resource>> {
    let mut taken = Vec::new();
    for (name, amount) in amounts {
        taken.extend(stock.take_scalar(name, *amount)?);
    }
    Some(taken)
}

/// Takes the ports that must be certain ones first, so that none of these is given away as any.
fn take_ports(stock: &mut Stock, app: &RunSpec, dice: &mut fastrand::Rng) -> Option<(Vec<u16>, Vec<Resource>)> {
    let wanted = wanted_ports(app);
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|index| wanted.get(*index).copied().flatten().is_none());
    let (mut ports, mut resources) = (vec![0; wanted.len()], Vec::new());
    for index in order {
        let (port, resource) = stock.take_port(wanted.get(index).copied().flatten(), dice)?;
        *ports.get_mut(index)? = port;
        resources.push(resource);
    }
    Some((ports, resources))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AppId;
    use crate::time::Timestamp;

    #[test]
    fn an_executor_with_resources_of_its_own_leaves_the_task_all_that_the_app_has() {
        let app = RunSpec { cpus: 0.5, mem: 64.0, ..RunSpec::new(AppId::new("a"), Timestamp::from_millis(0)) };
        let app = RunSpec { port_definitions: Some(Vec::new()), ..app };
        let overhead = Overhead { cpus: 0.1, mem: 32.0 };
        let mut dice = fastrand::Rng::with_seed(1);
        let mut ample = Stock::holding(vec![Resource::scalar("cpus", 1.0), Resource::scalar("mem", 100.0)]);
        let portion = Portion::take(&mut ample, &app, overhead, &mut dice).unwrap();
        assert_eq!(portion.resources, [Resource::scalar("cpus", 0.5), Resource::scalar("mem", 64.0)]);
        assert_eq!(portion.executor_resources, [Resource::scalar("cpus", 0.1), Resource::scalar("mem", 32.0)]);
        assert_eq!((ample.scalar("cpus"), ample.scalar("mem")), (0.4, 4.0));
        let mut scarce = Stock::holding(vec![Resource::scalar("cpus", 1.0), Resource::scalar("mem", 90.0)]);
        assert_eq!(Portion::take(&mut scarce, &app, overhead, &mut dice), None);
        assert_eq!(scarce.scalar("mem"), 90.0, "nothing is taken");
    }
}
