//! The ids of things, by as little as tells them apart: a beginning, and of tasks also an end or what tables show.
//!
//! In: what somebody typed, and the ids that the scheduler lists. Out: the id that is meant; or that there are several, and
//! which. [`Names`] are the short ids of tables.

mod names;

use anyhow::{anyhow, bail};
use hyper::Method;
use serde_json::Value;

pub(crate) use self::names::{Names, shown};
use super::table::{items, text};
use crate::api::{Api, path};
use crate::nearest::nearest;

/// The kinds of things that have ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    App,
    Pod,
    Group,
    Task,
    Deployment,
    /// An app or a pod of which instances wait.
    Waiting,
    /// An agent.
    Node,
}

/// A kind with the words for it, and where it is listed.
struct Listed {
    kind: Kind,
    /// The command about it.
    command: &'static str,
    plural: &'static str,
    path: &'static str,
}

const KINDS: [Listed; 7] = [
    Listed { kind: Kind::App, command: "app", plural: "apps", path: "/v2/apps" },
    Listed { kind: Kind::Pod, command: "pod", plural: "pods", path: "/v2/pods" },
    Listed { kind: Kind::Group, command: "group", plural: "groups", path: "/v2/groups?embed=group.groups" },
    Listed { kind: Kind::Task, command: "task", plural: "tasks", path: "/v2/tasks" },
    Listed { kind: Kind::Deployment, command: "deployment", plural: "deployments", path: "/v2/deployments" },
    Listed { kind: Kind::Waiting, command: "queue", plural: "apps", path: "/v2/queue" },
    Listed { kind: Kind::Node, command: "node", plural: "nodes", path: "/v2/agents" },
];

impl Kind {
    pub(crate) fn of_command(name: &str) -> Option<Kind> {
        KINDS.iter().find(|listed| listed.command == name).map(|listed| listed.kind)
    }

    /// The place where all of them are listed.
    pub(crate) fn path(self) -> &'static str {
        self.listed().path
    }

    fn listed(self) -> &'static Listed {
        KINDS.iter().find(|listed| listed.kind == self).unwrap_or(&KINDS[0])
    }

    /// The ids in such a list.
    pub(crate) fn ids(self, all: &Value) -> Vec<&str> {
        let listed = match self {
            Kind::App => &all["apps"],
            Kind::Task => &all["tasks"],
            Kind::Waiting => &all["queue"],
            Kind::Node => &all["agents"],
            Kind::Pod | Kind::Deployment => all,
            Kind::Group => return below(all),
        };
        items(listed).iter().filter_map(id).collect()
    }

    /// The one of these that is meant, if there is any.
    pub(crate) fn meant(self, ids: &[String], typed: &str) -> anyhow::Result<Option<String>> {
        let bare = |id: &str| id.trim_matches('/').to_owned();
        if typed.is_empty() || ids.iter().any(|id| bare(id) == bare(typed)) {
            return Ok((!typed.is_empty()).then(|| typed.to_owned()));
        }
        let mut found: Vec<&String> = ids.iter().filter(|id| self.is_short(typed, id)).collect();
        found.sort_unstable();
        found.dedup();
        match found[..] {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            _ => {
                let names: Vec<String> = found.iter().map(|id| format!("  {id}")).collect();
                bail!("{typed} may be any of these {}:\n{}", self.listed().plural, names.join("\n"))
            }
        }
    }

    fn is_short(self, typed: &str, id: &str) -> bool {
        match self {
            Kind::Task => names::is_short(typed, id),
            _ => id.trim_start_matches('/').starts_with(typed.trim_start_matches('/')),
        }
    }

    /// The error about one that is none of these.
    pub(crate) fn unknown(self, ids: &[String], typed: &str) -> anyhow::Error {
        let Listed { command, plural, .. } = self.listed();
        let near = nearest(typed, ids.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!(", did you mean {near}?"));
        if self == Kind::Waiting {
            return anyhow!("nothing of {typed} waits{near}: `cygnet queue list` lists what does");
        }
        anyhow!("there is no {} {typed}{near}: `cygnet {command} list` lists them", plural.trim_end_matches('s'))
    }

    /// The id that is meant, asked of the scheduler.
    pub(crate) async fn find(self, api: &Api, typed: &str) -> anyhow::Result<String> {
        if self.has(api, typed).await? {
            return Ok(typed.to_owned());
        }
        let all = api.get(self.path()).await?;
        let ids: Vec<String> = self.ids(&all).into_iter().map(str::to_owned).collect();
        match self.meant(&ids, typed)? {
            Some(id) => Ok(id),
            None if self.is_definition() => Ok(typed.to_owned()),
            None => Err(self.unknown(&ids, typed)),
        }
    }

    /// Definitions have paths of their own: no list of all is needed where the whole id was typed, and the answer about
    /// one that is not there is the scheduler's.
    fn is_definition(self) -> bool {
        matches!(self, Kind::App | Kind::Pod | Kind::Group)
    }

    async fn has(self, api: &Api, typed: &str) -> anyhow::Result<bool> {
        if !self.is_definition() {
            return Ok(false);
        }
        let answer = api.ask(Method::HEAD, &path(self.listed().plural, typed), None).await?;
        Ok(answer.is_ok())
    }
}

/// The id of one thing, or of what waits in the queue.
fn id(item: &Value) -> Option<&str> {
    ["/id", "/app/id", "/pod/id"].iter().find_map(|place| item.pointer(place)?.as_str())
}

/// The groups within a group.
fn below(group: &Value) -> Vec<&str> {
    items(&group["groups"]).iter().flat_map(|inner| id(inner).into_iter().chain(below(inner))).collect()
}

/// The texts of a field of all of these.
pub(crate) fn each(list: &Value, field: &str) -> Vec<String> {
    items(list).iter().map(|item| text(&item[field])).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_found_in_what_the_scheduler_lists() {
        let group = json!({"id": "/", "groups": [{"id": "/shop", "groups": [{"id": "/shop/eu"}]}]});
        for (command, all, ids) in [
            ("app", json!({"apps": [{"id": "/web"}]}), vec!["/web"]),
            ("pod", json!([{"id": "/pod"}]), vec!["/pod"]),
            ("group", group, vec!["/shop", "/shop/eu"]),
            ("task", json!({"tasks": [{"id": "web.1"}]}), vec!["web.1"]),
            ("deployment", json!([{"id": "d"}]), vec!["d"]),
            ("queue", json!({"queue": [{"app": {"id": "/a"}}, {"pod": {"id": "/p"}}]}), vec!["/a", "/p"]),
        ] {
            assert_eq!(Kind::of_command(command).unwrap().ids(&all), ids, "{command}");
        }
    }

    #[test]
    fn a_beginning_is_enough_where_it_is_the_only_one() {
        let ids = ["/web", "/web/back", "/shop/front"].map(str::to_owned);
        let meant = |typed: &str| Kind::App.meant(&ids, typed);
        for (typed, id) in [
            ("sh", Some("/shop/front")),
            ("/shop", Some("/shop/front")),
            ("web", Some("web")),
            ("web/b", Some("/web/back")),
            ("x", None),
        ] {
            assert_eq!(meant(typed).unwrap().as_deref(), id, "{typed}");
        }
        let error = meant("we").unwrap_err().to_string();
        assert_eq!(error, "we may be any of these apps:\n  /web\n  /web/back");
        let error = Kind::Deployment.unknown(&["abcd".to_owned()], "abdc").to_string();
        assert_eq!(error, "there is no deployment abdc, did you mean abcd?: `cygnet deployment list` lists them");
    }
}
