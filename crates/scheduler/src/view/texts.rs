//! All apps as text, for dashboards and load balancers that ask for them again and again.
//!
//! Texts of definitions and tasks are made once and kept until these change; an answer shares them. Putting
//! them together, which is most of the work, is left to whoever answers, beside the actor: [`AppText::list`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{AppFilter, Embed};
use crate::core::{AppRecord, View};
use crate::ids::{AppId, InstanceId};
use crate::instance::Instance;
use crate::time::{Now, Timestamp};

/// The texts that were made.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// By the revision that they are of.
    tasks: BTreeMap<InstanceId, (u64, Arc<str>)>,
    /// By the version that they are of.
    definitions: BTreeMap<AppId, (Timestamp, Arc<str>)>,
}

impl Texts {
    /// `GET /v2/apps`.
    pub(crate) fn apps(&mut self, view: View<'_>, filter: &AppFilter, embed: &Embed, now: Now) -> Vec<AppText> {
        let apps = view.definitions.records().filter(|record| !record.removed && record.app.app().is_some());
        let shown = apps.filter(|record| filter.matches(&record.app));
        shown.map(|record| self.app(view, record, embed, now)).collect()
    }

    /// Forgets the texts of what is gone once there are twice as many texts as there could be: so a pass costs little
    /// beside the changes since the last one, and it may be made after each.
    pub(crate) fn forget_gone(&mut self, view: View<'_>) {
        if self.definitions.len() > 2 * view.definitions.records().len() {
            self.definitions.retain(|id, _| view.definitions.get(id).is_some());
        }
        if self.tasks.len() > 2 * view.instances.values().len() {
            self.tasks.retain(|id, _| view.instances.get(id).is_some());
        }
    }

    fn app(&mut self, view: View<'_>, record: &AppRecord, embed: &Embed, now: Now) -> AppText {
        let looks_at_each = embed.tasks || embed.task_stats;
        let all = looks_at_each.then(|| view.instances.revisions_of(&record.app.id));
        let all: Vec<_> = all.into_iter().flatten().filter(|(instance, _)| instance.has_task()).collect();
        let task = |(instance, revision): &(&Instance, u64)| match embed.health {
            // It tells of times that pass.
            true => view.embedded_json(instance, embed, now).to_string().into(),
            false => self.task(&view, instance, *revision),
        };
        let tasks = embed.tasks.then(|| all.iter().map(task).collect());
        let instances: Vec<_> = all.into_iter().map(|(instance, _)| instance).collect();
        AppText { definition: self.definition(record), more: view.beside(record, &instances, embed, now), tasks }
    }

    fn definition(&mut self, record: &AppRecord) -> Arc<str> {
        let app = &record.app;
        match self.definitions.get(&app.id) {
            Some((version, text)) if *version == app.version => text.clone(),
            _ => {
                let text: Arc<str> = serde_json::to_string(app).unwrap_or_default().into();
                self.definitions.insert(app.id.clone(), (app.version, text.clone()));
                text
            }
        }
    }

    fn task(&mut self, view: &View<'_>, instance: &Instance, revision: u64) -> Arc<str> {
        match self.tasks.get(&instance.id) {
            Some((made, text)) if *made == revision => text.clone(),
            _ => {
                let text: Arc<str> = view.task_json(instance).to_string().into();
                self.tasks.insert(instance.id.clone(), (revision, text.clone()));
                text
            }
        }
    }
}

/// One app, not put together yet.
#[derive(Debug)]
pub(crate) struct AppText {
    /// An object.
    definition: Arc<str>,
    /// The fields beside the definition's: an object.
    more: Value,
    tasks: Option<Vec<Arc<str>>>,
}

impl AppText {
    /// The answer that has all of them.
    pub(crate) fn list(apps: &[AppText]) -> String {
        let length: usize = apps.iter().map(AppText::length).sum();
        let mut text = String::with_capacity(length + 64);
        text.push_str("{\"apps\":[");
        for (index, app) in apps.iter().enumerate() {
            text.push_str(if index > 0 { "," } else { "" });
            app.write(&mut text);
        }
        text.push_str("]}");
        text
    }

    /// About.
    fn length(&self) -> usize {
        let tasks: usize = self.tasks.iter().flatten().map(|task| task.len() + 1).sum();
        self.definition.len() + tasks + 256
    }

    fn write(&self, text: &mut String) {
        // An app has an id: its object is never empty.
        text.push_str(self.definition.strip_suffix('}').unwrap_or_default());
        if let Some(tasks) = &self.tasks {
            text.push_str(",\"tasks\":[");
            for (index, task) in tasks.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                text.push_str(task);
            }
            text.push(']');
        }
        let more = self.more.to_string();
        let more = more.strip_prefix('{').unwrap_or_default();
        text.push_str(if more.len() > 1 { "," } else { "" });
        text.push_str(more);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::{Core, Loaded, Settings};
    use crate::time::Moment;

    #[test]
    fn texts_of_what_is_gone_go_once_they_outnumber_the_others() {
        let now = Now { moment: Moment::default(), wall: Timestamp::from_millis(0) };
        let mut core = Core::new(Loaded::default(), Settings::default(), 1, now);
        let app = serde_json::from_value(json!({"id": "/a", "cmd": "run", "instances": 2})).unwrap();
        core.create(app, false, now).unwrap();
        core.effects(now);
        let here: Vec<_> = core.view().instances.values().map(|instance| instance.id.clone()).collect();
        let gone = (0..3).map(|number| InstanceId::new(&AppId::new("/gone"), &number.to_string()));
        let mut texts = Texts::default();
        let kept = [(1, 1), (2, 2), (3, 0), (4, 1), (2, 2)];
        for (id, kept) in here.iter().cloned().chain(gone).zip(kept) {
            texts.tasks.insert(id.clone(), (1, "{}".into()));
            texts.definitions.insert(AppId::new(id.as_str()), (now.wall, "{}".into()));
            texts.forget_gone(core.view());
            assert_eq!((texts.tasks.len(), texts.definitions.len()), kept);
        }
        assert!(texts.tasks.keys().eq(&here));
    }

    #[test]
    fn what_is_put_together_is_what_was_taken_apart() {
        let definitions =
            [json!({"id": "/a", "versionInfo": {"deep": {}}}), json!({"id": "/b}", "labels": {"}": "}}"}})];
        let tasks = [None, Some(vec![]), Some(vec![json!({"id": "t"}), json!({"id": "u"})])];
        for more in [json!({}), json!({"tasksRunning": 1, "deployments": [{"id": "d"}]})] {
            for (definition, tasks) in definitions.iter().flat_map(|one| tasks.iter().map(move |some| (one, some))) {
                let texts = |tasks: &Vec<Value>| tasks.iter().map(|task| task.to_string().into()).collect();
                let text = AppText {
                    definition: definition.to_string().into(),
                    more: more.clone(),
                    tasks: tasks.as_ref().map(texts),
                };
                let mut expected = definition.clone();
                if let Some(tasks) = tasks {
                    expected["tasks"] = json!(tasks);
                }
                for (name, value) in more.as_object().into_iter().flatten() {
                    expected[name] = value.clone();
                }
                let read: Value = serde_json::from_str(&AppText::list(&[text])).unwrap();
                assert_eq!(read, json!({"apps": [expected]}));
            }
        }
    }
}
