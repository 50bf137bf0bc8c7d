//! `cygnet events`: what happens, as it happens, from the v2 API's event stream. A line for each event, or with `--json`
//! the event itself. Cut off, it listens again, behind the event that it had last, and says so if others were missed.

use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::Value;

use super::table::{action, items, text};
use crate::api::events::of_types;
use crate::api::kept::{Heard, Kept};
use crate::api::{Api, Asking};
use crate::output::{complaint, json_line, line};
use crate::signals::Stop;

/// The event before which others were missed.
const GAP: &str = "event_stream_gap";

/// The events to listen to.
#[derive(Debug, Args)]
pub(crate) struct Events {
    #[command(flatten)]
    asking: Asking,
    /// Only events of this type, such as `deployment_success`; several times for several
    #[arg(long = "type", value_name = "TYPE", value_parser = PossibleValuesParser::new(scheduler::EVENT_TYPES))]
    types: Vec<String>,
    /// Only events of this app, or of the apps below this group
    #[arg(long)]
    app: Option<String>,
    /// Leave after so many
    #[arg(long, short = 'n')]
    count: Option<u64>,
}

/// Does it.
pub(crate) async fn run(events: Events) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen()?;
    tokio::select! {
        result = listen(&events) => result?,
        () = stop.asked() => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn listen(how: &Events) -> anyhow::Result<()> {
    let api = Api::of(&how.asking);
    let types: Vec<&str> = how.types.iter().map(String::as_str).collect();
    let mut left = how.count.unwrap_or(u64::MAX);
    let mut stream = Kept::open(&api, of_types(&types)).await?;
    while left > 0 {
        let event = match stream.next().await? {
            Heard::Event(event) => event.data,
            Heard::Lost(reason) | Heard::Refused(reason) => {
                complaint(format!("cygnet: the event stream ended: {reason}; listening again when it is back"));
                continue;
            }
            Heard::Again { .. } => continue,
        };
        if event["eventType"] == GAP {
            complaint("cygnet: other events are missing here");
            if !types.contains(&GAP) {
                continue;
            }
        }
        if how.app.as_ref().is_none_or(|app| concerns(&event, app)) {
            if api.json {
                json_line(&event)
            } else {
                line(shown(&event))
            }
            left -= 1;
        }
    }
    Ok(())
}

/// True if an event is about this app, or one below this group.
fn concerns(event: &Value, app: &str) -> bool {
    let app = app.trim_matches('/');
    let of = |id: &str| {
        let id = id.trim_matches('/');
        app.is_empty() || id.strip_prefix(app).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let direct = [&event["appId"], &event["runSpecId"], &event["groupId"], &event["appDefinition"]["id"]];
    let steps = items(&event["plan"]["steps"]).iter().flat_map(|step| items(&step["actions"]));
    let planned = steps.map(|action| &action["app"]);
    direct.into_iter().chain(planned).filter_map(Value::as_str).any(of)
}

/// The line of an event: its time, its type, its app, and what is particular about it.
fn shown(event: &Value) -> String {
    let when = text(&event["timestamp"]);
    let mut line = format!("{when}  {}", text(&event["eventType"]).trim_end_matches("_event"));
    let whose = ["appId", "runSpecId", "groupId"].into_iter().find(|name| event[*name].is_string());
    let told = [
        "uri",
        "taskId",
        "instanceId",
        "taskStatus",
        "condition",
        "alive",
        "healthy",
        "reason",
        "message",
        "host",
        "id",
        "callbackUrl",
        "remoteAddress",
        "frameworkId",
        "master",
    ];
    for name in whose.into_iter().chain(told) {
        let value = text(&event[name]);
        if !value.is_empty() {
            line.push_str(&format!("  {name}={value}"));
        }
    }
    if let Some(cause) = event["cause"]["text"].as_str() {
        line.push_str(&format!("  cause={cause}"));
    }
    let actions = items(&event["currentStep"]["actions"]).iter();
    actions.for_each(|one| line.push_str(&format!("  {}", action(one))));
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_of_other_apps_are_told_apart() {
        let event = |app: &str| json!({"appId": app});
        assert!(concerns(&event("/shop/web"), "shop") && concerns(&event("/shop/web"), "/shop/web/"));
        assert!(!concerns(&event("/shopping"), "shop") && !concerns(&event("/web"), "shop"));
        let plan = json!({"plan": {"steps": [{"actions": [{"action": "StartApplication", "app": "/shop/web"}]}]}});
        assert!(concerns(&plan, "shop") && !concerns(&plan, "web"));
        assert!(!concerns(&json!({"eventType": "event_stream_attached"}), "shop"));
    }

    #[test]
    fn an_event_is_a_line() {
        let event = json!({"eventType": "status_update_event", "timestamp": "T", "appId": "/web", "taskId": "t",
            "taskStatus": "TASK_FAILED", "message": "a b", "ports": [1]});
        assert_eq!(shown(&event), "T  status_update  appId=/web  taskId=t  taskStatus=TASK_FAILED  message=a b");
        let failed = json!({"eventType": "failed_health_check_event", "timestamp": "T", "appId": "/web",
            "cause": {"kind": "status", "text": "503 Service Unavailable"}});
        assert_eq!(shown(&failed), "T  failed_health_check  appId=/web  cause=503 Service Unavailable");
    }
}
