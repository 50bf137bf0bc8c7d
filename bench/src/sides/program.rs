//! Programs that read targets and print what they measured.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::measured::Measured;
use crate::targets::Target;

/// Feeds it the targets, waits until it ends, and reads its line.
pub(super) fn run(command: &mut Command, targets: &[Target]) -> anyhow::Result<Measured> {
    feed(command, targets.iter().map(Target::line))
}

/// The same for any lines.
pub(super) fn feed(command: &mut Command, lines: impl Iterator<Item = String>) -> anyhow::Result<Measured> {
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start")?;
    let mut input = process.stdin.take().context("no pipe")?;
    let lines: String = lines.map(|line| line + "\n").collect();
    input.write_all(lines.as_bytes()).context("it does not read its targets")?;
    drop(input);
    let output = process.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "it failed: {}", output.status);
    serde_json::from_slice(&output.stdout).context("it printed no measurement")
}

/// The path of a program.
pub(super) fn find(name: &str) -> anyhow::Result<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where daemons are may not be in the path of people.
    let directories = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = directories.map(|directory| directory.join(name)).find(|file| file.is_file());
    let found = found.with_context(|| format!("{name} is not installed"))?;
    found.into_os_string().into_string().map_err(|_| anyhow::anyhow!("the path of {name} is not text"))
}
