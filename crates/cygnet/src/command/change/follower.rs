//! A deployment that is followed to its end. A scheduler that does not answer meanwhile is waited for: changes go on when it
//! is back.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{anyhow, bail};
use hyper::Method;
use serde_json::{Value, json};

use super::ends::{End, Ends};
use super::{DEPLOYMENTS, Following, progress, settling};
use crate::api::{Api, Changed};
use crate::command::table::items;
use crate::output::line;
use crate::screen::{self, Size};
use crate::signals::Stop;

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// The time by which the stream may be behind what is listed.
const LAST_WORD: Duration = Duration::from_secs(2);

/// The reason why a change is no longer followed.
#[derive(Debug)]
enum Outcome {
    Ended(End),
    /// It started, and what it started fails.
    Crashed(String),
    /// Its canaries are up, and it waits to be continued or cancelled.
    Canary,
    /// No event said how it ended.
    Unknown,
    /// The person who watched wants to do something else.
    Left,
    /// It took longer than the timeout.
    Late(Duration),
}

/// One look at what is under way.
enum Seen {
    UnderWay,
    Canary,
    Gone,
    /// The scheduler does not answer.
    Nothing,
}

/// Follows deployments.
#[derive(Debug)]
pub(crate) struct Follower<'a> {
    api: &'a Api,
    live: bool,
    timeout: Option<Duration>,
    /// None where the change is not followed.
    ends: Option<Ends>,
    to_canary: bool,
    alone: bool,
    told: Vec<String>,
    /// The deployment as it was seen last.
    last: Value,
}

impl<'a> Follower<'a> {
    /// Begins to listen: to be called before the change is made, so that no end is missed.
    pub(crate) async fn listen(api: &'a Api, how: &Following) -> anyhow::Result<Self> {
        Ok(Follower {
            api,
            live: std::io::stdout().is_terminal() && !api.json,
            timeout: how.timeout,
            ends: if how.detach { None } else { Some(Ends::listen(api).await?) },
            to_canary: false,
            alone: true,
            told: Vec::new(),
            last: Value::Null,
        })
    }

    /// Follows only until the canaries are up.
    pub(crate) fn until_canary(mut self, canary: Option<u32>) -> Self {
        self.to_canary = canary.is_some();
        self
    }

    /// Names what is done, of several.
    pub(crate) fn one_of(mut self, several: usize) -> Self {
        self.alone = several <= 1;
        self
    }

    /// Shows what was answered to a change, and follows its deployment.
    pub(crate) async fn answered(&mut self, answer: &Changed) -> anyhow::Result<ExitCode> {
        self.named("it", answer).await
    }

