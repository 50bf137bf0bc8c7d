//! Demands on a definition that only all the others together can tell: a path that nobody else has, a role it
//! may have, dependencies without circles, and service ports that no other app has.
//!
//! Whose resources an app uses: those of its own role, if it names one; else the scheduler's. In a top-level group an app
//! may have the role of the group, which is called as that is, and must have it where the group enforces it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Definitions, Refusal};
use crate::definition::group::GroupSpec;
use crate::definition::network::{Mode, Network};
use crate::definition::{Faults, Kind, RunSpec};
use crate::deployment::{Dependencies, has_circle};
use crate::ids::AppId;

/// Service ports that are given out, as in Marathon: load balancers listen on them.
const SERVICE_PORTS: std::ops::RangeInclusive<u16> = 10_000..=20_000;

impl Definitions {
    /// The definition as it will be wanted.
    pub(in crate::core) fn admit(&self, app: RunSpec) -> Result<RunSpec, Refusal> {
        let id = app.id.clone();
        let mut all = self.admit_all(BTreeMap::from([(id.clone(), Some(app))]), &BTreeMap::new())?;
        if all.get(&id).is_some_and(|app| app.as_ref().is_some_and(|app| !app.dependencies.is_empty())) {
            check_circles(&self.order(&all, &BTreeMap::new()))?;
        }
        all.remove(&id).flatten().ok_or(Refusal::NoApp(id))
    }

    /// The definitions as they will be wanted, all together, in groups that will be like these.
    pub(in crate::core) fn admit_all(
        &self,
        mut apps: BTreeMap<AppId, Option<RunSpec>>,
        groups: &BTreeMap<AppId, Option<GroupSpec>>,
    ) -> Result<BTreeMap<AppId, Option<RunSpec>>, Refusal> {
        let mut faults = Faults::default();
        let there = |id: &AppId| apps.get(id).map_or_else(|| self.wanted(id).is_ok(), Option::is_some);
        for app in apps.values().flatten() {
            let below = self.within(&app.id).chain(apps.values().flatten());
            let is_group =
                below.into_iter().any(|other| other.id != app.id && other.id.is_within(&app.id) && there(&other.id))
                    || self.groups.contains_key(&app.id);
            let in_app = app.id.ancestors().iter().any(&there);
            let error = "Groups and Applications may not have the same identifier.";
            faults.require(!is_group && !in_app, "/", error);
        }
        self.name_networks(&mut apps, &mut faults);
        self.admit_roles(&mut apps, groups, &mut faults);
        faults.or(())?;
        self.give_service_ports(&mut apps);
        Ok(apps)
    }

    /// Container networks without a name are the operator's choice, if there is one. An app that is what it was once they
    /// have it keeps its configuration.
    fn name_networks(&self, apps: &mut BTreeMap<AppId, Option<RunSpec>>, faults: &mut Faults) {
        let is_unnamed = |network: &Network| network.mode == Mode::Container && network.name.is_none();
        for app in apps.values_mut().flatten().filter(|app| app.networks().iter().any(is_unnamed)) {
            let error = "Network name must be specified when container network is selected.";
            faults.require(self.network.is_some(), "/networks", error);
            for network in app.networks_mut().iter_mut().filter(|network| is_unnamed(network)) {
                network.name.clone_from(&self.network);
            }
            if let Some(before) = self.wanted(&app.id).ok().filter(|before| !before.needs_restart(app)) {
                app.version_info.last_config_change_at = before.config_version();
            }
        }
    }

    /// A service port that may be any gets a number of its own, under which a load balancer offers the app.
    fn give_service_ports(&self, apps: &mut BTreeMap<AppId, Option<RunSpec>>) {
        let others = self.within(&AppId::root()).filter(|app| !apps.contains_key(&app.id));
        let taken = others.chain(apps.values().flatten()).flat_map(RunSpec::service_ports);
        let taken: BTreeSet<u16> = taken.collect();
        if !taken.contains(&0) {
            return;
        }
        let mut free = SERVICE_PORTS.filter(|port| !taken.contains(port));
        for port in apps.values_mut().flatten().flat_map(RunSpec::service_ports_mut).filter(|port| **port == 0) {
            *port = free.next().unwrap_or(0);
        }
    }

