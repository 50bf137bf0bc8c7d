//! A group as a client writes it: apps and groups in it, and what all of it depends on. Ids in it may be relative.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::run_spec::RunSpec;
use super::update::AppUpdate;
use super::validate::{self, Faults};
use crate::ids::AppId;
use crate::time::Timestamp;

/// A group as a client writes it. What is absent stays as it is; what is given replaces what was there.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GroupUpdate {
    pub(crate) id: Option<String>,
    pub(crate) apps: Option<Vec<AppUpdate>>,
    pub(crate) groups: Option<Vec<GroupUpdate>>,
    pub(crate) dependencies: Option<Vec<String>>,
    /// Multiply the instances of all apps by this.
    pub(crate) scale_by: Option<f64>,
    /// Roll back to this version; as a client that reads a group and sends it back means nothing by it, only alone.
    pub(crate) version: Option<Timestamp>,
    pub(crate) enforce_role: Option<bool>,
    /// Pods are changed by themselves.
    pub(crate) pods: Option<Vec<Value>>,
}

/// The part of a group that is remembered beside the apps in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupSpec {
    /// Apps and groups that have to be up before any app in it.
    pub(crate) dependencies: Vec<AppId>,
    /// True if apps in it have to use its role; for top-level groups only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) enforce_role: bool,
}

/// Why a group cannot enforce its role.
pub(crate) fn not_top_level(id: &AppId) -> String {
    format!("enforceRole can only be set for top-level groups, and {id} is not top-level")
}

/// Groups and apps that a group is to be made of, with absolute ids.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    /// The group and those in it that are named.
    pub(crate) groups: BTreeMap<AppId, GroupSpec>,
    /// Apps that are given.
    pub(crate) apps: Vec<(AppId, AppUpdate)>,
    /// Groups whose apps are all given: others are to go.
    pub(crate) whole: Vec<AppId>,
    /// Groups whose groups are all given: others are to go.
    pub(crate) closed: Vec<AppId>,
}

impl GroupUpdate {
    /// The group that is meant, where the path of the request says `path`.
    pub(crate) fn effective_id(&self, path: &AppId) -> AppId {
        self.id.as_deref().map_or_else(|| path.clone(), |id| path.resolve(id))
    }

    /// Refuses `version` and `scaleBy` where they are not alone.
    pub(crate) fn check_alone(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let rest = GroupUpdate { id: None, version: None, scale_by: None, ..self.clone() };
        let lonely = rest == GroupUpdate::default() && !(self.version.is_some() && self.scale_by.is_some());
        for (given, name) in [(self.version.is_some(), "version"), (self.scale_by.is_some(), "scaleBy")] {
            faults.require(!given || lonely, format!("/{name}"), "not allowed in conjunction with other properties");
        }
        let scale = self.scale_by.unwrap_or(0.0);
        faults.require((0.0..1e6).contains(&scale), "/scaleBy", format!("got {scale}, expected 0 or more"));
        faults.or(())
    }

    /// The structure that the group is to have. `known` tells what is remembered of a group.
    pub(crate) fn structure(self, id: &AppId, known: &dyn Fn(&AppId) -> GroupSpec) -> Result<Structure, Faults> {
        let (mut structure, mut faults) = (Structure::default(), Faults::default());
        self.collect(id, "", known, &mut structure, &mut faults);
        faults.or(structure)
    }

    fn collect(
        self,
        id: &AppId,
        at: &str,
        known: &dyn Fn(&AppId) -> GroupSpec,
        into: &mut Structure,
        faults: &mut Faults,
    ) {
        validate::path(id, &format!("{at}/id"), faults);
        let top = id.segments().count() == 1;
        faults.require(top || self.enforce_role != Some(true), format!("{at}/enforceRole"), not_top_level(id));
        let no_pods = self.pods.is_none_or(|pods| pods.is_empty());
        faults.require(no_pods, format!("{at}/pods"), "pods cannot be changed with their group: use /v2/pods");
        let mut spec = known(id);
        spec.enforce_role = self.enforce_role.unwrap_or(spec.enforce_role);
        if let Some(dependencies) = self.dependencies {
            spec.dependencies = dependencies.iter().map(|path| id.resolve(path)).collect();
        }
        into.groups.insert(id.clone(), spec);
        if let Some(apps) = self.apps {
            into.whole.push(id.clone());
            for (index, app) in apps.into_iter().enumerate() {
                match app.id.as_deref().map(|app| id.resolve(app)) {
                    None => faults.add(format!("{at}/apps({index})/id"), "error.path.missing"),
                    Some(child) if child.parent() != *id => {
                        let error = format!("Identifier is not child of '{id}'");
                        faults.add(format!("{at}/apps({index})/id"), error);
                    }
                    Some(child) => into.apps.push((child, app)),
                }
            }
        }
        if let Some(groups) = self.groups {
            into.closed.push(id.clone());
            for (index, group) in groups.into_iter().enumerate() {
                let at = format!("{at}/groups({index})");
                match group.id.as_deref().map(|child| id.resolve(child)) {
                    None => faults.add(format!("{at}/id"), "error.path.missing"),
                    Some(child) if child.is_root() || !child.is_within(id) || child == *id => {
                        faults.add(format!("{at}/id"), format!("Identifier is not child of '{id}'"));
                    }
                    Some(child) => group.collect(&child, &at, known, into, faults),
                }
            }
        }
    }
}

