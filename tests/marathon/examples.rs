//! Every file of `examples` runs as it is. Those of `examples/containers` have a test beside the others of containers.

use std::path::Path;

use harness::cluster::{Dev, START};
use harness::{http, wait};
use serde_json::Value;

#[test]
fn every_example_runs_as_it_is() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let files = std::fs::read_dir(directory).expect("examples").map(|entry| entry.expect("an entry").path());
    let files: Vec<String> = files.filter(|path| path.is_file()).map(|path| path.display().to_string()).collect();
    assert!(files.len() >= 7, "{files:?}");
    let mut dev = Dev::new();
    let mut arguments: Vec<&str> = files.iter().map(String::as_str).collect();
    arguments.extend(["--resources", "cpus:8;mem:8192;disk:8192"]);
    dev.start(&arguments);
    wait::until("all examples to be healthy", START, || {
        let apps = http::get(dev.api, "/v2/apps")?.json()["apps"].as_array()?.clone();
        let healthy = |app: &Value| app["tasksHealthy"] == app["instances"] && app["instances"] != 0;
        (apps.len() > files.len() && apps.iter().all(healthy)).then_some(())
    });
    crate::settled(&dev);
}
