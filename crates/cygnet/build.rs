//! Links the program to a fixed address. A shim runs for every task, and a program that can be loaded anywhere has to
//! be patched by each of its processes: hundreds of KiB of memory that nobody shares, for pointers a shim never follows.
//!
//! Tells the program its version, with the commit it is built from and that commit's date, where there is one; and the
//! time of what it is built from: `SOURCE_DATE_EPOCH`, that of the commit, or now.

use std::process::Command;

use jiff::Timestamp;

fn main() {
    let time = time();
    println!("cargo:rustc-env=CYGNET_BUILD_SECONDS={}", time.as_second());
    println!("cargo:rustc-env=CYGNET_BUILD_DATE={}", time.strftime("%Y-%m-%d %H:%M:%S UTC"));
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
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

fn time() -> Timestamp {
    let told = std::env::var("SOURCE_DATE_EPOCH").ok().or_else(|| git(&["log", "-1", "--format=%ct"]));
    let told = told.and_then(|seconds| Timestamp::from_second(seconds.trim().parse().ok()?).ok());
    told.unwrap_or_else(Timestamp::now)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
