//! The disk of the world: everything that was persisted, by what it is.

use std::collections::BTreeMap;

use crate::ids::TaskKey;
use crate::log::{Change, Recovered};
use crate::status_updates;

#[derive(Default)]
pub(super) struct Disk {
    content: Recovered,
    updates: BTreeMap<(TaskKey, u64), status_updates::UpdateRecord>,
}

impl Disk {
    pub(super) fn apply(&mut self, change: &Change) {
        let content = &mut self.content;
        match change.clone() {
            Change::Agent(record) => content.agent = Some(*record),
            Change::Framework(id, info) => drop(content.frameworks.insert(id, *info)),
            Change::Executor(record) => {
                content.executors.retain(|known| known.container != record.container);
                content.executors.push(*record);
            }
            Change::Task(record) => {
                content.tasks.retain(|known| known.container != record.container || known.key() != record.key());
                content.tasks.push(*record);
            }
            Change::Pool(record) => {
                content.pools.retain(|known| known.framework_id != record.framework_id);
                content.pools.push(*record);
            }
            Change::Update(status_updates::UpdateChange::Put { key, number, record }) => {
                self.updates.insert((key, number), *record);
            }
            Change::Update(status_updates::UpdateChange::Delete { key, numbers }) => {
                numbers.into_iter().for_each(|number| drop(self.updates.remove(&(key.clone(), number))));
            }
            Change::ForgetFramework(id) => drop(content.frameworks.remove(&id)),
            Change::ForgetExecutor(_, container) => {
                content.executors.retain(|known| known.container != container.value);
            }
            Change::ForgetTask(container, key) => {
                content.tasks.retain(|known| known.container != container.value || known.key() != key);
            }
            Change::ForgetPool(framework) => content.pools.retain(|known| known.framework() != framework),
        }
    }

    /// The records an agent finds when it starts.
    pub(super) fn recovered(&self) -> Recovered {
        let updates = &self.updates;
        let updates = updates.iter().map(|((key, number), record)| (key.clone(), *number, record.clone())).collect();
        Recovered { updates, ..self.content.clone() }
    }

    /// Nothing but who the agent is.
    pub(super) fn check_empty(&self) {
        let left = Recovered { agent: None, ..self.recovered() };
        assert_eq!(left, Recovered::default(), "nothing is left on disk");
    }
}
