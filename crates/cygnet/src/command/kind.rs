//! Apps, pods and groups: where the API keeps them, and the commands that they share.

use std::process::ExitCode;

use anyhow::Context;
use hyper::Method;
use serde_json::Value;

use super::change::{self, Manner};
use super::table::{items, text};
use crate::api::{Api, encoded, path};
use crate::output::{json_line, line};

/// A kind of definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    App,
    Group,
    Pod,
}

impl Kind {
    /// The kind of a definition, by Marathon's shapes: groups have members, pods containers.
    pub(crate) fn of(definition: &Value) -> Kind {
        let has = |name: &str| definition.get(name).is_some();
        match (has("apps") || has("groups") || has("pods"), has("containers")) {
            (true, _) => Kind::Group,
            (false, true) => Kind::Pod,
            (false, false) => Kind::App,
        }
    }

    pub(crate) fn plural(self) -> &'static str {
        match self {
            Kind::App => "apps",
            Kind::Group => "groups",
            Kind::Pod => "pods",
        }
    }

    pub(crate) fn named(self, id: &str) -> String {
        match self {
            Kind::App => format!("the app /{id}"),
            Kind::Group => format!("the group /{id}"),
            Kind::Pod => format!("the pod /{id}"),
        }
    }

    /// The path of one of them.
    pub(crate) fn path(self, id: &str) -> String {
        path(self.plural(), id)
    }

    fn versions_path(self, id: &str) -> String {
        self.path(id) + if self == Kind::Pod { "::versions" } else { "/versions" }
    }

    /// The definition as it was in a version.
    pub(crate) async fn version(self, api: &Api, id: &str, version: &str) -> anyhow::Result<Value> {
        api.get(&format!("{}/{}", self.versions_path(id), encoded(version))).await
    }

    /// Prints the definition as it was in a version.
    pub(crate) async fn show_version(self, api: &Api, id: &str, version: &str) -> anyhow::Result<ExitCode> {
        let definition = self.version(api, id, version).await?;
        json_line(if api.json { definition.to_string() } else { format!("{definition:#}") });
        Ok(ExitCode::SUCCESS)
    }

    /// Prints the versions: of apps and pods the newest first, of groups as they are listed.
    pub(crate) async fn show_versions(self, api: &Api, id: &str) -> anyhow::Result<ExitCode> {
        let answer = api.get(&self.versions_path(id)).await?;
        match self {
            _ if api.json => json_line(answer),
            Kind::Group => listed(&answer).for_each(line),
            Kind::App | Kind::Pod => newest_first(&answer).iter().for_each(line),
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The version before the present one.
    pub(crate) async fn version_before(self, api: &Api, id: &str) -> anyhow::Result<String> {
        let definition = api.get(&self.path(id)).await?;
        let now = text(if self == Kind::App { &definition["app"]["version"] } else { &definition["version"] });
        let before = newest_first(&api.get(&self.versions_path(id)).await?).into_iter().find(|version| *version < now);
        before.with_context(|| format!("there is no version of {id} before {now}"))
    }

    /// Writes one anew, and follows the change.
    pub(crate) async fn put(self, api: &Api, id: &str, manner: &Manner, body: Value) -> anyhow::Result<ExitCode> {
        change::make(api, manner, Method::PUT, &self.path(id), Some(body)).await
    }

    /// Removes one, and follows the change.
    pub(crate) async fn remove(self, api: &Api, id: &str, manner: &Manner) -> anyhow::Result<ExitCode> {
        change::make(api, manner, Method::DELETE, &self.path(id), None).await
    }
}

/// Versions as they are listed: in an object, as Marathon does for apps, or in a list.
fn listed(answer: &Value) -> impl Iterator<Item = String> + '_ {
    items(if answer.is_array() { answer } else { &answer["versions"] }).iter().map(text)
}

/// Versions are moments, and may be listed in any order.
fn newest_first(answer: &Value) -> Vec<String> {
    let mut versions: Vec<String> = listed(answer).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_definition_is_of_is_seen() {
        for (definition, kind) in [
            (json!({"id": "/a", "cmd": "true"}), Kind::App),
            (json!({"id": "/a", "apps": []}), Kind::Group),
            (json!({"id": "/a", "groups": []}), Kind::Group),
            (json!({"id": "/a", "containers": []}), Kind::Pod),
        ] {
            assert_eq!(Kind::of(&definition), kind, "{definition}");
        }
    }
}