impl Structure {
    /// True if an app that is there now and not named is to go.
    pub(crate) fn drops_app(&self, id: &AppId) -> bool {
        let named = self.apps.iter().any(|(named, _)| named == id);
        let group = id.parent();
        !named && (self.whole.contains(&group) || self.drops_group(&group))
    }

    /// True if an app or a pod that is there now is to go. Pods are never named with their group, and only go with it.
    pub(crate) fn drops(&self, app: &RunSpec) -> bool {
        if app.pod().is_some() { self.drops_group(&app.id.parent()) } else { self.drops_app(&app.id) }
    }

    /// True if a group that is there now and not named is to go.
    pub(crate) fn drops_group(&self, id: &AppId) -> bool {
        let leads_to = |group: &AppId| self.groups.keys().any(|named| named.is_within(group));
        let lost = |group: &AppId| !leads_to(group) && self.closed.contains(&group.parent());
        lost(id) || id.ancestors().iter().any(lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(json: Value) -> GroupUpdate {
        serde_json::from_value(json).unwrap()
    }

    fn structure(json: Value) -> Result<Structure, Faults> {
        let update = group(json);
        let id = update.effective_id(&AppId::root());
        update.structure(&id, &|_| GroupSpec::default())
    }

    #[test]
    fn ids_are_relative_to_their_group() {
        let json = serde_json::json!({"id": "/shop", "dependencies": ["../db", "cache"], "apps": [{"id": "web"}],
            "groups": [{"id": "eu", "apps": [{"id": "/shop/eu/web"}, {"id": "./api"}]}]});
        let found = structure(json).unwrap();
        let apps: Vec<_> = found.apps.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(apps, ["/shop/web", "/shop/eu/web", "/shop/eu/api"]);
        let dependencies = &found.groups[&AppId::new("/shop")].dependencies;
        assert_eq!(dependencies, &[AppId::new("/db"), AppId::new("/shop/cache")]);
    }

    #[test]
    fn what_is_not_named_goes_where_everything_is_named() {
        let found = structure(serde_json::json!({"id": "/shop", "groups": [{"id": "eu", "apps": []}]})).unwrap();
        for (app, goes) in [("/shop/web", false), ("/shop/eu/web", true), ("/shop/us/web", true), ("/x", false)] {
            assert_eq!(found.drops_app(&AppId::new(app)), goes, "{app}");
        }
        let deep = structure(serde_json::json!({"id": "/shop", "groups": [{"id": "eu/north", "apps": []}]})).unwrap();
        assert!(!deep.drops_group(&AppId::new("/shop/eu")) && deep.drops_group(&AppId::new("/shop/us/west")));
    }

    #[test]
    fn what_is_outside_of_the_group_is_refused() {
        for (json, path) in [
            (serde_json::json!({"id": "/a", "apps": [{"id": "/b/c"}]}), "/apps(0)/id"),
            (serde_json::json!({"id": "/a", "apps": [{}]}), "/apps(0)/id"),
            (serde_json::json!({"id": "/a", "groups": [{"id": "/b"}]}), "/groups(0)/id"),
            (serde_json::json!({"id": "/A"}), "/id"),
            (serde_json::json!({"id": "/a/b", "enforceRole": true}), "/enforceRole"),
            (serde_json::json!({"id": "/a", "groups": [{"id": "b", "enforceRole": true}]}), "/groups(0)/enforceRole"),
            (serde_json::json!({"id": "/a", "pods": [{}]}), "/pods"),
        ] {
            let faults = structure(json.clone()).unwrap_err();
            assert!(faults.iter().any(|fault| fault.path == path), "{json}: {faults:?}");
        }
    }

    #[test]
    fn a_version_or_a_scale_comes_alone() {
        assert!(group(serde_json::json!({"id": "/a", "scaleBy": 2})).check_alone().is_ok());
        assert!(group(serde_json::json!({"scaleBy": 2, "apps": []})).check_alone().is_err());
        assert!(group(serde_json::json!({"scaleBy": -1})).check_alone().is_err());
        let version = "1970-01-01T00:00:00.001Z";
        assert!(group(serde_json::json!({"version": version})).check_alone().is_ok());
        assert!(group(serde_json::json!({"version": version, "groups": []})).check_alone().is_err());
    }
}
