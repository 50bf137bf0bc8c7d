//! Deployments that are followed to their ends. A scheduler that does not answer meanwhile is waited for: changes go on when
//! it is back. [`conclusion`] has the last words about what went well.

mod conclusion;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{bail, ensure};
use hyper::Method;
use serde_json::Value;
use tokio::time::Instant;

use self::conclusion::Good;
use super::crashes::{self, Crash};
use super::ends::{Done, End, Ends};
use super::look::look;
use super::outcome::Outcome;
use super::told::Told;
use super::{DEPLOYMENTS, Following, progress, waiting};
use crate::api::{Api, Changed};
use crate::command::table::{items, text};
use crate::output::{json_line, line};
use crate::screen::{self, Size};
use crate::signals::Stop;

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// The time by which the stream may be behind what is listed.
const LAST_WORD: Duration = Duration::from_secs(2);

/// The most apps of a step that are asked for why they wait.
const MOST_EXPLAINED: usize = 5;

/// One look at what is under way.
enum Seen {
    UnderWay,
    Canary,
    Gone,
    /// An end, again and again, of what it starts.
    Crashing(Crash),
    /// The scheduler does not answer.
    Nothing,
}

/// Follows deployments.
#[derive(Debug)]
pub(crate) struct Follower<'a> {
    api: &'a Api,
    live: bool,
    /// None also where it is later than clocks go.
    timeout: Option<(Duration, Instant)>,
    min_healthy: Duration,
    /// None where the change is not followed.
    ends: Option<Ends>,
    to_canary: bool,
    alone: bool,
    /// True if changes have the names of what they define.
    defines: bool,
    told: Told,
    /// The deployment as it was seen last.
    last: Value,
}

impl<'a> Follower<'a> {
    /// Begins to listen: to be called before the change is made, so that no end is missed.
    pub(crate) async fn listen(api: &'a Api, how: &Following) -> anyhow::Result<Self> {
        Ok(Follower {
            api,
            live: std::io::stdout().is_terminal() && !api.json,
            timeout: how.timeout.and_then(|limit| Some((limit, Instant::now().checked_add(limit)?))),
            min_healthy: how.min_healthy,
            ends: if how.detach { None } else { Some(Ends::listen(api).await?) },
            to_canary: false,
            alone: true,
            defines: false,
            told: Told::default(),
            last: Value::Null,
        })
    }

    /// Follows only until the canaries are up.
    pub(crate) fn until_canary(mut self, canary: Option<u32>) -> Self {
        self.to_canary = canary.is_some();
        self
    }

    /// Follows so many definitions: of several each is named. One that changes nothing has to be well, too.
    pub(crate) fn of_definitions(mut self, count: usize) -> Self {
        (self.alone, self.defines) = (count <= 1, true);
        self
    }

    /// Shows what was answered to a change, and follows its deployment.
    pub(crate) async fn answered(&mut self, answer: &Changed) -> anyhow::Result<ExitCode> {
        self.answered_to("it", answer).await
    }

    /// The same of a change with a name.
    pub(crate) async fn answered_to(&mut self, name: &str, answer: &Changed) -> anyhow::Result<ExitCode> {
        let good = self.until_ended(name, answer).await?;
        self.settled(good).await
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
        let good = self.followed(id, id).await?;
        self.settled(good).await
    }

    async fn followed(&mut self, name: &str, id: &str) -> anyhow::Result<Option<Good>> {
        let mut stop = Stop::listen()?;
        (self.last, self.told) = (Value::Null, Told::default());
        let late = self.late();
        let (outcome, done) = tokio::select! {
            ended = self.outcome_of(id) => ended?,
            () = stop.asked() => (Outcome::Left, None),
            limit = late => (Outcome::Late(limit), None),
        };
        if matches!(outcome, Outcome::Done) && !self.api.json {
            self.show(progress::completed(&self.last));
        }
        screen::move_on();
        match done {
            Some(done) => Ok(Some(Good { name: name.to_owned(), id: id.to_owned(), done, outcome })),
            None => self.tell(name, id, &outcome).map(|()| None),
        }
    }

    fn tell(&self, name: &str, id: &str, outcome: &Outcome) -> anyhow::Result<()> {
        if self.api.json {
            json_line(outcome.json(id));
        }
        let text = outcome.words(id);
        ensure!(outcome.is_good(), "{text}");
        self.say(&self.of(name, &text));
        Ok(())
    }

    async fn outcome_of(&mut self, id: &str) -> anyhow::Result<(Outcome, Option<Done>)> {
        loop {
            match self.look(id).await? {
                Seen::Canary => return Ok((Outcome::Canary, Some(progress::affected(&self.last)))),
                Seen::Crashing(crash) => return Ok((Outcome::Crashed { crashes: vec![crash], goes_on: true }, None)),
                Seen::Gone => break,
                Seen::UnderWay | Seen::Nothing => {}
            }
            if let Ok(end) = tokio::time::timeout(LOOK, self.told(id)).await {
                return Ok(ended(end));
            }
        }
        let end = tokio::time::timeout(LAST_WORD, self.told(id)).await;
        Ok(end.map_or((Outcome::Unknown, None), ended))
    }

    async fn told(&mut self, id: &str) -> End {
        match &mut self.ends {
            Some(ends) => ends.of(id).await,
            None => std::future::pending().await,
        }
    }

    /// Shows how it is.
    async fn look(&mut self, id: &str) -> anyhow::Result<Seen> {
        let all = match self.api.ask(Method::GET, DEPLOYMENTS, None).await {
            Ok(Ok(answer)) => answer.body,
            // One that starts is not ready yet.
            Ok(Err(refused)) if refused.status != 503 => {
                return Err(self.api.explain(&refused, DEPLOYMENTS, None).await);
            }
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
        let apps = self.unready_apps(deployment).await;
        self.show_unless_json(progress::lines(deployment, |id| {
            apps.iter().find(|app| app["id"] == id).map_or_else(Vec::new, waiting::reasons)
        }));
        let since = text(&deployment["version"]);
        if let Some(crash) = apps.iter().find_map(|app| crashes::repeated(app, &since)) {
            return Ok(Seen::Crashing(crash));
        }
        let waits = self.to_canary && progress::canary_is_up(deployment);
        Ok(if waits { Seen::Canary } else { Seen::UnderWay })
    }

    /// The apps of its step that are not ready, with their reasons; only some of many.
    async fn unready_apps(&self, deployment: &Value) -> Vec<Value> {
        let mut apps = Vec::new();
        for app in progress::unready(deployment).take(MOST_EXPLAINED) {
            // One that cannot be seen says nothing.
            apps.extend(look(self.api, app).await);
        }
        apps
    }

    /// Comes back when it takes longer than it may.
    fn late(&self) -> impl Future<Output = Duration> + use<> {
        let timeout = self.timeout;
        async move {
            let Some((limit, deadline)) = timeout else { return std::future::pending().await };
            tokio::time::sleep_until(deadline).await;
            limit
        }
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
            self.told.news(lines).iter().for_each(line);
        }
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

fn ended(end: End) -> (Outcome, Option<Done>) {
    match end {
        End::Success(done) => (Outcome::Done, Some(done)),
        End::Failed(reason) => (Outcome::Failed(reason), None),
    }
}
