//! Running commands from the root of the workspace, each shown before it runs.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// Runs cargo with these arguments.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a &'a str>) -> anyhow::Result<()> {
    succeed(&mut cargo_command(arguments))
}

/// The same, to be run by somebody else.
pub(crate) fn cargo_command<'a>(arguments: impl IntoIterator<Item = &'a &'a str>) -> Command {
    let mut command = at_root(option_env!("CARGO").unwrap_or("cargo"));
    command.args(arguments);
    command
}

/// Runs a script of the workspace.
pub(crate) fn script(path: &str) -> anyhow::Result<()> {
    succeed(&mut at_root(root().join(path)))
}

/// Runs a program; a path is one below the root.
pub(crate) fn program<'a>(name: &str, arguments: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
    let place = if name.contains('/') { root().join(name) } else { name.into() };
    succeed(at_root(place).args(arguments))
}

/// True if a program is there and answers.
pub(crate) fn installed(program: &str) -> bool {
    let quiet = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// True if cargo has this verb.
pub(crate) fn installed_cargo(verb: &str) -> bool {
    let quiet = cargo_command(&[verb, "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// Shows the command, as it would be typed.
pub(crate) fn show(command: &Command) {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy);
    println!("$ {}", words.collect::<Vec<_>>().join(" "));
}

/// Runs a command, which must not fail.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    show(command);
    let status = command.status().with_context(|| format!("cannot run {}", command.get_program().display()))?;
    ensure!(status.success(), "{} failed: {status}", command.get_program().display());
    Ok(())
}

fn at_root(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."))
}
