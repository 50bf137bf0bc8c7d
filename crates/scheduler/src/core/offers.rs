//! Offers: taken when something waits, and not wanted when nothing does.

use mesos::v1::cygnet::HealthAction;
use mesos::v1::offer::operation;
use mesos::v1::{Filters, Offer, TaskInfo};

use super::{Core, calls};
use crate::definition::Kind;
use crate::executor::{Executor, Overhead};
use crate::ids::{AppId, InstanceId};
use crate::instance::Condition;
use crate::instance::member::Member;
use crate::matching::{self, Placement, Wish};
use crate::portion::Portion;
use crate::spread::Site;
use crate::task;
use crate::task::group;
use crate::time::Now;

/// For how long the rest of an offer is not wanted while something waits that did not fit, in seconds.
const REFUSE_SECONDS: f64 = 5.0;

/// And when nothing waits: for ever, until we ask again.
const REFUSE_LONG_SECONDS: f64 = 86_400.0;

impl Core {
    /// From now on no offer is taken.
    pub(crate) fn stop_launching(&mut self) {
        self.queue.stop();
    }

    /// Launches what fits; gives back the rest. Offers of an agent that is to be emptied were made before the master heard
    /// of that.
    pub(crate) fn offers(&mut self, offers: &[Offer], now: Now) {
        self.out.counters().offers += u64::try_from(offers.len()).unwrap_or(u64::MAX);
        let leaves = |offer: &Offer| self.drains.of(&offer.agent_id.value).is_some_and(|drain| drain.refused.is_none());
        if !offers.iter().any(leaves) {
            return self.launch_on(offers, now);
        }
        let (leaving, others): (Vec<_>, Vec<_>) = offers.iter().cloned().partition(leaves);
        let filters = Filters { refuse_seconds: Some(REFUSE_SECONDS) };
        self.out.call(leaving.iter().map(|offer| calls::decline(offer, filters)));
        self.launch_on(&others, now);
    }

    fn launch_on(&mut self, offers: &[Offer], now: Now) {
        let due = self.due(now);
        let placements = self.place(offers, &due, now);
        let filters = Filters {
            refuse_seconds: Some(if placements.len() < due.len() { REFUSE_SECONDS } else { REFUSE_LONG_SECONDS }),
        };
        for (index, offer) in offers.iter().enumerate() {
            let here = placements.iter().filter(|placement| placement.offer == index);
            let (mut tasks, mut groups) = (Vec::new(), Vec::new());
            for launch in here.filter_map(|placement| self.launch(placement, offer, now)) {
                match launch {
                    Launch::Task(task) => tasks.push(*task),
                    Launch::Group(group) => groups.push(*group),
                }
            }
            self.out.call([if tasks.is_empty() && groups.is_empty() {
                calls::decline(offer, filters)
            } else {
                calls::accept(offer, tasks, groups, filters)
            }]);
        }
    }

    /// Instances that wait and whose app may launch now, longest waiting first.
    fn due(&self, now: Now) -> Vec<InstanceId> {
        let apps = self.instances.waiting().filter(|(app, _)| self.queue.is_due(app, now.moment));
        let mut due: Vec<_> = apps.flat_map(|(_, ids)| ids).cloned().collect();
        due.sort_by_cached_key(|id| self.instances.entered(id));
        due
    }

    fn place(&mut self, offers: &[Offer], due: &[InstanceId], now: Now) -> Vec<Placement> {
        if due.is_empty() {
            return Vec::new();
        }
        let mut dice = self.queue.dice();
        let wish = |id| {
            let instance = self.instances.get(id)?;
            let app = self.definitions.of(instance)?;
            let overhead = Overhead::of(app, self.launches.executor_command.as_ref());
            Some(Wish { instance: &instance.id, app, role: self.definitions.role_of(app), overhead })
        };
        let wishes: Vec<_> = due.iter().filter_map(wish).collect();
        // Agents that are away count for no constraint: else whoever waits to take the place of what was there would wait
        // for them.
        let here = |app: &AppId| self.instances.of(app).filter(|found| found.condition != Condition::Unreachable);
        let neighbours =
            |app: &AppId| here(app).filter_map(|found| Some((found.place.agent_id.as_deref()?, &found.place.site)));
        let placed = matching::place(offers, &wishes, neighbours, now.wall, &mut dice);
        self.queue.note_refusals(offers, placed.refusals, now.wall);
        placed.placements
    }

    fn launch(&mut self, placement: &Placement, offer: &Offer, now: Now) -> Option<Launch> {
        let waiting = self.instances.get(&placement.instance)?;
        let pod = self.definitions.of(waiting)?.pod();
        let containers = pod.into_iter().flat_map(|pod| &pod.containers);
        let members: Vec<_> = containers.map(|container| Member::staging(&container.name, now.wall)).collect();
        self.change(&placement.instance, now, |instance| {
            instance.enter(Condition::Staging, now.wall);
            instance.times.staged_at = Some(now.wall);
            instance.place.leave();
            instance.place.host = Some(offer.hostname.clone());
            instance.place.site = Site::of(offer);
            instance.place.agent_id = Some(offer.agent_id.value.clone());
            instance.place.ports.clone_from(&placement.portion.ports);
            instance.members = members;
        })?;
        let instance = self.instances.get(&placement.instance)?;
        self.figures.launched(&instance.app);
        let app = self.definitions.of(instance)?;
        let Portion { resources, executor_resources, .. } = placement.portion.clone();
        let may_hold = self.brake.may_hold(app.brake.as_ref());
        let enforced = self.definitions.enforces_role(&app.id);
        let site = task::Site { offer, enforced, bridge: &self.launches.mesos_bridge_name };
        let framework_id = self.link.framework_id().unwrap_or_default();
        let cygnets = self.launches.executor_command.as_ref();
        let mut launch = match &app.kind {
            Kind::Pod { pod } => {
                let group = group::build(app, pod, instance, site, resources, framework_id)?;
                let executor = Executor::of_group(cygnets, group.executor);
                Launch::Group(Box::new(operation::LaunchGroup { executor, ..group }))
            }
            Kind::App(own) => {
                let task = task::build(app, own, instance, site, resources);
                let executor = Executor::of(own, cygnets);
                Launch::Task(Box::new(executor.with_task(task, executor_resources, app, own, framework_id)))
            }
        };
        if may_hold {
            launch.tasks().for_each(leave_kills_to_us);
        }
        Some(launch)
    }
}

/// Executors of ours are told to say only that a task is unhealthy, so that the brake holds for them, too. Others do not
/// know the field, and kill as Mesos has it.
fn leave_kills_to_us(task: &mut TaskInfo) {
    for check in task.health_check.iter_mut().chain(&mut task.health_checks) {
        check.action = Some(HealthAction::Report.into());
    }
}

/// The launch of one instance.
enum Launch {
    Task(Box<TaskInfo>),
    Group(Box<operation::LaunchGroup>),
}

impl Launch {
    fn tasks(&mut self) -> impl Iterator<Item = &mut TaskInfo> {
        match self {
            Launch::Task(task) => std::slice::from_mut(&mut **task).iter_mut(),
            Launch::Group(group) => group.task_group.tasks.iter_mut(),
        }
    }
}
