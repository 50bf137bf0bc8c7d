//! The metrics of a running cluster, held against what stands on it: every metric and label that the dashboard and
//! the alerts of `examples/prometheus` name is there, and `docs/metrics.md` names what there is and nothing else. And each page held against the rules of its form.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::apps::file;
use harness::cluster::{Dev, START};
use harness::metrics::{Labels, Metrics};
use harness::{http, wait};
use serde_json::{Value, json};

/// Labels that Prometheus itself gives, and the one of buckets.
const ADDED: [&str; 4] = ["instance", "job", "le", "__name__"];

/// Words of the query language that stand where a name might.
const UP: &str = "up";

/// An app whose checks executors make and the scheduler makes, one whose checks fail, one that crashes, and a pod.
fn definitions() -> [Value; 4] {
    let check = |protocol: &str, name: &str, path: &str| {
        json!({"name": name, "protocol": protocol, "path": path, "portIndex": 0, "delaySeconds": 0, "intervalSeconds": 1,
            "timeoutSeconds": 1, "gracePeriodSeconds": 0, "maxConsecutiveFailures": 3})
    };
    let app = |id: &str, checks: Value| {
        json!({"id": id, "cmd": "exec cygnet demo http --port $PORT0", "cpus": 0.1, "mem": 16, "instances": 1,
            "healthChecks": checks})
    };
    let crashes = json!({"id": "/crash", "cmd": "exit 3", "cpus": 0.1, "mem": 16, "instances": 1});
    let pod = json!({"id": "/pod", "scaling": {"kind": "fixed", "instances": 1}, "containers": [
        {"name": "one", "resources": {"cpus": 0.1, "mem": 16}, "exec": {"command": {"shell": "sleep 1000"}}}]});
    [
        app(
            "/shop/web",
            json!([check("MESOS_HTTP", "front \"page\"", "/health"), check("HTTP", "outside", "/health")]),
        ),
        app("/sick", json!([check("MESOS_HTTP", "missing", "/no-such-page")])),
        crashes,
        pod,
    ]
}

fn cluster() -> Dev {
    let mut dev = Dev::new();
    let [web, sick, crash, pod] = definitions();
    let files = [("web.json", web), ("sick.json", sick), ("crash.json", crash)];
    let files: Vec<String> = files.iter().map(|(name, definition)| file(&dev, name, definition)).collect();
    dev.start(&files.iter().map(String::as_str).collect::<Vec<_>>());
    let made = http::send(dev.api, "POST", "/v2/pods", &pod).expect("an answer");
    assert_eq!(made.status, 201, "{}", made.text());
    dev.wait_healthy("shop/web", 1);
    dev
}

