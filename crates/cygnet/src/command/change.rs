//! A change that is made and followed to its end: drawn in place on a terminal, in lines elsewhere.
//!
//! In: the answer to the change, which names its deployment. Then, until the deployment is no longer listed: how far it is
//! and what it waits for; and from the event stream, how it ended. Out: what is shown, and an exit
//! code that is a failure where the deployment was one. [`progress`] makes the lines.

pub(crate) mod progress;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::Args;
use hyper::Method;
use serde_json::{Value, json};

use super::definitions;
use super::table::items;
use crate::api::events::Events;
use crate::api::{Api, Asking, Changed};
use crate::output::line;
use crate::screen::{self, Size};
use crate::signals::Stop;

/// What is under way, and as much as the scheduler can say of how far it is.
pub(crate) const DEPLOYMENTS: &str = "/v2/deployments?embed=deployments.progress";

/// How often to look.
const LOOK: Duration = Duration::from_millis(200);

/// How long the stream may be behind what is listed.
const LAST_WORD: Duration = Duration::from_secs(2);

/// How to make a change.
#[derive(Debug, Args)]
pub(crate) struct Manner {
    /// Break into a deployment that is under way
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub following: Following,
}

impl Manner {
    /// The path, forced or not. Unforced is what the API says it is: removing an app breaks into anything.
    pub(crate) fn query(&self, path: &str) -> String {
        let sign = if path.contains('?') { '&' } else { '?' };
        if self.force { format!("{path}{sign}force=true") } else { path.to_owned() }
    }
}

/// Whether to wait for the end.
#[derive(Debug, Args)]
pub(crate) struct Following {
    /// Do not wait until it is done
    #[arg(long, alias = "no-wait")]
    detach: bool,
    /// Stop waiting after this long, such as 90s or 5m, and fail; the change goes on
    #[arg(long, value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
}

/// How a deployment ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Success,
    Failed(String),
    /// Nobody heard how.
    Unknown,
    /// Whoever watched wants to do something else.
    Left,
    /// It took longer than somebody wants to wait.
    Late(Duration),
}

/// Follows deployments.
#[derive(Debug)]
pub(crate) struct Follower<'a> {
    api: &'a Api,
    json: bool,
    live: bool,
    detach: bool,
    timeout: Option<Duration>,
    /// Tells how deployments end; none where nobody waits for that, or the stream broke off.
    ends: Option<Events>,
    told: Vec<String>,
}

impl<'a> Follower<'a> {
    /// Begins to listen: to be called before the change is made, so that no end is missed.
    pub(crate) async fn listen(api: &'a Api, asking: &Asking, how: &Following) -> anyhow::Result<Self> {
        let ends = ["deployment_success", "deployment_failed"];
        Ok(Follower {
            api,
            json: asking.json,
            live: std::io::stdout().is_terminal() && !asking.json,
            detach: how.detach,
            timeout: how.timeout,
            ends: if how.detach { None } else { Some(api.events(&ends).await?) },
            told: Vec::new(),
        })
    }

