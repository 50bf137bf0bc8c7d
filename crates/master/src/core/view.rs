//! What the outside may read: built from the core on demand, inside its task, so that every answer is one moment's.

pub(crate) mod legacy;
pub(crate) mod metrics;
mod operator;

use mesos::resources::Resources;

use super::Core;
use super::framework::Framework;
use super::offers::Offer;
use crate::ids::{AgentId, FrameworkId};

impl Core {
    /// What a framework's tasks and executors hold.
    fn used_by(&self, framework: &FrameworkId) -> Resources {
        self.agents.values().filter_map(|agent| agent.used.get(framework)).sum()
    }

    fn offers_of<'a>(&'a self, framework: &'a FrameworkId) -> impl Iterator<Item = &'a Offer> {
        self.offers.iter().filter(move |offer| offer.framework == *framework)
    }

    fn offered_to(&self, framework: &FrameworkId) -> Resources {
        self.offers_of(framework).map(|offer| &offer.resources).sum()
    }

    fn offered_on(&self, agent: &AgentId) -> Resources {
        self.offers.iter().filter(|offer| offer.agent == *agent).map(|offer| &offer.resources).sum()
    }

    /// Every framework there is or was.
    fn all_frameworks(&self) -> impl Iterator<Item = &Framework> {
        self.frameworks.values().chain(&self.completed_frameworks)
    }
}