fn page(address: std::net::SocketAddr) -> Metrics {
    let answer = http::get(address, "/cygnet/v1/metrics").expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    Metrics::parse(&answer.text())
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

#[test]
fn every_metric_and_label_that_dashboard_alerts_and_docs_name_is_told_by_a_running_cluster() {
    let dev = cluster();
    let told = |metrics: &Metrics, name: &str, labels: &[(&str, &str)]| metrics.value(name, labels) > Some(0.0);
    let (scheduler, agent) = wait::until("all that can happen to have happened", START, || {
        let (scheduler, agent) = (page(dev.api), page(dev.agent));
        let all = told(&scheduler, "cygnet_health_kills_total", &[("app", "/sick")])
            && told(
                &scheduler,
                "cygnet_check_failures_total",
                &[("app", "/sick"), ("check", "missing"), ("kind", "status")],
            )
            && told(&scheduler, "cygnet_task_ends_total", &[("app", "/crash"), ("state", "failed")])
            && told(&scheduler, "cygnet_restarts_total", &[("app", "/crash")])
            && told(&scheduler, "cygnet_app_instances", &[("app", "/pod"), ("state", "running")])
            && told(&scheduler, "cygnet_check_attempts_total", &[("app", "/shop/web"), ("check", "outside")])
            && told(&agent, "cygnet_check_attempts_total", &[("app", "/shop/web"), ("check", "front \"page\"")]);
        all.then_some((scheduler, agent))
    });
    checks_are_told_by_who_makes_them(&scheduler, &agent);
    let cluster = Cluster([scheduler, agent]);
    for (place, expression) in expressions() {
        cluster.has_all_of(&place, &expression);
    }
    cluster.is_as_documented();
}

/// The pages of a cluster, each in both of its forms.
fn pages(dev: &Dev) -> Vec<(String, String, String)> {
    let all = [(dev.api, "/cygnet/v1/metrics"), (dev.api, "/metrics/prometheus"), (dev.agent, "/cygnet/v1/metrics")];
    let text = |(address, path): (std::net::SocketAddr, &str), form: &str| {
        let answer = http::request(address, "GET", path, &[("accept", form)], b"").expect("an answer");
        assert!(answer.header("content-type").is_some_and(|told| told.starts_with(form)), "{:?}", answer.headers);
        answer.text()
    };
    let both = |(address, path)| {
        let [plain, open] = ["text/plain", "application/openmetrics-text"].map(|form| text((address, path), form));
        (format!("{address}{path}"), plain, open)
    };
    all.map(both).into()
}

#[test]
fn every_page_keeps_the_rules_in_both_of_its_forms() {
    for (name, plain, open) in pages(&cluster()) {
        let (plain, open) = (Metrics::parse(&plain), Metrics::parse_open(&open));
        assert!(plain.types.len() > 4, "{name}");
        assert_eq!(plain.types, open.types, "{name}");
        assert!(plain.samples.keys().eq(open.samples.keys()), "{name}");
    }
}

#[test]
fn promtool_has_nothing_to_say_of_any_page() {
    if Command::new("promtool").arg("--version").output().is_err() {
        return println!("SKIPPED promtool_has_nothing_to_say_of_any_page: needs promtool (Debian: prometheus)");
    }
    for (name, plain, _) in pages(&cluster()) {
        let mut promtool = Command::new("promtool");
        promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = promtool.spawn().expect("it starts");
        running.stdin.take().expect("piped").write_all(plain.as_bytes()).expect("read");
        let output = running.wait_with_output().expect("its end");
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        // They are the names that Marathon's documents have.
        let is_marathons = |line: &&str| line.starts_with("marathon_") && line.contains("should not include type");
        let (marathons, other): (Vec<_>, Vec<_>) = said.iter().flat_map(|text| text.lines()).partition(is_marathons);
        assert_eq!((other, output.status.success()), (Vec::<&str>::new(), marathons.is_empty()), "{name}");
    }
}

fn checks_are_told_by_who_makes_them(scheduler: &Metrics, agent: &Metrics) {
    let count = "cygnet_check_duration_seconds_count";
    let (inside, outside) =
        ([("check", "front \"page\""), ("phase", "total")], [("check", "outside"), ("phase", "total")]);
    assert!(agent.value(count, &inside) > Some(0.0) && scheduler.value(count, &inside).is_none());
    assert!(scheduler.value(count, &outside) > Some(0.0) && agent.value(count, &outside).is_none());
    assert!(agent.value(count, &[("check", "front \"page\""), ("phase", "processing")]) > Some(0.0));
}

/// The pages of scheduler and agent.
struct Cluster([Metrics; 2]);

impl Cluster {
    fn labels(&self, name: &str) -> Option<BTreeSet<&str>> {
        let samples: Vec<&(Labels, f64)> = self.0.iter().filter_map(|page| page.samples.get(name)).flatten().collect();
        let labels = samples.iter().flat_map(|(labels, _)| labels.keys().map(String::as_str));
        (!samples.is_empty()).then(|| labels.chain(ADDED).collect())
    }

    /// Each name of an expression is told, with the labels in its braces; those of groupings are labels of any of them.
    #[track_caller]
    fn has_all_of(&self, place: &str, expression: &str) {
        let names: Vec<(&str, &str)> = words(expression).filter(|(word, _)| word.starts_with("cygnet_")).collect();
        assert!(
            !names.is_empty() || words(expression).any(|(word, _)| word == UP),
            "{place}: no metric in {expression}"
        );
        let mut all = BTreeSet::new();
        for (name, rest) in names {
            let labels = self.labels(name).unwrap_or_else(|| panic!("{place}: nobody tells {name}"));
            for label in selected(rest) {
                assert!(labels.contains(label), "{place}: {name} has no label {label}");
            }
            all.extend(labels);
        }
        for label in grouped(expression) {
            assert!(all.contains(label), "{place}: no label {label} in {expression}");
        }
    }

    #[track_caller]
    fn is_as_documented(&self) {
        let docs = fs::read_to_string(example("docs/metrics.md")).expect("docs");
        let told: BTreeSet<&str> = self.0.iter().flat_map(|page| page.types.keys().map(String::as_str)).collect();
        let named: BTreeSet<&str> =
            words(&docs).map(|(word, _)| word).filter(|word| word.starts_with("cygnet_")).collect();
        let known = |name: &&&str| !told.contains(**name) && self.labels(name).is_none();
        assert_eq!(named.iter().filter(known).collect::<Vec<_>>(), Vec::<&&str>::new(), "in the docs only");
        assert_eq!(told.difference(&named).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in the docs");
    }
}

/// The expressions of the dashboard and the alerts, each with the place that it is at.
fn expressions() -> Vec<(String, String)> {
    let dashboard = fs::read_to_string(example("examples/prometheus/dashboard.json")).expect("a dashboard");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    let mut all = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().expect("targets") {
            let title = panel["title"].as_str().expect("a title");
            all.push((title.to_owned(), target["expr"].as_str().expect("an expression").to_owned()));
        }
    }
    let alerts = fs::read_to_string(example("examples/prometheus/alerts.yml")).expect("alerts");
    for alert in alerts.split("- alert: ").skip(1) {
        let (name, rest) = alert.split_once('\n').expect("a line");
        let (_, expression) = rest.split_once("expr: ").expect("an expression");
        let end = ["\n        for:", "\n        labels:"].iter().filter_map(|next| expression.find(next)).min();
        all.push((name.to_owned(), expression[..end.expect("more of the alert")].to_owned()));
    }
    assert!(all.len() > 30, "{}", all.len());
    all
}

/// The words of a text that may be names, each with what follows.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_of_word = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
    let begins = move |at: usize| {
        is_of_word(text[at..].chars().next()?).then_some(()).filter(|()| !text[..at].ends_with(is_of_word))
    };
    text.char_indices().filter_map(move |(at, _)| {
        begins(at)?;
        let end = text[at..].find(|letter| !is_of_word(letter)).map_or(text.len(), |length| at + length);
        Some((&text[at..end], &text[end..]))
    })
}

/// The labels in the braces that follow a name.
fn selected(rest: &str) -> Vec<&str> {
    let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(inside, _)| inside);
    inside
        .split(',')
        .filter_map(|part| part.split(['=', '!']).next())
        .map(str::trim)
        .filter(|label| !label.is_empty())
        .collect()
}

/// The labels of `by (...)` and `on (...)`.
fn grouped(expression: &str) -> Vec<&str> {
    let lists = words(expression).filter(|(word, _)| ["by", "on"].contains(word));
    let inside = lists.filter_map(|(_, rest)| rest.trim_start().strip_prefix('(')?.split_once(')'));
    inside.flat_map(|(inside, _)| inside.split(',')).map(str::trim).collect()
}
