//! The words about an app in the three places where people look, without what is the same for every app: its definition
//! and its table of tasks.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use harness::cluster::binary;
use serde_json::json;

use crate::signs::Seen;

/// The kinds of facts of `cygnet app show` that say how an app is.
const TELLING: [&str; 7] = ["  changes ", "  waits ", "  halted ", "  why ", "  next ", "  brake ", "  starting "];

/// The words about deployments, which take long wherever an app does not come up.
const OF_CHANGES: [&str; 2] = ["  changes ", "deployment "];

/// The words about an app.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) status: String,
    pub(crate) show: String,
    /// None without `node`.
    pub(crate) page: Option<String>,
}

impl Words {
    /// With what is said of its deployments, or without.
    pub(crate) fn of(api: SocketAddr, id: &str, with_deployments: bool) -> Words {
        let seen = Seen::at(api, id).expect("an answer");
        let shown = if seen.app.is_null() { format!("{id}/web") } else { id.to_owned() };
        let (status, show) = (cygnet(api, &["status", id]), cygnet(api, &["app", "show", &shown]));
        let status = status.lines().filter(|line| !line.starts_with("instances: ")).collect::<Vec<_>>().join("\n");
        let show = telling(&show);
        match with_deployments {
            true => Words { status, show, page: page(&seen) },
            false => {
                Words { status: unchanging(&status), show: unchanging(&show), page: page(&seen.without_deployments()) }
            }
        }
    }
}

fn cygnet(api: SocketAddr, arguments: &[&str]) -> String {
    let output =
        Command::new(binary()).args(arguments).env("CYGNET_API", api.to_string()).stdin(Stdio::null()).output();
    let output = output.expect("it starts");
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).trim_end().to_owned());
    assert!(output.status.success(), "cygnet {arguments:?}: {out}{err}");
    out
}

/// The headline, what says how it is, and what follows the definition, but for the table of tasks.
fn telling(shown: &str) -> String {
    let mut blocks = shown.split("\n\n");
    let (head, rest) = blocks.next().and_then(|first| first.split_once('\n')).unwrap_or_default();
    let facts = rest.lines().filter(|line| TELLING.iter().any(|kind| line.starts_with(kind)));
    let head = [head].into_iter().chain(facts).collect::<Vec<_>>().join("\n");
    let told = blocks.filter(|block| !block.starts_with("task "));
    [head.as_str()].into_iter().chain(told).collect::<Vec<_>>().join("\n\n")
}

/// The text without what it says of deployments.
fn unchanging(text: &str) -> String {
    let is_of_change = |part: &str| OF_CHANGES.iter().any(|kind| part.starts_with(kind));
    let blocks = text.split("\n\n").filter(|block| !is_of_change(block));
    let lines = |block: &str| block.lines().filter(|line| !is_of_change(line)).collect::<Vec<_>>().join("\n");
    blocks.map(lines).collect::<Vec<_>>().join("\n\n")
}

/// The rows of the page: of Now, or of the app where that has none.
fn page(Seen { overview, app }: &Seen) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("why/page.mjs");
    let mut node = Command::new("node").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let told = json!({"overview": overview, "app": app}).to_string();
    node.stdin.take().expect("piped").write_all(told.as_bytes()).expect("it reads");
    let output = node.wait_with_output().expect("its end");
    assert!(output.status.success(), "the page's words");
    Some(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
