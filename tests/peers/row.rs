//! A row: one case of a peer's tests. In: its JSON. Out: a test that runs `cygnet check` and compares what it says.
//!
//! | field | meaning |
//! |---|---|
//! | `shows` | the name of the case |
//! | `server`, `other` | how the servers behave ([`crate::behaviour`]); `{}` and `{other}` in the check are their addresses |
//! | `check` | the arguments of `cygnet check`; single quotes hold a word together |
//! | `comes` | the kind of outcome, as `--json` prints it, or one for each attempt; `usage` if the check is refused |
//! | `verdict` | the verdict at the end |
//! | `says` | a part of the cause or the output of the last attempt |
//! | `asked`, `unasked` | what the servers were sent, and what not; `unasked_of_other` is of `other` alone |
//! | `peer` | what comes out at the peer, where that is something else; then `differs` says why |

use std::process::{Command, Output};
use std::sync::Arc;

use harness::cluster::binary;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::behaviour::Behaviour;
use crate::certificates::Certificates;
use crate::server::Server;

/// The exit code of wrong usage.
const USAGE: i32 = 2;

/// The most runs of a row.
const RUNS: usize = 20;

/// The fields a row may have: a misspelt expectation would hold for ever.
const FIELDS: [&str; 12] = [
    "shows",
    "server",
    "other",
    "check",
    "comes",
    "verdict",
    "says",
    "asked",
    "unasked",
    "unasked_of_other",
    "peer",
    "differs",
];

pub(crate) struct Row {
    name: String,
    json: Value,
}

impl Row {
    pub(crate) fn read(peer: &str, json: &Value) -> Row {
        let name = format!("{peer}: {}", text(json, "shows"));
        for field in json.as_object().expect("a row is an object").keys() {
            assert!(FIELDS.contains(&field.as_str()), "{name}: there is no field '{field}'");
        }
        assert_eq!(json.get("peer").is_some(), json.get("differs").is_some(), "{name}: why does it differ?");
        Row { name, json: json.clone() }
    }

    pub(crate) fn trial(self, certificates: &Arc<Certificates>) -> Trial {
        let certificates = Arc::clone(certificates);
        Trial::test(self.name.clone(), move || self.run(&certificates))
    }

    /// A run that the machine held up says nothing, as the check itself says, and is made again.
    fn run(&self, certificates: &Certificates) -> Result<(), Failed> {
        let mut ran = self.run_once(certificates);
        for _again in 1..RUNS {
            if !is_held_up(&ran.output) {
                break;
            }
            ran = self.run_once(certificates);
        }
        self.compare(&ran)
    }

    fn run_once(&self, certificates: &Certificates) -> Ran {
        let other = self.server("other", "", certificates);
        let other_address = other.as_ref().map(Server::address).unwrap_or_default();
        let server = self.server("server", &other_address, certificates);
        let address = server.as_ref().map(Server::address).unwrap_or_default();
        let places = [("{}", address.as_str()), ("{other}", &other_address), ("{port}", port(&address))];
        let output = check(&text(&self.json, "check"), &places, certificates);
        let [asked, other_asked] = [server, other].map(|server| server.map(Server::end).unwrap_or_default());
        Ran { output, asked: asked + &other_asked, other_asked }
    }

    fn server(&self, field: &str, other: &str, certificates: &Certificates) -> Option<Server> {
        let behaviour = self.json.get(field)?;
        Some(Server::start(Behaviour::read(behaviour, other), certificates))
    }

    fn compare(&self, ran: &Ran) -> Result<(), Failed> {
        let Ran { output, asked, other_asked } = ran;
        let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let ensure = |holds: bool, what: String| {
            if holds {
                Ok(())
            } else {
                Err(Failed::from(format!("{what}\nit printed: {printed}\nit sent: {}", asked.escape_debug())))
            }
        };
        let found = Found::read(output);
        let comes = list(&self.json, "comes");
        ensure(found.kinds == comes, format!("{:?} came, not {comes:?}", found.kinds))?;
        if let Some(verdict) = self.json.get("verdict").and_then(Value::as_str) {
            ensure(found.verdict == verdict, format!("the verdict is '{}', not '{verdict}'", found.verdict))?;
        }
        if let Some(says) = self.json.get("says").and_then(Value::as_str) {
            ensure(found.says.contains(says), format!("it does not say '{says}'"))?;
        }
        for line in list(&self.json, "asked") {
            ensure(asked.contains(&line), format!("'{line}' was not sent"))?;
        }
        for line in list(&self.json, "unasked") {
            ensure(!asked.contains(&line), format!("'{line}' was sent"))?;
        }
        for line in list(&self.json, "unasked_of_other") {
            ensure(!other_asked.contains(&line), format!("'{line}' was sent to the other server"))?;
        }
        Ok(())
    }
}

/// The result of a run.
struct Ran {
    output: Output,
    /// The text sent to the servers, and that sent to the other one alone.
    asked: String,
    other_asked: String,
}

fn is_held_up(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stdout).contains("but the engine itself was away")
}

/// The output of `cygnet check --json`.
struct Found {
    kinds: Vec<String>,
    verdict: String,
    says: String,
}

impl Found {
    fn read(output: &Output) -> Found {
        if output.status.code() == Some(USAGE) {
            let says = String::from_utf8_lossy(&output.stderr).into_owned();
            return Found { kinds: vec!["usage".to_owned()], verdict: String::new(), says };
        }
        let stdout = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<Value> = stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let attempts: Vec<&Value> = lines.iter().filter(|line| line.get("kind").is_some()).collect();
        let kinds = attempts.iter().map(|attempt| text(attempt, "kind")).collect();
        let verdict = lines.last().and_then(|line| line["verdict"].as_str()).unwrap_or_default().to_owned();
        let says = attempts.last().map(ToString::to_string).unwrap_or_default();
        Found { kinds, verdict, says }
    }
}

fn check(arguments: &str, places: &[(&str, &str)], certificates: &Certificates) -> Output {
    let filled = places.iter().fold(arguments.to_owned(), |text, (place, value)| text.replace(place, value));
    let filled = certificates.fill(&filled);
    let mut words = words(&filled);
    words.insert(1, "--json".to_owned());
    Command::new(binary()).arg("check").args(&words).output().expect("the binary runs")
}

/// Words between blanks; single quotes hold one together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted, mut is_word) = (Vec::new(), String::new(), false, false);
    for letter in line.chars() {
        match letter {
            '\'' => (is_quoted, is_word) = (!is_quoted, true),
            ' ' if !is_quoted => {
                words.extend(is_word.then(|| std::mem::take(&mut word)));
                is_word = false;
            }
            letter => {
                word.push(letter);
                is_word = true;
            }
        }
    }
    words.extend(is_word.then_some(word));
    words
}

fn port(address: &str) -> &str {
    address.rsplit(':').next().unwrap_or_default()
}

fn text(json: &Value, field: &str) -> String {
    json[field].as_str().unwrap_or_else(|| panic!("'{field}' is a text in {json}")).to_owned()
}

/// One text or several.
fn list(json: &Value, field: &str) -> Vec<String> {
    match json.get(field) {
        None => Vec::new(),
        Some(Value::Array(all)) => all.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        Some(one) => vec![one.as_str().unwrap().to_owned()],
    }
}
