//! Names: of apps (paths), of instances and of their tasks, in Marathon's forms.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An app's or a group's id: an absolute path such as `/shop/web`. The root group is `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct AppId(String);

impl AppId {
    /// Makes a path absolute and drops a slash at its end. Whether it is a legal id is validation's to say.
    pub(crate) fn new(path: &str) -> Self {
        AppId(format!("/{}", path.trim_matches('/')))
    }

    /// The path, beginning with `/`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn root() -> Self {
        AppId::new("")
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The parts between the slashes.
    pub(crate) fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// The group it is in; the root is in itself.
    pub(crate) fn parent(&self) -> Self {
        AppId::new(self.0.rsplit_once('/').map_or("", |(parent, _)| parent))
    }

    /// A path as it is meant inside this group: absolute if it begins with a slash, else relative, where `.` and `..` mean
    /// what they mean everywhere.
    pub(crate) fn resolve(&self, path: &str) -> Self {
        let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { self.segments().collect() };
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        AppId::new(&parts.join("/"))
    }

    /// True if it is this group, or in it however deep.
    pub(crate) fn is_within(&self, group: &AppId) -> bool {
        group.is_root() || self == group || self.0.strip_prefix(&group.0).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Itself or the group it is in that is directly in this group; none if it is not in it, or is that group.
    pub(crate) fn child_of(&self, group: &AppId) -> Option<AppId> {
        let depth = group.segments().count();
        let next = self.segments().nth(depth).filter(|_| self.is_within(group))?;
        Some(group.resolve(next))
    }

    /// The groups it is in, from the root inwards, itself not included.
    pub(crate) fn ancestors(&self) -> Vec<AppId> {
        let (mut all, mut next) = (Vec::new(), self.clone());
        while !next.is_root() {
            next = next.parent();
            all.push(next.clone());
        }
        all.reverse();
        all
    }

    /// The id as part of a task id: `shop_web`.
    pub(crate) fn safe(&self) -> String {
        self.0.trim_start_matches('/').replace('/', "_")
    }

    /// The id as a host name, innermost part first: `web.shop`.
    pub(crate) fn host_name(&self) -> String {
        self.segments().rev().collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An instance's id: `shop_web.instance-<uuid>`. It stays when a task is replaced by its next incarnation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct InstanceId(String);

impl InstanceId {
    /// The id of an instance of `app`, told apart by `unique` (a uuid).
    pub(crate) fn new(app: &AppId, unique: &str) -> Self {
        InstanceId(format!("{}.instance-{unique}", app.safe()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The app it is of, as far as that can be told: an underscore in the id stands for a slash.
    pub(crate) fn app(&self) -> Option<AppId> {
        let (app, _) = self.0.split_once(".instance-")?;
        Some(AppId::new(&app.replace('_', "/")))
    }

    /// The id of the instance's task in its `incarnation`, counted from 1.
    pub(crate) fn task(&self, incarnation: u32) -> String {
        format!("{}._app.{incarnation}", self.0)
    }

    /// The id of the task of one container of a pod's instance.
    pub(crate) fn member(&self, container: &str, incarnation: u32) -> String {
        format!("{}.{container}.{incarnation}", self.0)
    }

    /// The id of the executor of a pod's instance.
    pub(crate) fn executor(&self, incarnation: u32) -> String {
        format!("{}.{incarnation}", self.0)
    }

    /// The instance a task id belongs to, if it has our form: of an app, or of a container of a pod.
    pub(crate) fn of_task(task_id: &str) -> Option<Self> {
        let mut parts = task_id.rsplitn(3, '.');
        let (incarnation, _, instance) = (parts.next()?, parts.next()?, parts.next()?);
        let ours = incarnation.parse::<u32>().is_ok() && instance.contains(".instance-");
        ours.then(|| InstanceId(instance.to_owned()))
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// True for a task's id, also in one of the forms that Marathon used to give: after the name of the app a uuid, alone or
/// behind `instance-` or `marathon-`.
pub(crate) fn is_task_id(text: &str) -> bool {
    let is_unique = |part: &str| {
        let part = part.strip_prefix("instance-").or_else(|| part.strip_prefix("marathon-")).unwrap_or(part);
        uuid::Uuid::try_parse(part).is_ok()
    };
    text.split('.').skip(1).any(is_unique)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_inside_their_group() {
        let group = AppId::new("/shop/eu");
        for (path, absolute) in [
            ("web", "/shop/eu/web"),
            ("./web", "/shop/eu/web"),
            ("../db", "/shop/db"),
            ("/db", "/db"),
            ("../../../db", "/db"),
            ("", "/shop/eu"),
            ("..", "/shop"),
        ] {
            assert_eq!(group.resolve(path).as_str(), absolute, "{path}");
        }
        let names: Vec<_> = group.ancestors().into_iter().map(|id| id.as_str().to_owned()).collect();
        assert_eq!(names, ["/", "/shop"]);
        assert!(group.is_within(&AppId::new("/shop")) && group.is_within(&AppId::root()) && group.is_within(&group));
        assert_eq!(AppId::new("/shop/eu/north/web").child_of(&AppId::new("/shop")), Some(group.clone()));
        assert_eq!((group.child_of(&group), group.child_of(&AppId::new("/x"))), (None, None));
        assert!(!AppId::new("/shopping").is_within(&AppId::new("/shop")));
    }

    #[test]
    fn task_ids_of_all_ages_are_told_from_other_text() {
        let unique = "0e2bc3a8-75cb-11e9-8f9e-2a86e4085a59";
        for good in [
            format!("shop_web.instance-{unique}._app.1"),
            format!("shop_web.{unique}"),
            format!("shop_web.marathon-{unique}"),
            format!("shop_pod.instance-{unique}.sidecar"),
            format!("a.b.instance-{unique}._app.1"),
        ] {
            assert!(is_task_id(&good), "{good}");
        }
        for bad in ["", "web", "web.1", unique, "web.instance-1._app.1"] {
            assert!(!is_task_id(bad), "{bad}");
        }
    }

    #[test]
    fn forms() {
        let app = AppId::new("shop/web/");
        assert_eq!(app.as_str(), "/shop/web");
        assert_eq!(app.host_name(), "web.shop");
        let instance = InstanceId::new(&app, "u");
        assert_eq!(instance.task(2), "shop_web.instance-u._app.2");
        assert_eq!(InstanceId::of_task(&instance.task(2)).as_ref(), Some(&instance));
        assert_eq!(InstanceId::of_task(&instance.member("log", 1)), Some(instance));
        assert_eq!(InstanceId::of_task("other"), None);
    }
}