    /// The dependencies of each app once these are as wanted: its own, and those of the groups it is in.
    pub(in crate::core) fn order(
        &self,
        apps: &BTreeMap<AppId, Option<RunSpec>>,
        groups: &BTreeMap<AppId, Option<GroupSpec>>,
    ) -> Dependencies {
        let others = self.within(&AppId::root()).filter(|app| !apps.contains_key(&app.id));
        let all: BTreeMap<&AppId, &RunSpec> = others.chain(apps.values().flatten()).map(|app| (&app.id, app)).collect();
        let spec =
            |group: &AppId| groups.get(group).map_or_else(|| self.spec(group), |spec| spec.clone().unwrap_or_default());
        let meant = |path: &AppId| -> BTreeSet<AppId> {
            all.keys().filter(|id| id.is_within(path)).map(|id| (*id).clone()).collect()
        };
        let order = all.iter().map(|(id, app)| {
            let mut paths = app.dependencies.clone();
            paths.extend(id.ancestors().iter().flat_map(|group| spec(group).dependencies));
            ((*id).clone(), paths.iter().flat_map(meant).collect())
        });
        order.collect()
    }

    /// True if the top-level group an app is in enforces its role.
    pub(in crate::core) fn enforces_role(&self, id: &AppId) -> bool {
        top_level(&id.parent()).is_some_and(|group| self.spec(&group).enforce_role)
    }

    /// Gives apps the role that is enforced, and finds those that have one they may not have. `groups` is what groups are
    /// to be.
    fn admit_roles(
        &self,
        apps: &mut BTreeMap<AppId, Option<RunSpec>>,
        groups: &BTreeMap<AppId, Option<GroupSpec>>,
        faults: &mut Faults,
    ) {
        for app in apps.values_mut().flatten() {
            let group = top_level(&app.id.parent());
            let spec =
                group.as_ref().map(|group| groups.get(group).cloned().flatten().unwrap_or_else(|| self.spec(group)));
            let own = group.as_ref().map(|group| group.as_str().trim_start_matches('/').to_owned());
            let enforced = own.clone().filter(|_| spec.is_some_and(|spec| spec.enforce_role));
            let Some(role) = app.role.clone().or_else(|| enforced.clone()) else { continue };
            let before = self.wanted(&app.id).ok().and_then(|before| before.role.clone());
            let usual = enforced.is_none().then(|| self.role.clone());
            let allowed: BTreeSet<String> = [usual, own, before].into_iter().flatten().collect();
            if allowed.contains(&role) {
                app.take_role(role);
            } else {
                let allowed = allowed.into_iter().collect::<Vec<_>>().join(", ");
                faults.add("/role", format!("got {role}, expected one of: [{allowed}]"));
            }
        }
    }
}

impl RunSpec {
    fn take_role(&mut self, role: String) {
        if let Kind::Pod { pod } = &mut self.kind {
            pod.role = Some(role.clone());
        }
        self.role = Some(role);
    }
}

/// The group right below the root that a group is in, or is; none for the root itself.
pub(in crate::core) fn top_level(group: &AppId) -> Option<AppId> {
    group.segments().next().map(AppId::new)
}

/// Refuses apps that wait for one another.
pub(in crate::core) fn check_circles(order: &Dependencies) -> Result<(), Refusal> {
    if has_circle(order) {
        return Err(Faults::of("/", "Dependency graph has cyclic dependencies.").into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::definition::AppUpdate;
    use crate::time::Timestamp;

    #[test]
    fn a_container_network_without_a_name_is_the_operators_and_scales_like_any_other() {
        let update = |json: Value| serde_json::from_value::<AppUpdate>(json).unwrap();
        let at = Timestamp::from_millis;
        let sent = |instances: u32| {
            let container = json!({"type": "MESOS", "docker": {"image": "a"}});
            update(json!({"networks": [{"mode": "container"}], "container": container, "instances": instances}))
        };
        let id = AppId::new("/a");
        let admitted = |network: Option<&str>| {
            let network = network.map(str::to_owned);
            let mut definitions = Definitions::new(BTreeMap::new(), BTreeMap::new(), "*".into(), network);
            let app = definitions.admit(sent(1).create(id.clone(), at(1)).unwrap())?;
            definitions.install(&app, &BTreeSet::new());
            let more = definitions.admit(sent(2).replace(&app, at(2)).unwrap())?;
            Ok::<_, Refusal>((app, more))
        };
        assert!(matches!(admitted(None), Err(Refusal::Faults(_))));
        let (app, more) = admitted(Some("blue")).unwrap();
        assert_eq!(app.networks()[0].name.as_deref(), Some("blue"));
        assert_eq!((more.config_version(), more.instances), (at(1), 2));
    }
}
