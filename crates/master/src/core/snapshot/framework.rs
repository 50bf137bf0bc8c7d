//! One framework at one moment.

use std::sync::Arc;

use mesos::resources::Resources;
use mesos::v1;
use mesos::v1::master::response::get_frameworks;

use super::super::Core;
use super::super::frameworks::{Framework, TaskLists, Times};
use super::super::offers::Offer;
use super::Depth;
use crate::allocator::Constraints;
use crate::ids::{AgentId, FrameworkId};

#[derive(Debug, Clone)]
pub(crate) struct FrameworkView {
    pub(crate) id: FrameworkId,
    pub(crate) info: Arc<v1::FrameworkInfo>,
    pub(crate) constraints: Arc<Constraints>,
    pub(crate) connected: bool,
    pub(crate) recovered: bool,
    pub(crate) times: Times,
    pub(crate) used: Resources,
    pub(crate) offered: Resources,
    /// Each as the framework saw it.
    pub(crate) offers: Vec<(Offer, v1::Offer)>,
    pub(crate) executors: Vec<(AgentId, Arc<v1::ExecutorInfo>)>,
    pub(crate) tasks: TaskLists,
}

impl Core {
    /// `offered` is what is offered to it on any agent.
    pub(in crate::core) fn framework_view(
        &self,
        framework: &Framework,
        offered: Option<&Resources>,
        depth: Depth,
    ) -> FrameworkView {
        let offers = self.offers.iter().filter(|offer| offered.is_some() && offer.framework == *framework.id());
        let offers = offers.filter_map(|offer| Some((offer.clone(), self.offer_wire(offer)?)));
        FrameworkView {
            id: framework.id().clone(),
            info: framework.info().clone(),
            constraints: framework.constraints().clone(),
            connected: framework.is_connected(),
            recovered: framework.is_recovered(),
            times: framework.times(),
            used: self.agents.used_by(framework.id()),
            offered: offered.cloned().unwrap_or_default(),
            offers: offers.collect(),
            executors: self.agents.executors_of(framework.id()),
            tasks: if depth == Depth::WithTasks { framework.tasks.lists() } else { TaskLists::default() },
        }
    }
}

impl FrameworkView {
    /// As the operator API has it.
    pub(crate) fn wire(&self) -> get_frameworks::Framework {
        get_frameworks::Framework {
            framework_info: (*self.info).clone(),
            active: self.connected,
            connected: self.connected,
            recovered: self.recovered,
            registered_time: Some(v1::TimeInfo::since_epoch(self.times.registered)),
            reregistered_time: Some(v1::TimeInfo::since_epoch(
                self.times.reregistered.unwrap_or(self.times.registered),
            )),
            unregistered_time: self.times.unregistered.map(v1::TimeInfo::since_epoch),
            offers: self.offers.iter().map(|(_, wire)| wire.clone()).collect(),
            allocated_resources: self.used.to_wire_with_roles(),
            offered_resources: self.offered.to_wire_with_roles(),
            offer_constraints: Some(self.constraints.wire().clone()),
            ..get_frameworks::Framework::default()
        }
    }

    /// As the events of the operator API have it: these always name the end, and never constraints.
    pub(crate) fn announced(&self) -> get_frameworks::Framework {
        let end = self.times.unregistered.unwrap_or_default();
        get_frameworks::Framework {
            unregistered_time: Some(v1::TimeInfo::since_epoch(end)),
            offer_constraints: None,
            ..self.wire()
        }
    }
}
