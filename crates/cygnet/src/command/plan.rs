//! `--dry-run` and `diff`: what a definition would change, asked of the scheduler, which then changes nothing.
//!
//! In: definitions. Out: for each, how many instances start, end, are replaced and stay, in which steps, and what differs
//! from the present definition; and the defaults of checks that people wait for without having asked for them. Beside the
//! asking, all is pure.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::definitions;
use super::table::{action, items, text};
use crate::api::Api;
use crate::output::{complaint, json_line, line};

/// The exit code of a comparison that could not be made, as that of `diff`.
const TROUBLE: u8 = 2;

/// The fields of health checks that people wait for, and their values where they are not set.
const DEFAULTS: [(&str, &str); 3] = [
    ("delaySeconds", "first asked after 15 s (delaySeconds)"),
    ("intervalSeconds", "then every 60 s (intervalSeconds)"),
    ("gracePeriodSeconds", "failures count after 300 s (gracePeriodSeconds)"),
];

/// Definitions to compare with what there is.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// Files with a definition, or several; - is standard input
    #[arg(required = true)]
    files: Vec<String>,
}

/// Shows what running these definitions would do.
pub(crate) async fn dry_run(
    api: &Api,
    definitions: &[Value],
    force: bool,
    canary: Option<u32>,
) -> anyhow::Result<ExitCode> {
    for definition in definitions {
        let plan = definitions::try_out(api, definition, force, canary).await?;
        if api.json {
            json_line(plan);
            continue;
        }
        lines(&name(definition), &plan).iter().for_each(line);
        defaults(definition).iter().for_each(line);
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows what is different; the exit codes are those of `diff`.
pub(crate) async fn diff(api: &Api, diff: &Diff) -> ExitCode {
    match differences(api, diff).await {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::FAILURE,
        Err(error) => {
            complaint(format!("cygnet: {error:#}"));
            ExitCode::from(TROUBLE)
        }
    }
}

/// True if there are any.
async fn differences(api: &Api, diff: &Diff) -> anyhow::Result<bool> {
    let mut any = false;
    for definition in definitions::read(&diff.files)? {
        let mut plan = definitions::try_out(api, &definition, true, None).await?;
        any |= differs(&plan);
        if api.json {
            json_line(json!({"id": definition["id"], "apps": plan["apps"].take(), "diff": plan["diff"].take()}));
        } else if differs(&plan) {
            line(name(&definition));
            changes(&plan).iter().for_each(line);
        }
    }
    Ok(any)
}

fn name(definition: &Value) -> String {
    format!("/{}", text(&definition["id"]).trim_matches('/'))
}

fn differs(plan: &Value) -> bool {
    !items(&plan["diff"]).is_empty() || items(&plan["apps"]).iter().any(|app| app["isNew"] == true)
}

/// The lines for a plan.
fn lines(name: &str, plan: &Value) -> Vec<String> {
    if items(&plan["steps"]).is_empty() {
        return vec![format!("{name}: nothing to do")];
    }
    let mut lines = vec![format!("{name}: {}", fates(&plan["plan"]))];
    for (number, step) in (1..).zip(items(&plan["steps"])) {
        lines.extend(items(&step["actions"]).iter().map(|one| format!("  step {number}  {}", action(one))));
    }
    if let Some(canary) = items(&plan["apps"]).iter().find_map(|app| app["canary"].as_u64()) {
        lines.push(format!("  waits for a word once the canary of {canary} is up"));
    }
    lines.extend(changes(plan));
    lines
}

/// The fates of instances, in words.
fn fates(plan: &Value) -> String {
    let words =
        [("launched", "started"), ("killed", "ended"), ("restarted", "replaced"), ("remain", "left as they are")];
    let told = words.iter().filter_map(|(name, word)| {
        let count = plan[name].as_u64().filter(|&count| count > 0)?;
        Some(format!("{count} {word}"))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "no instance is touched".to_owned() } else { format!("instances: {}", told.join(", ")) }
}

/// The differences, one line each; of what is new all would differ.
pub(crate) fn changes(plan: &Value) -> Vec<String> {
    let new: Vec<&Value> =
        items(&plan["apps"]).iter().filter(|app| app["isNew"] == true).map(|app| &app["app"]).collect();
    let several = items(&plan["apps"]).len() > 1;
    let mut lines: Vec<String> = new.iter().map(|app| format!("  + {} is new", text(app))).collect();
    for one in items(&plan["diff"]).iter().filter(|one| !new.contains(&&one["app"])) {
        let of = if several { format!("{} ", text(&one["app"])) } else { String::new() };
        lines.push(format!("  {}", change(&of, one)));
    }
    lines
}

/// A value that is new, gone, or another one.
fn change(of: &str, one: &Value) -> String {
    let path = text(&one["path"]);
    match (one.get("before"), one.get("after")) {
        (None, Some(after)) => format!("+ {of}{path}: {after}"),
        (Some(before), None) => format!("- {of}{path}: {before}"),
        (before, after) => {
            let [before, after] = [before, after].map(|side| side.unwrap_or(&Value::Null));
            format!("~ {of}{path}: {before} -> {after}")
        }
    }
}

/// A line for each health check that leaves times to the defaults.
fn defaults(definition: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    each_check(definition, &mut |path, check| {
        let left: Vec<&str> =
            DEFAULTS.iter().filter(|(field, _)| check[field].is_null()).map(|(_, words)| *words).collect();
        if !left.is_empty() {
            lines.push(format!("  by default, {path}: {}", left.join(", ")));
        }
    });
    lines
}

/// All health checks of apps, pods and groups, with where they are.
fn each_check(definition: &Value, with: &mut impl FnMut(&str, &Value)) {
    fn go(path: &str, value: &Value, with: &mut impl FnMut(&str, &Value)) {
        for (index, check) in items(&value["healthChecks"]).iter().enumerate() {
            with(&format!("{path}/healthChecks/{index}"), check);
        }
        if value["healthCheck"].is_object() {
            with(&format!("{path}/healthCheck"), &value["healthCheck"]);
        }
        for list in ["apps", "pods", "groups", "containers"] {
            for (index, inner) in items(&value[list]).iter().enumerate() {
                go(&format!("{path}/{list}/{index}"), inner, with);
            }
        }
    }
    go("", definition, with);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_told_in_numbers_steps_and_differences() {
        let plan = json!({"plan": {"launched": 1, "killed": 0, "restarted": 2, "remain": 0},
            "steps": [{"actions": [{"action": "RestartApplication", "app": "/web"}]}],
            "apps": [{"app": "/web", "isNew": false, "canary": 1}],
            "diff": [{"app": "/web", "path": "/cmd", "before": "a", "after": "b"}, {"app": "/web", "path": "/env/A", "after": "1"},
                {"app": "/web", "path": "/labels/x", "before": {"y": 1}}]});
        assert_eq!(
            lines("/web", &plan),
            [
                "/web: instances: 1 started, 2 replaced",
                "  step 1  RestartApplication /web",
                "  waits for a word once the canary of 1 is up",
                "  ~ /cmd: \"a\" -> \"b\"",
                "  + /env/A: \"1\"",
                "  - /labels/x: {\"y\":1}",
            ]
        );
        assert_eq!(lines("/web", &json!({"steps": []})), ["/web: nothing to do"]);
    }

    #[test]
    fn what_is_new_is_one_line_and_of_several_each_is_named() {
        let diff =
            [("/g/a", "/id"), ("/g/b", "/cpus")].map(|(app, path)| json!({"app": app, "path": path, "after": 1}));
        let plan = json!({"apps": [{"app": "/g/a", "isNew": true}, {"app": "/g/b", "isNew": false}], "diff": diff});
        assert!(differs(&plan));
        assert_eq!(changes(&plan), ["  + /g/a is new", "  + /g/b /cpus: 1"]);
        assert!(!differs(&json!({"apps": [{"app": "/g/b", "isNew": false}], "diff": []})));
    }

    #[test]
    fn times_of_checks_that_are_left_to_defaults_are_said() {
        let check = json!({"delaySeconds": 0, "intervalSeconds": 1});
        let group = json!({"id": "/g", "apps": [{"id": "a", "healthChecks": [check, {"gracePeriodSeconds": 1, "delaySeconds": 1, "intervalSeconds": 1}]}],
            "pods": [{"containers": [{"healthCheck": {"gracePeriodSeconds": 10}}]}]});
        assert_eq!(
            defaults(&group),
            [
                "  by default, /apps/0/healthChecks/0: failures count after 300 s (gracePeriodSeconds)",
                "  by default, /pods/0/containers/0/healthCheck: first asked after 15 s (delaySeconds), then every 60 s (intervalSeconds)",
            ]
        );
        assert!(defaults(&json!({"id": "/a", "cmd": "true"})).is_empty());
    }
}
