//! Ids that may be meant, asked of the scheduler while a person types. One that does not answer at once has none.

use std::ffi::OsStr;
use std::time::Duration;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use serde_json::Value;
use tokio::runtime::Builder;

use crate::api::Api;
use crate::command::table::items;
use crate::server::Server;

/// The longest wait while a person types.
const PATIENCE: Duration = Duration::from_millis(500);

/// The kinds of things that have ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    App,
    Pod,
    Group,
    Task,
    Deployment,
    Waiting,
}

/// The command line, with ids for the arguments that are some.
pub(super) fn known(whole: Command) -> Command {
    whole.mut_subcommands(|noun| {
        let kind = Kind::of_command(noun.get_name());
        noun.mut_args(|arg| with_ids(arg, kind)).mut_subcommands(|verb| verb.mut_args(|arg| with_ids(arg, kind)))
    })
}

fn with_ids(arg: Arg, kind: Option<Kind>) -> Arg {
    let kind = match arg.get_id().as_str() {
        "app" => Some(Kind::App),
        "id" | "ids" => kind,
        _ => None,
    };
    match kind {
        Some(kind) => arg.add(ArgValueCompleter::new(move |typed: &OsStr| candidates(kind, typed))),
        None => arg,
    }
}

fn candidates(kind: Kind, typed: &OsStr) -> Vec<CompletionCandidate> {
    let (typed, all) = (typed.to_string_lossy(), ask(kind).unwrap_or_default());
    kind.ids(&all).into_iter().filter_map(|id| as_typed(id, &typed)).map(CompletionCandidate::new).collect()
}

/// The id, if it goes on like this. Its first slash may be left out.
fn as_typed<'a>(id: &'a str, typed: &str) -> Option<&'a str> {
    let id = if typed.starts_with('/') { id } else { id.trim_start_matches('/') };
    id.starts_with(typed).then_some(id)
}

fn ask(kind: Kind) -> Option<Value> {
    let server = std::env::var("CYGNET_API").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let api = Api::new(&server.parse::<Server>().ok()?);
    let runtime = Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, api.get(kind.path())).await }).ok()?.ok()
}

impl Kind {
    fn of_command(name: &str) -> Option<Kind> {
        let all = [
            ("app", Kind::App),
            ("pod", Kind::Pod),
            ("group", Kind::Group),
            ("task", Kind::Task),
            ("deployment", Kind::Deployment),
            ("queue", Kind::Waiting),
        ];
        all.into_iter().find_map(|(command, kind)| (command == name).then_some(kind))
    }

    fn path(self) -> &'static str {
        match self {
            Kind::App => "/v2/apps",
            Kind::Pod => "/v2/pods",
            Kind::Group => "/v2/groups?embed=group.groups",
            Kind::Task => "/v2/tasks",
            Kind::Deployment => "/v2/deployments",
            Kind::Waiting => "/v2/queue",
        }
    }

    fn ids(self, all: &Value) -> Vec<&str> {
        let listed = match self {
            Kind::App => &all["apps"],
            Kind::Task => &all["tasks"],
            Kind::Waiting => &all["queue"],
            Kind::Pod | Kind::Deployment => all,
            Kind::Group => return below(all),
        };
        items(listed).iter().filter_map(id).collect()
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
    fn the_first_slash_may_be_typed_or_not() {
        assert_eq!((as_typed("/shop/web", "/sh"), as_typed("/shop/web", "sh")), (Some("/shop/web"), Some("shop/web")));
        assert_eq!((as_typed("/shop/web", ""), as_typed("/shop/web", "web")), (Some("shop/web"), None));
    }
}
