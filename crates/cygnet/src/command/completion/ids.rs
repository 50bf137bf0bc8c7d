//! Ids that may be meant, asked of the scheduler while a person types. One that does not answer at once has none.

use std::ffi::OsStr;
use std::time::Duration;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use serde_json::Value;
use tokio::runtime::Builder;

use crate::api::Api;
use crate::command::ids::Kind;
use crate::server::Server;

/// The longest wait while a person types.
const PATIENCE: Duration = Duration::from_millis(500);

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
        "group" => Some(Kind::Group),
        "id" | "ids" => kind,
        "agent" => kind.filter(|kind| *kind == Kind::Node),
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
    (id.starts_with(typed) && !id.contains(char::is_control)).then_some(id)
}

fn ask(kind: Kind) -> Option<Value> {
    let server = std::env::var("CYGNET_API").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let api = Api::new(&server.parse::<Server>().ok()?);
    let runtime = Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, api.get(kind.path())).await }).ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_slash_may_be_typed_or_not() {
        assert_eq!((as_typed("/shop/web", "/sh"), as_typed("/shop/web", "sh")), (Some("/shop/web"), Some("shop/web")));
        assert_eq!((as_typed("/shop/web", ""), as_typed("/shop/web", "web")), (Some("shop/web"), None));
    }
}
