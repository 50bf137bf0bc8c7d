//! Clients of the Marathon API that others wrote and published, as they are. What they do stands in `tests/clients`.

use std::process::Command;

use harness::cluster::Dev;
use harness::python;

#[test]
fn marathon_python_drives_apps_groups_deployments_and_events() {
    let test = "marathon_python_drives_apps_groups_deployments_and_events";
    let Some(python) = python::with("marathon") else {
        println!("SKIPPED {test}: the client is not installed; cargo xtask clients does that");
        return;
    };
    let mut dev = Dev::new();
    dev.start(&["--resources", "cpus:8;mem:8192;disk:1000"]);
    let script = python::script("marathon_python.py");
    let output = Command::new(python).arg(script).arg(format!("http://{}", dev.api)).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
