//! `docs/why.md`: what is written above its first row is somebody's own, the rows are made of what was said. Two texts are
//! the same if they are so without numbers, times and ids.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::wait;

use crate::Told;
use crate::peers::Peers;
use crate::ways::{WAYS, Way};
use crate::words::Words;

/// The line that the rows come after.
const ROWS: &str = "<!-- Made by tests/why; CYGNET_WRITE_WHY=1 makes it anew. -->\n";

/// The time within which what is said has to be what is written: it may be between two states.
const PATIENCE: Duration = Duration::from_secs(40);

#[derive(Debug)]
pub(crate) struct Document(String);

impl Document {
    pub(crate) fn read() -> Document {
        Document(fs::read_to_string(path()).expect("docs/why.md"))
    }

    /// Waits until what is said of a way is what its section has.
    #[track_caller]
    pub(crate) fn agrees(&self, way: &Way, peers: &Peers, words: impl Fn() -> Words) {
        let heading = format!("\n## {}\n", way.name);
        let (_, section) = self.0.split_once(&heading).unwrap_or_else(|| panic!("docs/why.md has no {}", way.name));
        let written = alike(section.split("\n## ").next().unwrap_or_default());
        wait::until_ok(&format!("the words about {}", way.name), PATIENCE, || {
            let words = words();
            let said = alike(&body(way, peers, &words));
            // Without `node` nobody knows what the page says.
            let written = if words.page.is_some() { written.as_str() } else { before_page(&written) };
            if sorted(&said) == sorted(written) {
                Ok(())
            } else {
                Err(format!("\n--- said\n{said}\n--- written\n{written}"))
            }
        });
    }

    /// Writes all sections anew.
    pub(crate) fn write(&self, peers: &Peers, mut told: Vec<Told>) {
        told.sort_by_key(|(number, _)| *number);
        assert_eq!(told.len(), WAYS.len(), "all of them are needed");
        let (own, _) = self.0.split_once(ROWS).expect("a line above the rows");
        let sections = told.iter().map(|(number, words)| {
            let way = &WAYS[*number];
            assert!(words.page.is_some(), "node is needed");
            format!("\n## {}\n{}", way.name, body(way, peers, words))
        });
        let table: String = told.iter().map(|(number, words)| row(&WAYS[*number], words)).collect();
        let head = "| way | how it is | why | what is next |\n|---|---|---|---|\n";
        let all = format!("{own}{ROWS}\n{head}{table}{}", sections.collect::<String>());
        fs::write(path(), all).expect("docs/why.md can be written");
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/why.md")
}

/// A line of the table, from what the page has first.
fn row(way: &Way, words: &Words) -> String {
    let page = words.page.as_deref().unwrap_or_default();
    let answer = |name: &str| page.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("-").trim().to_owned();
    let link = way.name.replace(' ', "-");
    format!("| [{}](#{link}) | {} | {} | {} |\n", way.name, answer("how it is "), answer("why "), answer("next "))
}

fn body(way: &Way, peers: &Peers, words: &Words) -> String {
    let definition = (way.definition)(peers);
    let mut body = format!("\n{}\n\n```json\n{definition}\n```\n", way.done);
    for (place, text) in
        [("cygnet status", Some(&words.status)), ("cygnet app show", Some(&words.show)), (PAGE, words.page.as_ref())]
    {
        body += &text.map_or_else(String::new, |text| format!("\n`{place}`:\n\n```text\n{text}\n```\n"));
    }
    body
}

const PAGE: &str = "the page";

fn before_page(section: &str) -> &str {
    section.split(&format!("\n`{PAGE}`:\n")).next().unwrap_or_default()
}

/// The paragraphs, whatever their order: of instances that are alike nobody knows which comes first.
fn sorted(text: &str) -> Vec<&str> {
    let mut all: Vec<&str> = text.trim().split("\n\n").collect();
    all.sort_unstable();
    all
}

/// The text without what is another at each run: numbers, times, however long, and ids.
fn alike(text: &str) -> String {
    text.lines().map(|line| timeless(line.split(' ').map(token)).join(" ")).collect::<Vec<_>>().join("\n")
}

/// One word: ids and numbers left out.
fn token(word: &str) -> String {
    let parts = word.split_inclusive(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
    parts
        .map(|part| if is_id(part) { "ID".to_owned() + part.trim_start_matches(is_hex) } else { numberless(part) })
        .collect()
}

/// A UUID, or the beginning of one by which people call it.
fn is_id(part: &str) -> bool {
    let id = part.len() - part.trim_start_matches(is_hex).len();
    id == 8 || id == 36
}

fn is_hex(letter: char) -> bool {
    letter.is_ascii_hexdigit() || letter == '-'
}

fn numberless(part: &str) -> String {
    let append = |mut text: String, letter: char| {
        let shown = if letter.is_ascii_digit() { '#' } else { letter };
        if shown != '#' || !text.ends_with('#') {
            text.push(shown);
        }
        text
    };
    part.chars().fold(String::new(), append)
}

/// The words with every length of time as `#s`: "1m 5s" and "1 min 5 s" as well as "9s".
fn timeless(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut line: Vec<String> = Vec::new();
    for mut word in words {
        let unit = word.trim_matches(PUNCTUATION).to_owned();
        if UNITS.contains(&unit.as_str()) && line.last().is_some_and(|last| last.ends_with('#')) {
            word.insert_str(0, &line.pop().unwrap_or_default());
        }
        let bare = word.trim_matches(PUNCTUATION).to_owned();
        if bare.strip_prefix('#').is_some_and(|unit| UNITS.contains(&unit)) {
            word = word.replace(&bare, "#s");
            if let Some(first) = line.pop_if(|last| last.ends_with("#s")) {
                word = first + word.trim_start_matches("#s");
            }
        }
        line.push(word);
    }
    line
}

const UNITS: [&str; 7] = ["s", "m", "h", "min", "d", "day", "days"];

const PUNCTUATION: [char; 4] = ['(', ')', ',', ';'];
