//! Groups as people see them: a tree of what is in them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Embed;
use crate::core::{GroupVersion, View};
use crate::definition::RunSpec;
use crate::ids::AppId;
use crate::refusal::Refusal;
use crate::time::{Now, Timestamp};

/// The parts of a group's answer beside its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupEmbed {
    pub groups: bool,
    pub apps: bool,
    pub pods: bool,
    /// The parts of each app's answer.
    pub app: Embed,
}

impl GroupEmbed {
    /// From the `embed` parameters; everything if there is none, as in Marathon.
    pub(crate) fn of<'a>(names: impl Iterator<Item = &'a str>) -> GroupEmbed {
        let mut embed = GroupEmbed { groups: false, apps: false, pods: false, app: Embed::default() };
        let mut none = true;
        for name in names {
            none = false;
            match name {
                "group.groups" => embed.groups = true,
                "group.apps" => embed.apps = true,
                "group.pods" => embed.pods = true,
                name => embed.app.add(name),
            }
        }
        if none { GroupEmbed { groups: true, apps: true, pods: true, ..embed } } else { embed }
    }
}

impl<'a> View<'a> {
    /// `GET /v2/groups/{id}`.
    pub(crate) fn group_json(&self, id: &AppId, embed: &GroupEmbed, now: Now) -> Result<Value, Refusal> {
        if !self.definitions.is_group(id) {
            return Err(Refusal::NoGroup(id.clone()));
        }
        let mut json =
            json!({"id": id, "dependencies": self.definitions.spec(id).dependencies, "version": self.version_of(id)});
        // Clients of before Marathon 1.9 refuse fields they do not know, and hardly any group enforces its role.
        if self.definitions.spec(id).enforce_role {
            json["enforceRole"] = json!(true);
        }
        if embed.apps {
            let apps = self.definitions.within(id).filter(|app| app.id.parent() == *id);
            json["apps"] = apps.filter_map(|app| self.app_json(&app.id, &embed.app, now)).collect();
        }
        if embed.pods {
            let pods = self.definitions.within(id).filter(|app| app.id.parent() == *id);
            json["pods"] = pods.filter_map(|app| self.pod_status(&app.id, None)).collect();
        }
        if embed.groups {
            let groups = self.groups_in(id);
            json["groups"] = groups.iter().filter_map(|group| self.group_json(group, embed, now).ok()).collect();
        }
        Ok(json)
    }

    /// The apps in a group, however deep; the group must exist.
    pub(super) fn apps_of(&self, id: &AppId) -> Result<impl Iterator<Item = &'a RunSpec> + use<'a>, Refusal> {
        let found =
            self.definitions.is_group(id).then(|| self.definitions.within(id).filter(|app| app.app().is_some()));
        found.ok_or_else(|| Refusal::NoGroup(id.clone()))
    }

    /// `GET /v2/groups/{id}/apps`, and `GET /v2/apps/{id}/*`: all apps in it, however deep.
    pub(crate) fn apps_of_group(&self, id: &AppId, embed: &Embed, now: Now) -> Result<Value, Refusal> {
        Ok(self.apps_of(id)?.filter_map(|app| self.app_json(&app.id, embed, now)).collect())
    }

    /// `GET /v2/groups/{id}/versions`.
    pub(crate) fn group_versions(&self, id: &AppId) -> Result<Value, Refusal> {
        if !self.definitions.is_group(id) {
            return Err(Refusal::NoGroup(id.clone()));
        }
        let mut versions: BTreeSet<Timestamp> =
            self.definitions.group(id).map(|record| record.versions.keys().copied().collect()).unwrap_or_default();
        versions.insert(self.version_of(id));
        Ok(json!(versions.into_iter().rev().collect::<Vec<_>>()))
    }

    /// `GET /v2/groups/{id}/versions/{version}`.
    pub(crate) fn group_in_version(&self, id: &AppId, version: Timestamp, now: Now) -> Result<Value, Refusal> {
        if let Some(past) = self.definitions.group(id).and_then(|record| record.versions.get(&version)) {
            return Ok(past.json(id, version));
        }
        if version == self.version_of(id) {
            return self.group_json(id, &GroupEmbed::of(std::iter::empty()), now);
        }
        Err(Refusal::NoGroup(id.clone()))
    }

    /// The time at which a group, or anything in it, was changed last.
    fn version_of(&self, id: &AppId) -> Timestamp {
        let groups = self.definitions.groups().filter(|record| record.id.is_within(id)).map(|record| record.version);
        let apps = self.definitions.within(id).map(|app| app.version);
        groups.chain(apps).max().unwrap_or(Timestamp::from_millis(0))
    }

    /// The groups directly in a group.
    fn groups_in(&self, id: &AppId) -> BTreeSet<AppId> {
        let named = self.definitions.groups().map(|record| record.id.clone());
        let all = named.chain(self.definitions.within(id).map(|app| app.id.parent()));
        all.filter_map(|group| group.child_of(id)).collect()
    }
}

impl GroupVersion {
    fn json(&self, id: &AppId, version: Timestamp) -> Value {
        let here = || self.apps.values().filter(|app| app.id.parent() == *id);
        let apps: Vec<_> = here().filter(|app| app.app().is_some()).collect();
        let pods: Vec<_> = here().filter_map(RunSpec::pod_json).collect();
        let named = self.groups.keys().cloned();
        let groups = named.chain(self.apps.keys().map(AppId::parent)).filter_map(|group| group.child_of(id));
        let groups: BTreeSet<_> = groups.collect();
        let spec = self.groups.get(id).cloned().unwrap_or_default();
        let mut json = json!({"id": id, "apps": apps, "pods": pods, "dependencies": spec.dependencies,
            "version": version, "groups": groups.iter().map(|group| self.json(group, version)).collect::<Vec<_>>()});
        if spec.enforce_role {
            json["enforceRole"] = json!(true);
        }
        json
    }
}
