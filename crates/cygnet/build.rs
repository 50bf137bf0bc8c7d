//! Links the program to a fixed address. A shim runs for every task, and a program that can be loaded anywhere has to
//! be patched by each of its processes: hundreds of KiB of memory that nobody shares, for pointers a shim never follows.
//!
//! Tells the program its version, with the commit it is built from and that commit's date, where there is one.

use std::process::Command;

fn main() {
    let commit = git(&["log", "-1", "--format=%h %cs"]);
    let commit = commit.map_or_else(String::new, |commit| format!(" ({commit})"));
    println!("cargo:rustc-env=CYGNET_VERSION={}{commit}", env!("CARGO_PKG_VERSION"));
    if let Some(log) = git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
