//! `cygnet node drain` and `undrain`. In: an agent. Out: first the consequence, then, if that is waited for, how far it is.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use hyper::Method;
use serde_json::{Value, json};

use super::{AGENTS, all, consequence, find};
use crate::api::{Api, encoded};
use crate::command::change::told::Told;
use crate::command::table::text;
use crate::output::{json_line, line, one_line};
use crate::screen::{self, Size};
use crate::signals::Stop;

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// The number of looks in a row at which an agent that is to be gone is not there before it counts as gone.
const ABSENT: u32 = 20;

#[derive(Debug, Args)]
pub(crate) struct Drain {
    /// The agent: its id, or its host name
    agent: String,
    /// The longest that a task may take to end once it is ended there, such as 60s; as long as it wants if absent
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    max_grace: Option<Duration>,
    /// For how long instances may move first, each app keeping its minimum; with 0s all ends at once, as in Mesos
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10m")]
    move_within: Duration,
    /// The agent is gone for good once nothing runs there
    #[arg(long)]
    mark_gone: bool,
    /// Wait until nothing runs there
    #[arg(long)]
    wait: bool,
    /// Stop waiting after this long, such as 5m, and fail; the drain goes on
    #[arg(long, value_parser = humantime::parse_duration, requires = "wait")]
    timeout: Option<Duration>,
    /// Only say what would happen
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
}

impl Drain {
    fn path(&self, id: &str) -> String {
        let grace = self.max_grace.map(|grace| format!("&maxGraceSeconds={}", grace.as_secs()));
        let (moves, gone) = (self.move_within.as_secs(), self.mark_gone);
        format!("{}/drain?moveSeconds={moves}&markGone={gone}{}", path(id), grace.unwrap_or_default())
    }
}

fn path(id: &str) -> String {
    format!("{AGENTS}/{}", encoded(id))
}

/// Says what it means, does it, and waits for it if that is asked for.
pub(super) async fn run(api: &Api, how: &Drain) -> anyhow::Result<ExitCode> {
    let agents = all(api).await?;
    let agent = find(&agents, &how.agent)?;
    let (id, name) = (text(&agent["id"]), consequence::name(agent));
    if !api.json {
        let moves = humantime::format_duration(how.move_within).to_string();
        consequence::lines(&agents, agent, &moves).iter().for_each(line);
    }
    if how.dry_run {
        if api.json {
            json_line(agent);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let answer = api.send(Method::POST, &how.path(&id), None).await?;
    if api.json {
        json_line(&answer.body["agent"]);
    } else if !how.wait {
        line(format!("{name} is being drained: `cygnet node undrain {id}` takes it back while instances move"));
    }
    if how.wait { wait(api, how, &id, &name).await } else { Ok(ExitCode::SUCCESS) }
}

/// Takes it back: of what has moved nothing comes back.
pub(super) async fn undo(api: &Api, agent: &str) -> anyhow::Result<ExitCode> {
    let agents = all(api).await?;
    let agent = find(&agents, agent)?;
    let answer = api.send(Method::DELETE, &(path(&text(&agent["id"])) + "/drain"), None).await?;
    match api.json {
        true => json_line(&answer.body["agent"]),
        false => line(format!("{} is in use", consequence::name(agent))),
    }
    Ok(ExitCode::SUCCESS)
}

async fn wait(api: &Api, how: &Drain, id: &str, name: &str) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let state = tokio::select! {
        state = until_over(api, how, id) => Some(state?),
        () = stop.asked() => None,
        () = tokio::time::sleep(how.timeout.unwrap_or(Duration::MAX)) => None,
    };
    screen::move_on();
    let Some(state) = state else { bail!("the drain of {name} goes on: `cygnet node drain {id} --wait` waits for it") };
    match api.json {
        true => json_line(json!({"agent": id, "result": state})),
        false => line(format!("{name} is {state}")),
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows how far it is until it is over. A scheduler or a master that does not answer is asked again.
async fn until_over(api: &Api, how: &Drain, id: &str) -> anyhow::Result<&'static str> {
    let (mut told, mut absent) = (Told::default(), 0);
    loop {
        match api.ask(Method::GET, &path(id), None).await {
            Ok(Ok(answer)) => {
                let agent = &answer.body["agent"];
                absent = 0;
                match agent["drain"]["state"].as_str() {
                    Some("DRAINED") if !how.mark_gone => return Ok("drained"),
                    Some("REFUSED") => bail!("{}", refused(agent)),
                    None => bail!("somebody has ended the drain"),
                    Some(_) => show(api, &mut told, consequence::progress(agent)),
                }
            }
            Ok(Err(refused)) if refused.status == 404 => {
                // A master that was started anew waits for its agents.
                absent += 1;
                if how.mark_gone && absent > ABSENT {
                    return Ok("gone");
                }
                show(api, &mut told, vec!["the master does not know the agent; waiting until it is back".to_owned()]);
            }
            Ok(Err(refused)) if refused.status < 500 => return Err(api.explain(&refused, &path(id), None).await),
            Ok(Err(_)) | Err(_) => {
                show(api, &mut told, vec!["scheduler or master do not answer; waiting until they are back".to_owned()]);
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The reason of a master that does not drain an agent from which all had time to move.
fn refused(agent: &Value) -> String {
    let (name, why) = (consequence::name(agent), one_line(&text(&agent["drain"]["why"])));
    format!("the master refuses to drain {name}: {why}; `cygnet node undrain {}` takes it back", text(&agent["id"]))
}

/// In place on a terminal, what is new elsewhere.
fn show(api: &Api, told: &mut Told, lines: Vec<String>) {
    if api.json {
        return;
    }
    if std::io::stdout().is_terminal() {
        let size = Size::of_terminal();
        screen::draw(lines.iter().map(|line| screen::cut(line, size.columns)).collect());
    } else {
        told.news(lines).iter().for_each(line);
    }
}
