//! Tasks by as little of their ids as tells them apart: a beginning, an end, or what tables show.

use anyhow::{anyhow, bail};
use serde_json::Value;

use crate::api::Api;
use crate::command::table::{items, text};

/// The part of an app's last task that failed which is known.
const FAILURES: &str = "/v2/apps?embed=apps.lastTaskFailure";

/// The last failure of each app.
pub(super) async fn last_failures(api: &Api) -> anyhow::Result<Vec<Value>> {
    let apps = api.get(FAILURES).await?;
    let failures = items(&apps["apps"]).iter().map(|app| &app["lastTaskFailure"]);
    Ok(failures.filter(|failure| failure.is_object()).cloned().collect())
}

/// The id of a task that runs.
pub(super) async fn running(api: &Api, short: &str) -> anyhow::Result<String> {
    let tasks = api.get("/v2/tasks").await?;
    let ids: Vec<String> = items(&tasks["tasks"]).iter().map(|task| text(&task["id"])).collect();
    match matching(&ids, short)? {
        Some(id) => Ok(id),
        None => Err(anyhow!("there is no task {short}: `cygnet task list` lists them")),
    }
}

/// The id of a task that runs, or that was the last of its app to fail. One that is not known here may be known to an agent.
pub(super) async fn known(api: &Api, short: &str) -> anyhow::Result<String> {
    let tasks = api.get("/v2/tasks").await?;
    let mut ids: Vec<String> = items(&tasks["tasks"]).iter().map(|task| text(&task["id"])).collect();
    ids.extend(last_failures(api).await?.iter().map(|failure| text(&failure["taskId"])));
    Ok(matching(&ids, short)?.unwrap_or_else(|| short.to_owned()))
}

/// The one that is meant, if there is any.
fn matching(ids: &[String], short: &str) -> anyhow::Result<Option<String>> {
    if short.is_empty() || ids.iter().any(|id| id == short) {
        return Ok((!short.is_empty()).then(|| short.to_owned()));
    }
    let mut found: Vec<&String> = ids.iter().filter(|id| is_short_for(short, id)).collect();
    found.sort_unstable();
    found.dedup();
    match found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        _ => {
            let names: Vec<String> = found.iter().map(|id| format!("  {id}")).collect();
            bail!("{short} may be any of these tasks:\n{}", names.join("\n"))
        }
    }
}

fn is_short_for(short: &str, id: &str) -> bool {
    let instance = id.split_once(".instance-").map_or("", |(_, instance)| instance);
    id.starts_with(short) || id.ends_with(short) || instance.starts_with(short) || shown(id) == short
}

/// The short id of a task in tables: a piece of the uuid, and the incarnation.
pub(crate) fn shown(task: &str) -> String {
    let Some((_, rest)) = task.split_once(".instance-") else { return task.to_owned() };
    let (uuid, incarnation) = rest.split_once("._app.").unwrap_or((rest, "1"));
    format!("{}.{incarnation}", uuid.get(..8).unwrap_or(uuid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_meant_by_whatever_tells_it_apart() {
        let ids = ["a.instance-0123456789ab._app.1", "a.instance-0123456799cd._app.2", "b.instance-ffff._app.1"]
            .map(str::to_owned);
        for (short, number) in
            [("01234567.2", 1), ("012345678", 0), ("b", 2), ("ffff", 2), ("99cd._app.2", 1), (&ids[0], 0)]
        {
            assert_eq!(matching(&ids, short).unwrap().as_ref(), Some(&ids[number]), "{short}");
        }
        assert_eq!(matching(&ids, "nobody").unwrap(), None);
        assert_eq!(matching(&ids, "").unwrap(), None);
        let error = matching(&ids, "a.").unwrap_err().to_string();
        assert!(error.contains(&ids[0]) && error.contains(&ids[1]) && !error.contains(&ids[2]), "{error}");
    }

    #[test]
    fn tasks_are_told_apart_by_little() {
        assert_eq!(shown("web.instance-0123456789ab._app.2"), "01234567.2");
        assert_eq!(shown("other"), "other");
    }
}
