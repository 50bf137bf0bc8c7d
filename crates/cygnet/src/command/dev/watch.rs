//! Looking at all apps through the API, again and again, and showing them: as a table, as lines, or as JSON.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::changes::changes;
use super::live;
use super::parts::Addresses;
use super::snapshot::Snapshot;
use crate::api::Api;
use crate::output::{json_line, line};
use crate::screen::{self, Size};

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// The queries.
const APPS: &str = "/v2/apps?embed=apps.tasks&embed=apps.lastTaskFailure&embed=apps.brake&embed=apps.health";

/// The manner of showing things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    /// A table, drawn again in place.
    Table,
    /// A line for each change.
    Lines,
    /// A JSON object for each change.
    Json,
}

/// Shows what is seen, and what `cygnet dev` itself does.
#[derive(Debug)]
pub(super) struct Watch {
    api: Api,
    show: Show,
    known: Snapshot,
    resized: Signal,
    /// Nothing is launched any more: who waits is not of interest.
    leaving: bool,
}

impl Watch {
    /// A table on a terminal, lines elsewhere, JSON when asked for.
    pub(super) fn new(api: Api, json: bool) -> anyhow::Result<Watch> {
        let show = match (json, std::io::stdout().is_terminal()) {
            (true, _) => Show::Json,
            (false, true) => Show::Table,
            (false, false) => Show::Lines,
        };
        let resized = signal(SignalKind::window_change())?;
        Ok(Watch { api, show, known: Snapshot::default(), resized, leaving: false })
    }

    /// Looks and shows until it is dropped, at once when the terminal has another size.
    pub(super) async fn go_on(&mut self) -> Infallible {
        loop {
            match self.api.get(APPS).await {
                Ok(answer) => self.look(&answer),
                Err(error) => tracing::debug!(%error, "could not look"),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = self.resized.recv() => {}
            }
        }
    }

    fn look(&mut self, answer: &Value) {
        let mut now = Snapshot::of(answer);
        if self.leaving {
            now.rows.retain(|row| !row.task.is_empty());
        }
        match self.show {
            Show::Table => screen::draw(live::lines(&now, Size::of_terminal())),
            Show::Lines => changes(&self.known, &now).iter().for_each(|change| line(change.line())),
            Show::Json => changes(&self.known, &now).iter().for_each(|change| json_line(change.json())),
        }
        self.known = now;
    }

    /// Shows where everything is, and what to try.
    pub(super) fn started(&mut self, at: &Addresses, app: Option<&str>) {
        let Addresses { api, master, agent } = at;
        let app = app.unwrap_or("APP");
        let json = json!({"event": "started", "api": api.to_string(), "master": master.to_string(), "agent": agent.to_string()});
        let text = format!(
            "Page          http://{api}/ui/\nMarathon API  http://{api}/v2/apps\nMesos master  http://{master}/state\nMesos agent   http://{agent}/state\n\
             In another terminal: {0} status, {0} app show {app}, {0} task list, {0} task logs TASK, {0} help{1}\n",
            program(),
            elsewhere(at)
        );
        self.say(json, &text);
    }

    /// Tells of apps that are here from earlier runs.
    pub(super) fn earlier(&mut self, ids: &[String]) {
        let text = format!(
            "Runs again from earlier: {}. `{} app rm ID` removes one; with another --work-dir nothing is there.\n",
            ids.join(", "),
            program()
        );
        self.say(json!({"event": "earlier", "apps": ids}), &text);
    }

    pub(super) fn stopping(&mut self, keep: bool) {
        self.leaving = true;
        let text = if keep { "Leaving; the tasks go on." } else { "Stopping the tasks; Ctrl-C again leaves at once." };
        self.say(json!({"event": "stopping", "keep": keep}), text);
    }

    pub(super) fn forced(&mut self) {
        self.say(
            json!({"event": "forced"}),
            "Left at once. Tasks may still run; the next `cygnet dev` here finds them.",
        );
    }

    pub(super) fn stopped(&mut self, keep: bool) {
        // The rows shown are those of a moment before the end.
        match self.show {
            Show::Table => screen::erase(),
            Show::Lines | Show::Json if !keep => self.look(&Value::Null),
            Show::Lines | Show::Json => {}
        }
        let text = if keep { "The next `cygnet dev` here finds them." } else { "All stopped." };
        self.say(json!({"event": "stopped", "keep": keep}), text);
    }

    fn say(&mut self, json: Value, text: &str) {
        screen::move_on();
        match self.show {
            Show::Json => json_line(json),
            Show::Table | Show::Lines => text.lines().for_each(line),
        }
    }
}

/// The name of this program as it was typed.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "cygnet".to_owned())
}

/// The variable to set so that the other commands find an API that is not where they look first.
fn elsewhere(at: &Addresses) -> String {
    let usual = at.api.ip().is_loopback() && at.api.port() == 8080;
    if usual { String::new() } else { format!("\n(after: export CYGNET_API={})", at.api) }
}
