//! `cygnet status`: is anything wrong? The overview of the v2 API: totals by group, and of everything only what is not well,
//! the worst first. [`page`] shows it, [`entry`] one thing that is not well.

mod entry;
mod page;

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use self::page::shown;
use super::page::Page;
use crate::api::{Api, Asking, encoded};
use crate::output::{json_line, line};
use crate::screen::{self, Size, cut};

/// The time between two looks.
const AGAIN: Duration = Duration::from_secs(2);

/// The exit code for those who ask for one, when something is not well. 1 is an answer that did not come.
const NOT_WELL: u8 = 4;

const CODES: &str = "\
Exit codes: 0 there was an answer; 1 there was none; with --exit-code 0 all is well, 4 something is not.";

/// The part of everything to look at, and how.
#[derive(Debug, Args)]
#[command(after_help = CODES)]
pub(crate) struct Status {
    /// Only this group, or this app
    #[arg(value_name = "GROUP")]
    group: Option<String>,
    /// The most to show of what is not well
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Look again every two seconds
    #[arg(long, short)]
    watch: bool,
    /// Exit with 4 if something is not well
    #[arg(long, conflicts_with = "watch")]
    exit_code: bool,
    #[command(flatten)]
    asking: Asking,
}

/// Does it.
pub(crate) async fn run(status: Status) -> anyhow::Result<ExitCode> {
    let api = Api::of(&status.asking);
    if status.watch {
        return watch(&api, &status).await;
    }
    let overview = api.get(&status.first_path()).await?;
    match api.json {
        true => json_line(&overview),
        false => shown(&overview, Page::of_stdout()).print(),
    }
    let is_well = overview["notWellCount"] == 0;
    Ok(if status.exit_code && !is_well { ExitCode::from(NOT_WELL) } else { ExitCode::SUCCESS })
}

/// Looks again and again, until somebody ends it. A server that goes away may be back.
async fn watch(api: &Api, status: &Status) -> anyhow::Result<ExitCode> {
    show(api, &api.get(&status.first_path()).await?);
    loop {
        tokio::time::sleep(AGAIN).await;
        match api.get(&status.path()).await {
            Ok(overview) => show(api, &overview),
            Err(error) => screen::complaint(format!("cygnet: {error:#}")),
        }
    }
}

fn show(api: &Api, overview: &Value) {
    if api.json {
        json_line(overview);
    } else if stdout().is_terminal() {
        let size = Size::of_terminal();
        screen::draw(fitting(shown(overview, Page::of_stdout()).into_lines(), size));
    } else {
        shown(overview, Page::of_stdout()).print();
        line("");
    }
}

/// As many of the lines as a terminal has, with a word about the others.
fn fitting(mut lines: Vec<String>, size: Size) -> Vec<String> {
    let room = size.lines.saturating_sub(1).max(1);
    if lines.len() > room {
        let left_out = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(cut(&format!("and {left_out} more lines"), size.columns));
    }
    lines
}

impl Status {
    fn path(&self) -> String {
        let group = self
            .group
            .as_ref()
            .map_or_else(String::new, |group| format!("&group=/{}", encoded(group.trim_matches('/'))));
        format!("/v2/overview?limit={}{group}", self.limit)
    }

    /// Of who looks once, or for the first time: agents have to be asked before they can have told.
    fn first_path(&self) -> String {
        self.path() + "&embed=checkers"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_never_outgrown() {
        let size = Size { lines: 5, columns: 80 };
        let lines = |count: usize| fitting((0..count).map(|line| line.to_string()).collect(), size);
        assert_eq!(lines(4), ["0", "1", "2", "3"]);
        assert_eq!(lines(9), ["0", "1", "2", "and 6 more lines"]);
    }
}
