//! The task that is meant by as little of its id as tells it apart: one that runs, also in a pod, or one that ended.

use serde_json::Value;

use super::pods;
use crate::api::Api;
use crate::command::ids::{Kind, each};
use crate::command::table::{items, text};

/// All apps with what is known of their tasks, those that ended among them.
pub(super) const HEALTH: &str = "/v2/apps?embed=apps.health&embed=apps.tasks";

/// The id of a task that runs.
pub(super) async fn running(api: &Api, short: &str) -> anyhow::Result<String> {
    Kind::Task.find(api, short).await
}

/// The id of a task that runs, also in a pod, or that was among the last of its app or pod to end. One that is not known here may
/// be known to an agent.
pub(super) async fn known(api: &Api, short: &str) -> anyhow::Result<String> {
    let mut ids = each(&api.get(Kind::Task.path()).await?["tasks"], "id");
    let pods = api.get(pods::STATUS).await?;
    ids.extend(of_pods(&pods));
    if let Some(found) = Kind::Task.meant(&ids, short)? {
        return Ok(found);
    }
    let mut ended = ended(&api.get(HEALTH).await?["apps"]);
    ended.extend(items(&pods).iter().map(pods::as_app).flat_map(|pod| each(&pod["ended"], "taskId")));
    Ok(Kind::Task.meant(&ended, short)?.unwrap_or_else(|| short.to_owned()))
}

/// The ids of the tasks that ended.
fn ended(apps: &Value) -> Vec<String> {
    items(apps).iter().flat_map(|app| each(&app["ended"], "taskId")).collect()
}

/// The tasks of pods, which are their containers.
pub(super) fn of_pods(statuses: &Value) -> Vec<String> {
    let instances = items(statuses).iter().flat_map(|pod| items(&pod["instances"]));
    instances.flat_map(|instance| items(&instance["containers"])).map(|of| text(&of["containerId"])).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_is_meant_by_whatever_tells_it_apart() {
        let ids = ["a.instance-0123456789ab._app.1", "a.instance-0123456799cd._app.2", "b.instance-ffff._app.1"]
            .map(str::to_owned);
        let meant = |short: &str| Kind::Task.meant(&ids, short);
        for (short, number) in
            [("01234567.2", 1), ("012345678", 0), ("b", 2), ("ffff", 2), ("99cd._app.2", 1), (&ids[0], 0)]
        {
            assert_eq!(meant(short).unwrap().as_ref(), Some(&ids[number]), "{short}");
        }
        assert_eq!(meant("nobody").unwrap(), None);
        assert_eq!(meant("").unwrap(), None);
        let error = meant("a.").unwrap_err().to_string();
        assert!(error.contains(&ids[0]) && error.contains(&ids[1]) && !error.contains(&ids[2]), "{error}");
    }

    #[test]
    fn a_container_of_a_pod_is_a_task_that_can_be_meant() {
        let container = |name| json!({"name": name, "containerId": format!("clock.instance-0123.{name}.1")});
        let instances = json!([{"containers": [container("web"), container("writer")]}, {"id": "not launched yet"}]);
        let ids = of_pods(&json!([{"id": "/clock", "instances": instances}, {"id": "/none"}]));
        assert_eq!(ids, ["clock.instance-0123.web.1", "clock.instance-0123.writer.1"]);
        assert_eq!(Kind::Task.meant(&ids, "web.1").unwrap().as_ref(), Some(&ids[0]));
        assert_eq!(ended(&json!([{"ended": [{"taskId": "t"}]}, {}])), ["t"]);
    }
}
