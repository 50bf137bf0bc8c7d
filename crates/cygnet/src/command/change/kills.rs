//! Tasks that are being killed, watched until they have ended.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};

use super::Following;
use crate::api::Api;
use crate::command::table::{items, text};
use crate::output::{json_line, line};
use crate::signals::Stop;

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// Says which tasks an answer is about, and waits until they have ended, unless detached.
pub(crate) async fn follow(api: &Api, how: &Following, answer: &Value) -> anyhow::Result<ExitCode> {
    let told: Vec<String> = items(&answer["tasks"]).iter().map(|task| text(&task["id"])).collect();
    match &told[..] {
        _ if api.json => json_line(answer),
        [] => line("there was no task to kill"),
        some => some.iter().for_each(|task| line(format!("{task} is being killed"))),
    }
    if how.detach || told.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let mut stop = Stop::listen()?;
    let mut left = told.clone();
    tokio::select! {
        () = until_gone(api, &mut left) => {}
        () = stop.asked() => {}
        () = tokio::time::sleep(how.timeout.unwrap_or(Duration::MAX)) => {}
    }
    if !left.is_empty() {
        bail!("not ended yet: {}", left.join(", "));
    }
    if api.json {
        json_line(json!({"killed": told, "result": "success"}))
    } else {
        line("done")
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes out of the list what has ended, until nothing is left. A scheduler that does not answer is asked again.
async fn until_gone(api: &Api, left: &mut Vec<String>) {
    while !left.is_empty() {
        if let Ok(tasks) = api.get("/v2/tasks").await {
            left.retain(|id| items(&tasks["tasks"]).iter().any(|task| task["id"] == id.as_str()));
        }
        if !left.is_empty() {
            tokio::time::sleep(LOOK).await;
        }
    }
}
