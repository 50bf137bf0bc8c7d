//! Clients that others wrote for Mesos, unmodified from their registry, from subscription to teardown. Each is a program
//! in `tests/clients` that prints its steps and ends with 0 when all went as told.

use std::process::Command;

use harness::python;

use crate::row::{Row, row};
use crate::target::Target;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("client pymesos: scheduler, executor and operator", |target| {
            drive("pymesos", "pymesos_framework.py", &[target.master().to_string(), target.agent().to_string()]);
        }),
        row("client avmesos: scheduler", |target: &Target| {
            drive("avmesos", "avmesos_framework.py", &[target.master().to_string()]);
        }),
    ]
}

#[track_caller]
fn drive(package: &str, program: &str, arguments: &[String]) {
    let Some(python) = python::with(package) else {
        println!("\nSKIPPED client {program}: the client is not installed; cargo xtask clients does that");
        return;
    };
    let output = Command::new(python).arg(python::script(program)).args(arguments).output().expect("python runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}\n{}", output.status, said(&output.stdout), said(&output.stderr));
}