    /// Shows what was answered to a change, and follows its deployment.
    pub(crate) async fn answered(&mut self, answer: &Changed) -> anyhow::Result<ExitCode> {
        if self.json {
            line(&answer.body);
        }
        match answer.deployment.as_deref() {
            None => self.say("nothing to do"),
            Some(id) if self.detach => {
                self.say(&format!("deployment {id} has begun: `cygnet deployment watch {id}` follows it"));
            }
            Some(id) => return self.follow(id).await,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Follows a deployment that is under way.
    pub(crate) async fn watch(&mut self, id: &str) -> anyhow::Result<ExitCode> {
        let all = self.api.get("/v2/deployments").await?;
        if !items(&all).iter().any(|deployment| deployment["id"] == id) {
            bail!("no deployment {id} is under way: `cygnet deployment list` lists them");
        }
        self.follow(id).await
    }

    /// The same; what is over already is nothing to complain of.
    pub(crate) async fn follow(&mut self, id: &str) -> anyhow::Result<ExitCode> {
        let mut stop = Stop::listen()?;
        let timeout = self.timeout.unwrap_or(Duration::MAX);
        let end = tokio::select! {
            end = self.end_of(id) => end?,
            () = stop.asked() => End::Left,
            () = tokio::time::sleep(timeout) => End::Late(timeout),
        };
        screen::move_on();
        self.conclude(id, end)
    }

    fn conclude(&self, id: &str, end: End) -> anyhow::Result<ExitCode> {
        let go_on = format!("`cygnet deployment watch {id}` follows it, `cygnet deployment cancel {id}` takes it back");
        let (word, result) = match end {
            End::Success => ("success", Ok(ExitCode::SUCCESS)),
            End::Unknown => ("ended", Ok(ExitCode::SUCCESS)),
            End::Failed(reason) => ("failed", Err(anyhow!("the deployment {id} failed{reason}"))),
            End::Left => ("running", Err(anyhow!("the deployment {id} goes on: {go_on}"))),
            End::Late(limit) => {
                ("running", Err(anyhow!("the deployment {id} did not end within {limit:?} and goes on: {go_on}")))
            }
        };
        if self.json {
            line(json!({"deploymentId": id, "result": word}));
        } else if result.is_ok() {
            line("done");
        }
        result
    }

    async fn end_of(&mut self, id: &str) -> anyhow::Result<End> {
        while self.look(id).await? {
            tokio::select! {
                end = end_told(&mut self.ends, id) => return Ok(end),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        let told = tokio::time::timeout(LAST_WORD, end_told(&mut self.ends, id)).await;
        Ok(told.unwrap_or(End::Unknown))
    }

    /// Shows how it is; false if it is no longer under way.
    async fn look(&mut self, id: &str) -> anyhow::Result<bool> {
        let all = self.api.get(DEPLOYMENTS).await?;
        let Some(deployment) = items(&all).iter().find(|deployment| deployment["id"] == id) else { return Ok(false) };
        if !self.json {
            self.show(progress::lines(deployment));
        }
        Ok(true)
    }

    fn show(&mut self, lines: Vec<String>) {
        if self.live {
            let size = Size::of_terminal();
            screen::draw(lines.iter().map(|line| screen::cut(line, size.columns)).collect());
        } else {
            lines.iter().filter(|new| !self.told.contains(new)).for_each(line);
        }
        self.told = lines;
    }

    fn say(&self, text: &str) {
        if !self.json {
            line(text);
        }
    }
}

/// How this deployment ended, once that is told. Never, where nobody tells.
async fn end_told(ends: &mut Option<Events>, id: &str) -> End {
    while let Some(events) = ends {
        match events.next().await {
            Ok(Some(event)) => {
                if let Some(end) = end(&event, id) {
                    return end;
                }
            }
            Ok(None) | Err(_) => *ends = None,
        }
    }
    std::future::pending().await
}

fn end(event: &Value, id: &str) -> Option<End> {
    if event["id"] != id && event["plan"]["id"] != id {
        return None;
    }
    match event["eventType"].as_str()? {
        "deployment_success" => Some(End::Success),
        "deployment_failed" => {
            Some(End::Failed(event["reason"].as_str().map_or_else(String::new, |reason| format!(": {reason}"))))
        }
        _ => None,
    }
}

/// Makes a change, and follows it.
pub(crate) async fn make(
    api: &Api,
    asking: &Asking,
    manner: &Manner,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> anyhow::Result<ExitCode> {
    let mut follower = Follower::listen(api, asking, &manner.following).await?;
    let answer = api.send(method, &manner.query(path), body.as_ref()).await?;
    follower.answered(&answer).await
}

/// Creates or changes what is defined in files, one after the other, and follows each.
pub(crate) async fn run_files(
    api: &Api,
    asking: &Asking,
    files: &[String],
    manner: &Manner,
    canary: Option<u32>,
) -> anyhow::Result<ExitCode> {
    for definition in definitions::read(files)? {
        run_one(api, asking, &definition, manner, canary).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The same of one definition.
pub(crate) async fn run_one(
    api: &Api,
    asking: &Asking,
    definition: &Value,
    manner: &Manner,
    canary: Option<u32>,
) -> anyhow::Result<ExitCode> {
    if let Some(canary) = canary {
        canary_begun(&definitions::submit(api, definition, manner.force, Some(canary)).await?, canary, asking.json);
        return Ok(ExitCode::SUCCESS);
    }
    let mut follower = Follower::listen(api, asking, &manner.following).await?;
    let answer = definitions::submit(api, definition, manner.force, None).await?;
    follower.answered(&answer).await
}

/// Says how to go on with a canary. Nobody follows it: it waits for somebody's word.
pub(crate) fn canary_begun(answer: &Changed, canary: u32, json: bool) {
    match &answer.deployment {
        _ if json => line(&answer.body),
        None => line("nothing to do"),
        Some(id) => line(format!(
            "a canary of {canary} starts: `cygnet deployment continue {id}` goes on after that, and \
             `cygnet deployment cancel {id}` takes it back"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_another_deployment_is_no_end() {
        let success = json!({"eventType": "deployment_success", "id": "d", "plan": {"id": "d"}});
        assert_eq!(end(&success, "d"), Some(End::Success));
        assert_eq!(end(&success, "e"), None);
        let failed = json!({"eventType": "deployment_failed", "id": "d", "reason": "canceled"});
        assert_eq!(end(&failed, "d"), Some(End::Failed(": canceled".to_owned())));
        assert_eq!(end(&json!({"eventType": "deployment_info", "plan": {"id": "d"}}), "d"), None);
    }
}
