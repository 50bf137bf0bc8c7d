//! Clients of the Marathon API that others wrote and published, as they are. What they do stands in `tests/clients`.

use std::process::Command;

use harness::python;

use crate::started;

/// Runs a script of `tests/clients` that drives this package, against a cluster of its own.
fn drive(test: &str, package: &str, script: &str) {
    let Some(python) = python::with(package) else {
        println!("SKIPPED {test}: the client is not installed; cargo xtask clients does that");
        return;
    };
    let dev = started();
    let script = python::script(script);
    let output = Command::new(python).arg(script).arg(format!("http://{}", dev.api)).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn marathon_python_drives_apps_groups_deployments_and_events() {
    drive("marathon_python_drives_apps_groups_deployments_and_events", "marathon", "marathon_python.py");
}

#[test]
fn the_client_of_the_dcos_command_line_drives_apps_groups_and_pods() {
    drive("the_client_of_the_dcos_command_line_drives_apps_groups_and_pods", "dcos", "dcos_marathon.py");
}
