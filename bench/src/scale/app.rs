//! The app that is scaled: tiny servers, checked as the article checked its tasks. Pure.
//!
//! Tasks of a real agent are one app, as in the article; those of simulated agents are an app for each thousand.

use std::path::Path;

use serde_json::{Value, json};

use super::options::{Kind, Options};

/// The first ports of tasks, on every agent.
pub(crate) const FIRST_PORT: u16 = 10_000;

/// The most instances of an app on simulated agents.
const APP: u32 = 1000;

const ID: &str = "/scale";

/// The number of apps it takes.
fn apps(options: &Options) -> u32 {
    if options.is_simulated() { options.up_to.div_ceil(APP) } else { 1 }
}

fn id(number: u32) -> String {
    format!("{ID}/{number}")
}

/// True if this is the id of one of ours.
pub(crate) fn is_ours(id: &Value) -> bool {
    id.as_str().is_some_and(|id| id.starts_with(ID))
}

/// Enough for all, on any machine: what is scarce is found out, not booked.
pub(crate) fn resources(options: &Options) -> String {
    let last = if options.is_simulated() { FIRST_PORT + ports(options) - 1 } else { 32_000 };
    format!("cpus:100000;mem:100000000;disk:100000000;ports:[{FIRST_PORT}-{last}]")
}

/// The number of ports of a simulated agent: some more than its share of tasks, as they are not spread quite evenly. Each
/// may be a listener, and a process may have 20,000 files where the limit cannot be raised.
pub(crate) fn ports(options: &Options) -> u16 {
    let share = options.up_to.div_ceil(options.agents().max(1));
    u16::try_from(share + share / 5 + 8).unwrap_or(u16::MAX - FIRST_PORT).min(50_000)
}

/// The definitions, with no instances yet.
pub(crate) fn definitions(options: &Options, cygnet: &Path) -> Value {
    (0..apps(options)).map(|number| definition(options, cygnet, number)).collect()
}

/// A number of tasks, in change requests.
pub(crate) fn scaled(options: &Options, tasks: u32) -> Value {
    let apps = apps(options);
    let share = |number| tasks / apps + u32::from(number < tasks % apps);
    (0..apps).map(|number| json!({"id": id(number), "instances": share(number)})).collect()
}

fn definition(options: &Options, cygnet: &Path, number: u32) -> Value {
    let cygnet = cygnet.display();
    let server = format!("exec {cygnet} demo http --port $PORT0");
    let command = match options.netns {
        true => format!("exec unshare --net sh -c 'ip link set lo up && {server}'"),
        false => server,
    };
    json!({
        "id": id(number), "instances": 0, "cmd": command, "cpus": 0.01, "mem": 1, "disk": 0,
        "backoffSeconds": 1, "backoffFactor": 1.0, "maxLaunchDelaySeconds": 1,
        "portDefinitions": [{"port": 0}], "healthChecks": [check(options)],
    })
}

fn check(options: &Options) -> Value {
    let mut check = json!({
        "gracePeriodSeconds": 20, "intervalSeconds": 1, "maxConsecutiveFailures": 3, "delaySeconds": 0,
        "timeoutSeconds": options.timeout.as_secs(),
    });
    let (protocol, command) = match options.check {
        Kind::Http => ("HTTP", None),
        Kind::Tcp => ("TCP", None),
        Kind::MesosHttp if options.curl => ("COMMAND", Some(CURL)),
        Kind::MesosHttp => ("MESOS_HTTP", None),
        Kind::MesosTcp => ("MESOS_TCP", None),
        Kind::Command => ("COMMAND", Some("true")),
    };
    check["protocol"] = json!(protocol);
    match (command, options.check) {
        (Some(command), _) => check["command"] = json!({"value": command}),
        (None, Kind::Http | Kind::MesosHttp) => check["path"] = json!("/health"),
        (None, _) => {}
    }
    check
}

/// With the arguments Mesos gives it.
const CURL: &str = "exec curl -s -S -L -k -f -o /dev/null -g http://127.0.0.1:$PORT0/health";

#[cfg(test)]
mod tests {
    use super::super::options::Command;
    use super::*;

    fn given(line: &str) -> Options {
        Command::given(line).unwrap().options
    }

    #[test]
    fn checks_are_the_articles() {
        let options = given("--check http");
        let apps = definitions(&options, Path::new("/bin/cygnet"));
        let check = &apps[0]["healthChecks"][0];
        assert_eq!((&check["protocol"], &check["intervalSeconds"]), (&json!("HTTP"), &json!(1)));
        assert_eq!((&check["gracePeriodSeconds"], &check["timeoutSeconds"]), (&json!(20), &json!(20)));
        assert_eq!(apps[0]["cmd"], "exec /bin/cygnet demo http --port $PORT0");
        assert_eq!(apps.as_array().unwrap().len(), 1);
    }

    #[test]
    fn simulated_tasks_are_several_apps() {
        let options = given("--agents 10 --up-to 2500");
        let scaled = scaled(&options, 1000);
        let shares: Vec<_> = scaled.as_array().unwrap().iter().map(|app| app["instances"].as_u64().unwrap()).collect();
        assert_eq!(shares, [334, 333, 333]);
        assert!(is_ours(&scaled[2]["id"]) && !is_ours(&json!("/other")));
        assert_eq!(ports(&options), 308);
        assert!(resources(&options).ends_with("ports:[10000-10307]"));
    }
}
