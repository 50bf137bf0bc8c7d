//! The check cases of Cygnet's peers, restated as data: a file for each peer, a row for each case, which says how the
//! server behaves, how the check is set up, and the outcome. Every row is one run of `cygnet check` against servers of
//! its own. Where Cygnet differs on purpose, the row says so and why.
//!
//! [`row`] reads and runs the rows, [`server`] plays the servers, [`behaviour`] is how they behave, [`http2`] writes
//! frames, [`certificates`] makes what TLS needs. `cargo test --test peers -- FILTER` runs some.

mod behaviour;
mod certificates;
mod http2;
mod row;
mod server;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

use crate::certificates::Certificates;
use crate::row::Row;

/// Rows mostly wait, so many go beside each other.
const THREADS: usize = 8;

/// The number of cases the suite promises to cover.
const PROMISED: usize = 250;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let certificates = Arc::new(Certificates::make());
    let rows = rows();
    let count = rows.len();
    let mut trials: Vec<Trial> = rows.into_iter().map(|row| row.trial(&certificates)).collect();
    trials.push(Trial::test("there are as many rows as promised", move || {
        if count >= PROMISED { Ok(()) } else { Err(Failed::from(format!("{count} of {PROMISED}"))) }
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// Every row of every `*.json` beside this file.
fn rows() -> Vec<Row> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files.iter().flat_map(|path| rows_of(path)).collect()
}

fn rows_of(path: &Path) -> Vec<Row> {
    let peer = path.file_stem().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap();
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    rows.iter().map(|row| Row::read(&peer, row)).collect()
}
