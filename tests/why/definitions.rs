//! The definitions of the ways, without their ids: an app each, but for a group. In: the ports of those whom checks meet.

use serde_json::{Value, json};

use crate::peers::Peers;

fn app(cmd: &str) -> Value {
    json!({"cmd": cmd, "cpus": 0.01, "mem": 8})
}

/// The app with this check, asked for every second.
fn with_check(mut app: Value, check: Value) -> Value {
    let mut all = json!({"intervalSeconds": 1, "timeoutSeconds": 1, "delaySeconds": 0});
    all.as_object_mut().expect("an object").extend(check.as_object().expect("an object").clone());
    app["healthChecks"] = json!([all]);
    app
}

/// A task that only lives, with a check of somebody else that may fail for long.
fn asking(check: Value) -> Value {
    let mut check = check;
    check["gracePeriodSeconds"] = json!(0);
    check["maxConsecutiveFailures"] = check["maxConsecutiveFailures"].as_u64().unwrap_or(1000).into();
    with_check(app("exec sleep 100000"), check)
}

/// One that ends, and is launched again after a second, and then only after minutes, when all has been read.
fn ending(cmd: &str) -> Value {
    let mut app = app(cmd);
    (app["backoffSeconds"], app["backoffFactor"]) = (json!(1), json!(600));
    app
}

pub(crate) fn wrong_port(_: &Peers) -> Value {
    let mut app = app("exec cygnet demo http --port $PORT1");
    app["portDefinitions"] = json!([{"port": 0}, {"port": 0}]);
    with_check(app, json!({"protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0}))
}

pub(crate) fn slow_start(_: &Peers) -> Value {
    let app = app("sleep 600; exec cygnet demo http --port $PORT0");
    with_check(app, json!({"protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0, "gracePeriodSeconds": 900}))
}

pub(crate) fn unavailable(peers: &Peers) -> Value {
    asking(json!({"name": "front page", "protocol": "MESOS_HTTP", "path": "/", "port": peers.unavailable}))
}

pub(crate) fn crashes(_: &Peers) -> Value {
    ending("echo cannot open /etc/front.conf >&2; exit 3")
}

pub(crate) fn missing_binary(_: &Peers) -> Value {
    ending("serve --port $PORT0")
}

pub(crate) fn missing_user(_: &Peers) -> Value {
    let mut app = ending("exec sleep 100000");
    app["user"] = json!("nobody-here");
    app
}

pub(crate) fn port_taken(peers: &Peers) -> Value {
    ending(&format!("exec cygnet demo http --port {}", peers.taken))
}

pub(crate) fn too_big(_: &Peers) -> Value {
    json!({"cmd": "exec sleep 100000", "cpus": 0.01, "mem": 10_000_000})
}

pub(crate) fn nowhere(_: &Peers) -> Value {
    let mut app = app("exec sleep 100000");
    app["constraints"] = json!([["hostname", "CLUSTER", "nowhere"]]);
    app
}

pub(crate) fn braked(peers: &Peers) -> Value {
    let mut app =
        asking(json!({"name": "front page", "protocol": "MESOS_HTTP", "path": "/", "port": peers.unavailable,
        "maxConsecutiveFailures": 2}));
    (app["instances"], app["brake"]) = (json!(2), json!({"share": 0, "least": 1, "windowSeconds": 3600}));
    app
}

/// Nobody is given up while it is looked at.
pub(crate) fn lost_later(_: &Peers) -> Value {
    let mut app = app("exec sleep 100000");
    app["unreachableStrategy"] = json!({"inactiveAfterSeconds": 600, "expungeAfterSeconds": 1200});
    app
}

pub(crate) fn glutton(_: &Peers) -> Value {
    let mut app = ending("exec tail /dev/zero");
    app["mem"] = json!(32);
    app
}

pub(crate) fn silent(peers: &Peers) -> Value {
    asking(json!({"protocol": "MESOS_HTTP", "path": "/", "port": peers.silent}))
}

pub(crate) fn stranger(peers: &Peers) -> Value {
    asking(json!({"name": "front page", "protocol": "MESOS_HTTPS", "path": "/", "port": peers.stranger,
        "http": {"tls": {"verify": true, "serverName": "shop.example"}}}))
}

pub(crate) fn shop(peers: &Peers) -> Value {
    let member = |id: &str, mut app: Value| {
        app["id"] = json!(id);
        app
    };
    let mut web = member("web", app("exec sleep 100000"));
    web["dependencies"] = json!(["/shop/db"]);
    json!({"apps": [member("db", too_big(peers)), web]})
}

pub(crate) fn sleeps(_: &Peers) -> Value {
    let mut app = app("exec sleep 100000");
    app["instances"] = json!(2);
    app
}

pub(crate) fn checked(_: &Peers) -> Value {
    let app = app("exec cygnet demo http --port $PORT0");
    with_check(app, json!({"name": "front page", "protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0}))
}
