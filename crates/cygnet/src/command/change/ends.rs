//! The ends of deployments, as the event stream tells them. Listened to before the change is made, so that none is missed,
//! and again after the stream broke off.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::Api;
use crate::api::events::Events;
use crate::command::table::{items, text};

/// The events that are ends.
const TYPES: [&str; 2] = ["deployment_success", "deployment_failed"];

/// The end of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Success(Done),
    Failed(String),
}

/// The apps and pods of a deployment that succeeded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// The moment of the change, where apps were before.
    pub version: String,
    /// The apps it started, changed or scaled.
    pub apps: Vec<String>,
}

/// The ends heard of so far.
#[derive(Debug)]
pub(super) struct Ends {
    api: Api,
    stream: Option<Events>,
    heard: BTreeMap<String, End>,
}

impl Ends {
    /// Begins to listen.
    pub(super) async fn listen(api: &Api) -> anyhow::Result<Ends> {
        Ok(Ends { api: api.clone(), stream: Some(api.events(&TYPES).await?), heard: BTreeMap::new() })
    }

    /// Listens again, if the stream broke off. Fails as long as the server does not answer.
    pub(super) async fn listen_again(&mut self) -> anyhow::Result<()> {
        if self.stream.is_none() {
            self.stream = Some(self.api.events(&TYPES).await?);
        }
        Ok(())
    }

    /// The end of this deployment, once an event has it. Waits for ever without events; may be dropped half way.
    pub(super) async fn of(&mut self, id: &str) -> End {
        loop {
            if let Some(end) = self.heard.remove(id) {
                return end;
            }
            let Some(events) = &mut self.stream else { return std::future::pending().await };
            match events.next().await {
                Ok(Some(event)) => self.heard.extend(end(&event)),
                Ok(None) | Err(_) => self.stream = None,
            }
        }
    }
}

fn end(event: &Value) -> Option<(String, End)> {
    let plan = &event["plan"];
    let id = event["id"].as_str().or_else(|| plan["id"].as_str())?.to_owned();
    let end = match event["eventType"].as_str()? {
        "deployment_success" => End::Success(Done { version: text(&plan["version"]), apps: apps(plan) }),
        "deployment_failed" => End::Failed(text(&event["reason"])),
        _ => return None,
    };
    Some((id, end))
}

fn apps(plan: &Value) -> Vec<String> {
    let actions = items(&plan["steps"]).iter().flat_map(|step| items(&step["actions"]));
    let begun = actions.filter(|action| action["action"] != "StopApplication" && action["action"] != "StopPod");
    let id = |action: &Value| Some(action["app"].as_str().or_else(|| action["pod"].as_str())?.to_owned());
    let mut apps: Vec<String> = begun.filter_map(id).collect();
    apps.sort_unstable();
    apps.dedup();
    apps
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_end_is_of_one_deployment() {
        let actions = json!([{"action": "StartApplication", "app": "/a"}, {"action": "ScaleApplication", "app": "/a"},
            {"action": "StopApplication", "app": "/b"}, {"action": "StartPod", "pod": "/p"}]);
        let plan = json!({"id": "d", "version": "V", "steps": [{"actions": actions}]});
        let success = json!({"eventType": "deployment_success", "id": "d", "plan": plan});
        let done = Done { version: "V".to_owned(), apps: vec!["/a".to_owned(), "/p".to_owned()] };
        assert_eq!(end(&success), Some(("d".to_owned(), End::Success(done))));
        let failed = json!({"eventType": "deployment_failed", "id": "d", "reason": "canceled"});
        assert_eq!(end(&failed), Some(("d".to_owned(), End::Failed("canceled".to_owned()))));
        assert_eq!(end(&json!({"eventType": "deployment_info", "plan": {"id": "d"}})), None);
    }
}
