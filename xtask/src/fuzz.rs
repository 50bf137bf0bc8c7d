//! Fuzzing: every target, one after the other, for a time each. In: seconds. Out: the corpus
//! grows below the target directory; what crashes a target is named by cargo-fuzz and ends it.

use std::fs;

use anyhow::{Context, ensure};

use crate::command::{cargo_command, installed_cargo, root, succeed};

const PLACE: &str = "fuzz";

pub(crate) fn run(seconds: &str) -> anyhow::Result<()> {
    let _a_number: u32 = seconds.parse().with_context(|| format!("'{seconds}' is no number of seconds"))?;
    ensure!(installed_cargo("fuzz"), "cargo-fuzz is not installed: cargo install cargo-fuzz");
    targets()?.iter().try_for_each(|target| fuzz(target, seconds))
}

fn targets() -> anyhow::Result<Vec<String>> {
    let entries = fs::read_dir(root().join(PLACE).join("src/bin"))?.flatten();
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

/// Sanitizers want a nightly compiler; without `unsafe` in what is fuzzed they would find little. What crashes is
/// told by its symbols, which a release has not.
fn fuzz(target: &str, seconds: &str) -> anyhow::Result<()> {
    let (seeds, grown) = (format!("{PLACE}/corpus/{target}"), format!("target/fuzz/corpus/{target}"));
    fs::create_dir_all(root().join(&grown))?;
    let limit = format!("-max_total_time={seconds}");
    let run = ["fuzz", "run", "--fuzz-dir", PLACE, "--target-dir", "target/fuzz", "--sanitizer", "none"];
    let built = ["--features", "fuzzing", target, &grown, &seeds, "--", &limit];
    succeed(cargo_command(run.iter().chain(&built)).env("CARGO_PROFILE_RELEASE_STRIP", "none"))
}
