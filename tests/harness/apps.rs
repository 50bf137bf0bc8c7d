//! The app that most tests run: the example's web server, and looking at its tasks.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::{Dev, START};
use crate::{process, wait};

/// From the end of an attempt to the next one.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// The time that an attempt may take.
pub const TIMEOUT: Duration = Duration::from_secs(1);

/// The number of failures that kill.
pub const FAILURES: u32 = 3;

/// The example's app.
pub fn web(instances: u32) -> Value {
    json!({
        "id": "/web", "cmd": "exec cygnet demo http --port $PORT0", "cpus": 0.1, "mem": 16, "instances": instances,
        "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0, "delaySeconds": 0,
            "intervalSeconds": INTERVAL.as_secs(), "timeoutSeconds": TIMEOUT.as_secs(), "gracePeriodSeconds": 20,
            "maxConsecutiveFailures": FAILURES}]
    })
}

/// Writes a definition into the test's directory, and gives its path.
pub fn file(dev: &Dev, name: &str, definition: &Value) -> String {
    let path = dev.directory().join(name);
    std::fs::write(&path, definition.to_string()).expect("a file");
    path.display().to_string()
}

/// `cygnet dev` with so many healthy instances of the app.
#[track_caller]
pub fn started(instances: u32, arguments: &[&str]) -> Dev {
    let mut dev = Dev::new();
    let web = file(&dev, "web.json", &web(instances));
    let mut all = vec![web.as_str()];
    all.extend(arguments);
    dev.start(&all);
    dev.wait_healthy("web", u64::from(instances));
    dev
}

/// The ids of an app's tasks, sorted.
pub fn ids(app: &Value) -> Vec<String> {
    let tasks = app["tasks"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<_> = tasks.iter().filter_map(|task| task["id"].as_str().map(str::to_owned)).collect();
    ids.sort();
    ids
}

/// The address that a task listens on.
pub fn address(task: &Value) -> SocketAddr {
    let port = task["ports"][0].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// True if an app has an unhealthy task.
pub fn unhealthy(app: &Value) -> bool {
    app["tasksUnhealthy"].as_u64().is_some_and(|count| count > 0)
}

/// Pid of the server that listens on the task's port.
pub fn server(dev: &Dev, task: &Value) -> i32 {
    let port = address(task).port().to_string();
    let serves = |pid: &i32| process::command_line(*pid).ends_with(&format!("demo http --port {port}"));
    wait::until("the task's process", START, || dev.others().into_iter().find(serves))
}
