//! Section 6: what Mesos' own tests assert of checks and health checks, for the command executor and for the default one.
//! Rows have the names of those tests. The ones that need a container image are not here.

use harness::cluster::free_address;
use serde_json::{Value, json};

use crate::answer::told_of;
use crate::row::{Row, both};
use crate::target::Target;
use harness::framework::{Framework, filled, launch_group, merge, task, with_check, with_health_check};
use harness::wire::Form;

const HEALTH: &str = "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED";
const CHECK: &str = "REASON_TASK_CHECK_STATUS_UPDATED";

/// The executor that runs the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Executor {
    Command,
    Default,
}

/// A framework and one task of it.
struct Case<'t> {
    target: &'t Target,
    framework: Framework,
    executor: Executor,
}

type Check = fn(&Case<'_>);

pub(crate) fn rows() -> Vec<Row> {
    let of = |executor: Executor, prefix: &'static str, table: &'static [(&'static str, Check)]| {
        table.iter().flat_map(move |&(name, check)| {
            both(format!("{prefix} {name}"), move |target: &Target, form: Form| {
                check(&Case { target, framework: Framework::subscribe(target, form), executor });
            })
        })
    };
    let mut rows: Vec<Row> = of(Executor::Command, "6.1", HEALTH_CHECKS).collect();
    rows.extend(of(Executor::Default, "6.1 DefaultExecutor", HEALTH_CHECKS));
    rows.extend(of(Executor::Command, "6.2 CommandExecutor", CHECKS));
    rows.extend(of(Executor::Default, "6.2 DefaultExecutor", CHECKS));
    rows.extend(both("6.2 DefaultExecutor MultipleTasksWithChecks", multiple_tasks_with_checks));
    rows
}

/// `health_check_tests.cpp`.
const HEALTH_CHECKS: &[(&str, Check)] = &[
    ("HealthyTask", healthy_task),
    ("HealthyTaskNonShell", |case| {
        let check = json!({"type": "COMMAND", "command": {"shell": false, "value": "true", "arguments": ["true"]}});
        case.run(with_health_check(task("t", "exec sleep 1000"), check));
        assert_eq!(case.framework.expect_reason(HEALTH)["healthy"], true);
    }),
    ("HealthStatusChange", |case| {
        let mut check = command(&alternating(0));
        check["consecutive_failures"] = json!(3);
        case.run(with_health_check(task("t", "exec sleep 1000"), check));
        for healthy in [true, false, true] {
            assert_eq!(case.framework.expect_reason(HEALTH)["healthy"], healthy);
        }
    }),
    ("ConsecutiveFailures", |case| {
        let mut check = command("exit 1");
        check["consecutive_failures"] = json!(4);
        case.run(with_health_check(task("t", "exec sleep 1000"), check));
        for _ in 0..4 {
            assert_eq!(case.framework.expect_reason(HEALTH)["healthy"], false);
        }
        let killing = case.framework.expect("TASK_KILLING");
        assert!(killing["healthy"].is_null() && killing["reason"].is_null(), "{killing}");
        let killed = case.framework.expect("TASK_KILLED");
        assert!(killed["healthy"] == false && killed["reason"].is_null(), "{killed}");
    }),
    ("EnvironmentSetup", |case| {
        let mut check = command("exit $STATUS");
        check["command"]["environment"] = json!({"variables": [{"name": "STATUS", "value": "0"}]});
        case.run(with_health_check(task("t", "exec sleep 1000"), check));
        assert_eq!(case.framework.expect_reason(HEALTH)["healthy"], true);
    }),
    ("GracePeriod", |case| {
        let mut check = command("false");
        check["grace_period_seconds"] = json!(9999.0);
        let running = case.run(with_health_check(task("t", "sleep 2"), check));
        assert!(running["healthy"].is_null(), "{running}");
        let finished = case.framework.expect("TASK_FINISHED");
        assert!(finished["healthy"].is_null(), "{finished}");
    }),
    ("CheckCommandTimeout", |case| {
        let mut check = command("exec sleep 120");
        merge(&mut check, json!({"timeout_seconds": 1.0, "consecutive_failures": 1}));
        case.run(with_health_check(task("t", "exec sleep 1000"), check));
        assert_eq!(case.framework.expect_reason(HEALTH)["healthy"], false);
        case.framework.expect("TASK_KILLING");
        assert_eq!(case.framework.expect("TASK_KILLED")["healthy"], false);
    }),
    ("HealthyToUnhealthyTransitionWithinGracePeriod", |case| {
        let mut check = command(&alternating(0));
        merge(&mut check, json!({"grace_period_seconds": 9999.0, "consecutive_failures": 0}));
        case.run(with_health_check(task("t", "exec sleep 1000"), check));
        assert_eq!(case.framework.expect_reason(HEALTH)["healthy"], true);
        assert_eq!(case.framework.expect_reason(HEALTH)["healthy"], false);
    }),
    ("HealthyTaskViaHTTP", |case| {
        case.becomes_healthy(|port| json!({"type": "HTTP", "http": {"port": port, "path": "/health"}}));
    }),
    ("HealthyTaskViaHTTPWithoutType", |case| {
        // Types are filled in for LAUNCH only.
        if case.executor == Executor::Command {
            case.becomes_healthy(|port| json!({"http": {"port": port, "path": "/health"}}));
        }
    }),
    ("TimeoutOfZero", |case| {
        let check = json!({"type": "TCP", "tcp": {"port": 80}, "timeout_seconds": 0.0, "delay_seconds": 1000.0});
        case.run(with_health_check(task("t", "exec sleep 1000"), check));
    }),
    ("HealthyTaskViaTCP", |case| {
        case.becomes_healthy(|port| json!({"type": "TCP", "tcp": {"port": port}}));
    }),
];

/// `check_tests.cpp`.
const CHECKS: &[(&str, Check)] = &[
    ("CommandCheckDeliveredAndReconciled", |case| {
        let mut check = check_command("exit $STATUS");
        check["command"]["command"]["environment"] = json!({"variables": [{"name": "STATUS", "value": "1"}]});
        let running = case.run(with_check(task("t", "exec sleep 1000"), check));
        assert_eq!(running["check_status"], json!({"type": "COMMAND", "command": {}}));
        assert_eq!(exit_code(&case.framework.expect_reason(CHECK)), 1);
        for tasks in [&[json!({"task_id": {"value": "t"}})][..], &[]] {
            assert_eq!(exit_code(&case.framework.reconcile(tasks)), 1);
        }
    }),
    ("CommandCheckStatusChange", |case| {
        case.run(with_check(task("t", "exec sleep 1000"), check_command(&alternating(1))));
        for code in [1, 0, 1] {
            assert_eq!(exit_code(&case.framework.expect_reason(CHECK)), code);
        }
    }),
    ("CommandCheckSeesParentsEnv", |case| {
        let mut task = with_check(task("t", "exec sleep 1000"), check_command("exit $ANSWER"));
        task["command"]["environment"] = json!({"variables": [{"name": "ANSWER", "value": "42"}]});
        case.run(task);
        assert_eq!(exit_code(&case.framework.expect_reason(CHECK)), 42);
    }),
    ("CommandCheckSharesWorkDirWithTask", |case| {
        case.run(with_check(task("t", "touch made; exec sleep 1000"), check_command("test -e made")));
        if exit_code(&case.framework.expect_reason(CHECK)) != 0 {
            assert_eq!(exit_code(&case.framework.expect_reason(CHECK)), 0);
        }
    }),
    ("CommandCheckTimeout", |case| {
        let mut check = check_command("if [ -e once ]; then exec sleep 1000; else touch once; exit 1; fi");
        check["timeout_seconds"] = json!(1.0);
        case.run(with_check(task("t", "exec sleep 1000"), check));
        assert_eq!(exit_code(&case.framework.expect_reason(CHECK)), 1);
        let empty = json!({"type": "COMMAND", "command": {}});
        assert_eq!(case.framework.expect_reason(CHECK)["check_status"], empty);
    }),
    ("CommandCheckAndHealthCheckNoShadowing", |case| {
        let mut task = with_check(task("t", "exec sleep 1000"), check_command("exit 1"));
        task["health_check"] = command("exit 0");
        merge(&mut task["health_check"], json!({"delay_seconds": 1.0, "interval_seconds": 1000.0}));
        case.run(task);
        let checked = case.framework.expect_reason(CHECK);
        assert!(exit_code(&checked) == 1 && checked["healthy"].is_null(), "{checked}");
        let healthy = case.framework.expect_reason(HEALTH);
        assert!(exit_code(&healthy) == 1 && healthy["healthy"] == true, "{healthy}");
        let status = case.framework.reconcile(&[]);
        assert!(exit_code(&status) == 1 && status["healthy"] == true, "{status}");
    }),
    ("HTTPCheckDelivered", |case| {
        let port = free_address().port();
        let check = json!({"type": "HTTP", "http": {"port": port, "path": "/health"}});
        let running = case.run(with_check(task("t", &case.server(port)), check));
        assert_eq!(running["check_status"], json!({"type": "HTTP", "http": {}}));
        assert_eq!(case.framework.expect_reason(CHECK)["check_status"]["http"]["status_code"], 200);
    }),
    ("TimeoutOfZero", |case| {
        let check = json!({"type": "HTTP", "http": {"port": 80}, "timeout_seconds": 0.0, "delay_seconds": 1000.0});
        case.run(with_check(task("t", "exec sleep 1000"), check));
    }),
    ("TCPCheckDelivered", |case| {
        let port = free_address().port();
        let running =
            case.run(with_check(task("t", &case.server(port)), json!({"type": "TCP", "tcp": {"port": port}})));
        assert_eq!(running["check_status"], json!({"type": "TCP", "tcp": {}}));
        if case.framework.expect_reason(CHECK)["check_status"]["tcp"]["succeeded"] == false {
            assert_eq!(case.framework.expect_reason(CHECK)["check_status"]["tcp"]["succeeded"], true);
        }
    }),
];

impl Case<'_> {
    /// Launches the task on the executor of this case, and gives its RUNNING status.
    #[track_caller]
    fn run(&self, task: Value) -> Value {
        match self.executor {
            Executor::Command => self.framework.run(task),
            Executor::Default => {
                let framework = &self.framework;
                framework.operate(|offer| vec![launch_group(&framework.id, "default", [filled(task, offer)])]);
                framework.expect("TASK_STARTING");
                framework.expect("TASK_RUNNING")
            }
        }
    }

    #[track_caller]
    fn becomes_healthy(&self, check: impl Fn(u16) -> Value) {
        let port = free_address().port();
        let mut check = check(port);
        check["grace_period_seconds"] = json!(15.0);
        self.run(with_health_check(task("t", &self.server(port)), check));
        assert_eq!(self.framework.expect_reason(HEALTH)["healthy"], true);
    }

    /// A command that serves `/health`.
    fn server(&self, port: u16) -> String {
        match self.target.is_foreign() {
            true => format!("touch health; exec python3 -m http.server --bind 127.0.0.1 {port}"),
            false => format!("exec cygnet demo http --port {port}"),
        }
    }
}

fn healthy_task(case: &Case<'_>) {
    case.run(with_health_check(task("t", "exec sleep 1000"), command("exit 0")));
    assert_eq!(case.framework.expect_reason(HEALTH)["healthy"], true);
    for tasks in [&[json!({"task_id": {"value": "t"}})][..], &[]] {
        let status = case.framework.reconcile(tasks);
        assert_eq!((&status["state"], &status["healthy"]), (&json!("TASK_RUNNING"), &json!(true)));
    }
    let master = told_of(case.target.master(), &case.framework.id);
    let agent = told_of(case.target.agent(), &case.framework.id);
    for task in [&master["tasks"][0], &agent["executors"][0]["tasks"][0]] {
        assert_eq!(task["statuses"][1]["healthy"], true, "{task}");
        let check = &task["health_check"];
        assert_eq!((&check["type"], &check["command"]["value"]), (&json!("COMMAND"), &json!("exit 0")));
        for field in
            ["delay_seconds", "interval_seconds", "timeout_seconds", "consecutive_failures", "grace_period_seconds"]
        {
            assert!(check[field].is_number(), "{field} in {check}");
        }
    }
}

/// Two tasks of a group with TCP checks on ports nobody listens on.
fn multiple_tasks_with_checks(target: &Target, form: Form) {
    let framework = Framework::subscribe(target, form);
    framework.operate(|offer| {
        let tasks = ["a", "b"].map(|id| {
            let check = json!({"type": "TCP", "tcp": {"port": free_address().port()}});
            filled(with_check(task(id, "exec sleep 1000"), check), offer)
        });
        vec![launch_group(&framework.id, "default", tasks)]
    });
    let updates: Vec<Value> = std::iter::repeat_with(|| framework.update()).take(5).collect();
    for id in ["a", "b"] {
        let of_task: Vec<&Value> = updates.iter().filter(|status| status["task_id"]["value"] == id).collect();
        assert_eq!(of_task[0]["state"], "TASK_STARTING");
        assert_eq!(of_task[1]["state"], "TASK_RUNNING");
        assert_eq!(of_task[1]["check_status"], json!({"type": "TCP", "tcp": {}}));
    }
    let checked = updates.iter().find(|status| status["reason"] == CHECK).expect("a check's result");
    assert_eq!(checked["check_status"]["tcp"]["succeeded"], false);
}

fn command(value: &str) -> Value {
    json!({"type": "COMMAND", "command": {"value": value}})
}

fn check_command(value: &str) -> Value {
    json!({"type": "COMMAND", "command": {"command": {"value": value}}})
}

#[track_caller]
fn exit_code(status: &Value) -> i64 {
    status["check_status"]["command"]["exit_code"].as_i64().unwrap_or_else(|| panic!("an exit code in {status}"))
}

/// A command that answers 0 and 1 in turn, or 1 and 0, by a file of the sandbox.
fn alternating(first: u8) -> String {
    let (first, second) = (first, 1 - first);
    format!("if [ -e flip ]; then rm flip; exit {second}; else touch flip; exit {first}; fi")
}
