//! What a developer types: `cargo xtask test`, `lint`, `bench`, `ci`.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};

const HELP: &str = "cargo xtask test           build, run every test, list those that could not run here
cargo xtask lint           format, clippy with warnings as errors, dependency audit
cargo xtask bench checks   what a check costs beside a forked curl (--quick, --json)
cargo xtask ci             what .ci/run does";

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test", rest @ ..] => test(rest)?,
        ["lint"] => lint()?,
        ["bench", rest @ ..] => bench(rest)?,
        ["ci"] => run("bash", &[".ci/run"])?,
        _ => {
            println!("{HELP}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whole-system tests find the binary beside their own, so it is built first.
fn test(filter: &[&str]) -> anyhow::Result<()> {
    run("cargo", &["build", "--package", "cygnet"])?;
    let mut skipped = Vec::new();
    let mut arguments = vec!["test", "--workspace", "--no-fail-fast"];
    arguments.extend(filter);
    let passed = watch("cargo", &arguments, |line| {
        if let Some(at) = line.find("SKIPPED ") {
            skipped.push(line.get(at..).unwrap_or_default().to_owned());
        }
    })?;
    println!("\nskipped, because this machine cannot run them: {}", skipped.len());
    skipped.iter().for_each(|line| println!("  {line}"));
    if passed { Ok(()) } else { bail!("tests failed; they are named above") }
}

fn lint() -> anyhow::Result<()> {
    run("cargo", &["fmt", "--all", "--", "--check"])?;
    run("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    if !succeeds("cargo", &["deny", "--version"]) {
        println!("SKIPPED the dependency audit: `cargo install cargo-deny --locked` makes it run");
        return Ok(());
    }
    run("cargo", &["deny", "check", "bans", "licenses", "sources"])
}

fn bench(arguments: &[&str]) -> anyhow::Result<()> {
    let mut all = vec!["run", "--release", "--package", "bench", "--"];
    all.extend(arguments);
    run("cargo", &all)
}

fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    println!("+ {program} {}", arguments.join(" "));
    let status = Command::new(program).args(arguments).status().with_context(|| format!("cannot run {program}"))?;
    if status.success() { Ok(()) } else { bail!("{program} {}: {status}", arguments.join(" ")) }
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let quiet = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// Runs a program, passes its output on, and shows every line to `see`. Says whether it succeeded.
fn watch(program: &str, arguments: &[&str], mut see: impl FnMut(&str)) -> anyhow::Result<bool> {
    println!("+ {program} {}", arguments.join(" "));
    let mut child = Command::new(program)
        .args(arguments)
        .env("RUST_TEST_NOCAPTURE", "1")
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        println!("{line}");
        see(&line);
    }
    Ok(child.wait()?.success())
}