    /// The same, of something with a name.
    pub(crate) async fn named(&mut self, name: &str, answer: &Changed) -> anyhow::Result<ExitCode> {
        if self.api.json {
            line(&answer.body);
        }
        match answer.deployment.as_deref() {
            None => self.say(&self.of(name, "nothing to do")),
            Some(id) if self.ends.is_none() => {
                let canary = if self.to_canary { "a canary starts, " } else { "" };
                let text = format!("{canary}deployment {id} has begun: `cygnet deployment watch {id}` follows it");
                self.say(&self.of(name, &text));
            }
            Some(id) => return self.follow_named(name, id).await,
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
        self.follow_named(id, id).await
    }

    async fn follow_named(&mut self, name: &str, id: &str) -> anyhow::Result<ExitCode> {
        let mut stop = Stop::listen()?;
        let timeout = self.timeout.unwrap_or(Duration::MAX);
        (self.last, self.told) = (Value::Null, Vec::new());
        let outcome = tokio::select! {
            outcome = self.outcome_of(id) => outcome?,
            () = stop.asked() => Outcome::Left,
            () = tokio::time::sleep(timeout) => Outcome::Late(timeout),
        };
        if matches!(outcome, Outcome::Ended(End::Success(_))) && !self.api.json {
            self.show(progress::completed(&self.last));
        }
        screen::move_on();
        self.conclude(name, id, outcome)
    }

    fn conclude(&self, name: &str, id: &str, outcome: Outcome) -> anyhow::Result<ExitCode> {
        let go_on = format!("`cygnet deployment watch {id}` follows it, `cygnet deployment cancel {id}` takes it back");
        let (word, result) = match outcome {
            Outcome::Ended(End::Success(_)) => ("success", Ok("done".to_owned())),
            Outcome::Unknown => {
                ("ended", Ok("ended; how was not heard: `cygnet app list` shows what there is".to_owned()))
            }
            Outcome::Canary => (
                "canary",
                Ok(format!(
                    "the canary is up: `cygnet deployment continue {id}` goes on, `cygnet deployment cancel {id}` takes it back"
                )),
            ),
            Outcome::Crashed(fault) => ("crashed", Err(anyhow!(fault))),
            Outcome::Ended(End::Failed(reason)) if reason.is_empty() => {
                ("failed", Err(anyhow!("the deployment {id} failed")))
            }
            Outcome::Ended(End::Failed(reason)) => ("failed", Err(anyhow!("the deployment {id} failed: {reason}"))),
            Outcome::Left => ("running", Err(anyhow!("the deployment {id} goes on: {go_on}"))),
            Outcome::Late(limit) => {
                ("running", Err(anyhow!("the deployment {id} did not end within {limit:?} and goes on: {go_on}")))
            }
        };
        if self.api.json {
            line(json!({"deploymentId": id, "result": word}));
        }
        self.say(&self.of(name, &result?));
        Ok(ExitCode::SUCCESS)
    }

    async fn outcome_of(&mut self, id: &str) -> anyhow::Result<Outcome> {
        loop {
            match self.look(id).await? {
                Seen::Canary => return Ok(Outcome::Canary),
                Seen::Gone => break,
                Seen::UnderWay | Seen::Nothing => {}
            }
            if let Ok(end) = tokio::time::timeout(LOOK, self.told(id)).await {
                return Ok(self.settled(end).await);
            }
        }
        match tokio::time::timeout(LAST_WORD, self.told(id)).await {
            Ok(end) => Ok(self.settled(end).await),
            Err(_) => Ok(Outcome::Unknown),
        }
    }

    async fn told(&mut self, id: &str) -> End {
        match &mut self.ends {
            Some(ends) => ends.of(id).await,
            None => std::future::pending().await,
        }
    }

    async fn settled(&self, end: End) -> Outcome {
        let fault = match &end {
            End::Success(done) => settling::fault(self.api, done).await,
            End::Failed(_) => None,
        };
        fault.map_or(Outcome::Ended(end), Outcome::Crashed)
    }

    /// Shows how it is.
    async fn look(&mut self, id: &str) -> anyhow::Result<Seen> {
        let all = match self.api.ask(Method::GET, DEPLOYMENTS, None).await {
            Ok(Ok(answer)) => answer.body,
            // One that starts is not ready yet.
            Ok(Err(refused)) if refused.status != 503 => return Err(refused.explain()),
            Ok(Err(_)) | Err(_) => {
                self.show_unless_json(vec!["the scheduler does not answer; waiting until it is back".to_owned()]);
                return Ok(Seen::Nothing);
            }
        };
        if let Some(ends) = &mut self.ends {
            // Tried again at the next look.
            let _ = ends.listen_again().await;
        }
        let Some(deployment) = items(&all).iter().find(|deployment| deployment["id"] == id) else {
            return Ok(Seen::Gone);
        };
        self.last = deployment.clone();
        self.show_unless_json(progress::lines(deployment));
        let waits = self.to_canary && progress::canary_is_up(deployment);
        Ok(if waits { Seen::Canary } else { Seen::UnderWay })
    }

    fn show_unless_json(&mut self, lines: Vec<String>) {
        if !self.api.json {
            self.show(lines);
        }
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

    fn of(&self, name: &str, text: &str) -> String {
        if self.alone { text.to_owned() } else { format!("{name}: {text}") }
    }

    fn say(&self, text: &str) {
        if !self.api.json {
            line(text);
        }
    }
}
