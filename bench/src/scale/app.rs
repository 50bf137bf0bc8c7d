//! The app that is scaled: tiny servers, checked as the article checked its tasks. Pure.

use std::path::Path;

use serde_json::{Value, json};

use super::options::{Kind, Options};

pub(crate) const ID: &str = "/scale";

/// Enough for all, on any machine: what is scarce is found out, not booked.
pub(crate) const RESOURCES: &str = "cpus:100000;mem:100000000;disk:100000000;ports:[10000-32000]";

/// The definition, with no instances yet.
pub(crate) fn definition(options: &Options, cygnet: &Path) -> Value {
    let cygnet = cygnet.display();
    let server = format!("exec {cygnet} demo http --port $PORT0");
    let command = match options.netns {
        true => format!("exec unshare --net sh -c 'ip link set lo up && {server}'"),
        false => server,
    };
    json!({
        "id": ID, "instances": 0, "cmd": command, "cpus": 0.01, "mem": 1, "disk": 0,
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
    use super::*;

    #[test]
    fn checks_are_the_articles() {
        let options = Options { check: Kind::Http, ..Options::default() };
        let app = definition(&options, Path::new("/bin/cygnet"));
        let check = &app["healthChecks"][0];
        assert_eq!((&check["protocol"], &check["intervalSeconds"]), (&json!("HTTP"), &json!(1)));
        assert_eq!((&check["gracePeriodSeconds"], &check["timeoutSeconds"]), (&json!(20), &json!(20)));
        assert_eq!(app["cmd"], "exec /bin/cygnet demo http --port $PORT0");
    }
}
