//! Stories of pods: launched as a group, healthy when every checked container is, and gone together.

use mesos::v1::offer::operation::LaunchGroup;

use super::*;
use crate::definition::Pod;

pub(super) fn pod() -> Value {
    json!({"id": "/shop/pod", "scaling": {"kind": "fixed", "instances": 1}, "containers": [
        {"name": "web", "exec": {"command": {"shell": "run"}}, "resources": {"cpus": 0.5, "mem": 64},
            "endpoints": [{"name": "http", "hostPort": 0, "protocol": ["tcp", "http"]}], "environment": {"COLOUR": "blue"},
            "healthCheck": {"http": {"endpoint": "http", "path": "/health"}}},
        {"name": "log", "exec": {"command": {"argv": ["tail", "-f", "x"]}}, "resources": {"cpus": 0.1, "mem": 16},
            "healthCheck": {"exec": {"command": {"argv": ["test", "-e", "x"]}}}},
    ]})
}

pub(super) fn id() -> AppId {
    AppId::new("/shop/pod")
}

impl World {
    /// A world with the pod, none of whose instances is launched.
    pub(super) fn of_pod() -> World {
        let mut world = World::new();
        world.post_pod(pod()).unwrap();
        world
    }

    pub(super) fn bring_up_healthy(&mut self) {
        for task in self.bring_up_pod() {
            self.update(&task, TaskState::TaskRunning, Some(true));
        }
    }

    fn post_pod(&mut self, json: Value) -> Result<Accepted, Refusal> {
        let pod: Pod = serde_json::from_value(json).unwrap();
        self.tell(|core, now| core.create_pod(pod, false, now))
    }

    pub(super) fn put_pod(&mut self, json: Value) -> Result<Accepted, Refusal> {
        let pod: Pod = serde_json::from_value(json).unwrap();
        self.tell(|core, now| core.put_pod(&id(), pod, Terms::default(), now))
    }

    /// A large offer, and the groups that are launched on it.
    pub(super) fn offer_groups(&mut self) -> Vec<LaunchGroup> {
        let disk = Resource::scalar("disk", 1000.0);
        let mut offer = large_offer();
        offer.resources.push(disk);
        self.operations(&[offer]).filter_map(|operation| operation.launch_group).collect()
    }

    /// Everything that waits runs, and is healthy.
    pub(super) fn bring_up_all_pods(&mut self) {
        for group in self.offer_groups() {
            for task in group.task_group.tasks {
                self.update(&task.task_id.value, TaskState::TaskStarting, None);
                self.update(&task.task_id.value, TaskState::TaskRunning, None);
                self.update(&task.task_id.value, TaskState::TaskRunning, Some(true));
            }
        }
    }

    pub(super) fn bring_up_pod(&mut self) -> [String; 2] {
        let group = self.offer_groups().remove(0);
        let tasks: Vec<_> = group.task_group.tasks.into_iter().map(|task| task.task_id.value).collect();
        for task in &tasks {
            self.update(task, TaskState::TaskStarting, None);
            self.update(task, TaskState::TaskRunning, None);
        }
        tasks.try_into().unwrap()
    }

    fn pod_status(&self) -> Value {
        self.core.view().status_of_pod(&id(), None).unwrap()
    }

    pub(super) fn instance(&self) -> Value {
        self.pod_status()["instances"][0].clone()
    }
}

#[test]
fn task_group_builder_a_task_for_each_container_and_an_executor() {
    let mut world = World::new();
    let accepted = world.post_pod(pod()).unwrap();
    assert_eq!((accepted.is_new, accepted.app.as_str()), (true, "/shop/pod"));
    assert!(world.told().contains(&"pod_created_event"));
    let group = world.offer_groups().remove(0);
    assert!(mesos::validate::group_executor(&group.executor, &"framework".into()).is_ok());
    assert_eq!(mesos::validate::task_group(&group.task_group, &"agent".into(), |_| None), Ok(()));
    let [web, log] = group.task_group.tasks.as_slice() else { panic!("two tasks") };
    let instance = InstanceId::of_task(&web.task_id.value).unwrap();
    assert_eq!(web.task_id.value, format!("{instance}.web.1"));
    let http = web.health_check.as_ref().and_then(|check| check.http.as_ref()).unwrap();
    let port = web.resources.iter().find_map(|one| Some(one.ranges.as_ref()?.range.first()?.begin)).unwrap();
    assert_eq!((u64::from(http.port), http.path.as_deref()), (port, Some("/health")));
    let exec = log.health_check.as_ref().and_then(|check| check.command.as_ref()).unwrap();
    assert_eq!((exec.shell, exec.arguments.len()), (Some(false), 3));
    let variables = &web.command.as_ref().unwrap().environment.as_ref().unwrap().variables;
    let value = |name: &str| variables.iter().find(|one| one.name == name).and_then(|one| one.value.clone());
    assert_eq!(value("ENDPOINT_HTTP"), Some(port.to_string()));
    assert_eq!(
        (value("MARATHON_CONTAINER_RESOURCE_CPUS"), value("MARATHON_APP_LABELS")),
        (Some("0.5".into()), Some(String::new()))
    );
    let found = [web, log].map(|task| task.discovery.clone().unwrap());
    assert!(found.iter().all(|found| found.name.as_deref() == Some("pod.shop")));
    let ports = found.map(|found| found.ports.unwrap().ports);
    let shown = ports[0].iter().map(|port| (port.number, port.name.as_deref(), port.protocol.as_deref()));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [(http.port, Some("http"), Some("tcp")), (http.port, Some("http"), Some("http"))]
    );
    assert!(ports[1].is_empty());
    assert_eq!((value("COLOUR"), value("MARATHON_CONTAINER_ID")), (Some("blue".into()), Some("web".into())));
}

#[test]
fn a_pod_that_is_not_well_says_which_container_why_and_what_next() {
    let mut world = World::of_pod();
    let tasks = world.offer_groups().remove(0).task_group.tasks;
    assert!(tasks.iter().all(|task| task.explained == Some(true)), "executors tell every failure");
    for task in &tasks {
        world.update(&task.task_id.value, TaskState::TaskRunning, None);
        world.update(&task.task_id.value, TaskState::TaskRunning, Some(true));
    }
    world.fails(&tasks[0].task_id.value, 1, 0);
    let status = world.core.view().status_of_pod(&id(), Some(world.now)).unwrap();
    let instance = &status["instances"][0];
    let [web, log] = [0, 1].map(|index| &instance["containers"][index]["health"]);
    assert_eq!((&web["verdict"], &log["verdict"]), (&json!("unhealthy"), &json!("healthy")));
    assert_eq!((&web["consecutiveFailures"], &web["index"], &log["index"]), (&json!(1), &json!(0), &json!(1)));
    assert_eq!(web["lastFailureCause"], "503 Service Unavailable");
    assert_eq!(
        (&instance["health"]["restarts"], &instance["health"]["nextAction"]["kind"]),
        (&json!(0), &json!("kill"))
    );
    assert_eq!(world.instance()["health"], Value::Null, "only to who asks");
    let patient = world.overview()["notWell"][0].clone();
    assert_eq!((&patient["app"], &patient["why"]), (&json!("/shop/pod"), &json!("503 Service Unavailable")));
    assert_eq!(patient["task"], json!(tasks[0].task_id.value));
}

#[test]
fn pod_status_endpoint_missing_failing_ok() {
    let mut world = World::of_pod();
    assert_eq!(world.instance()["status"], "PENDING");
    let [web, log] = world.bring_up_pod();
    let condition = |world: &World| world.instance()["containers"][0]["conditions"][0].clone();
    assert_eq!(world.instance()["status"], "DEGRADED");
    assert_eq!(condition(&world)["reason"], "health-unreported-by-mesos");
    world.update(&web, TaskState::TaskRunning, Some(false));
    assert_eq!(
        (&condition(&world)["value"], &condition(&world)["reason"]),
        (&json!("false"), &json!("health-reported-by-mesos"))
    );
    assert_eq!(world.instance()["containers"][0]["endpoints"][0]["healthy"], false);
    world.update(&web, TaskState::TaskRunning, Some(true));
    assert_eq!((&world.instance()["status"], &condition(&world)["value"]), (&json!("DEGRADED"), &json!("true")));
    assert!(!world.told().contains(&"deployment_success"), "an exec check has not reported");
    world.update(&log, TaskState::TaskRunning, Some(true));
    assert_eq!((&world.instance()["status"], &world.pod_status()["status"]), (&json!("STABLE"), &json!("STABLE")));
    assert!(world.told().contains(&"deployment_success"));
}

#[test]
fn one_container_that_fails_brings_down_the_whole_instance() {
    let mut world = World::of_pod();
    let [web, log] = world.bring_up_pod();
    let failed =
        TaskStatus { message: Some("Command exited with status 3".into()), ..status(&web, TaskState::TaskFailed) };
    world.tell(|core, now| core.update(&failed, now));
    let container = world.instance()["containers"][0].clone();
    assert_eq!((&container["status"], &container["termination"]["exitCode"]), (&json!("TASK_FAILED"), &json!(3)));
    world.update(&log, TaskState::TaskKilled, None);
    assert_eq!(world.instance()["status"], "PENDING", "all are over: the next incarnation waits");
    let history = world.pod_status()["terminationHistory"].clone();
    assert_eq!(
        (history.as_array().unwrap().len(), &history[0]["message"]),
        (1, &json!("Command exited with status 3"))
    );
    let ended = |id: &str, state: &str, termination: Value| json!({"containerId": id, "lastKnownState": state, "termination": termination});
    assert_eq!(
        history[0]["containers"],
        json!([
            ended(&web, "TASK_FAILED", json!({"exitCode": 3, "message": "Command exited with status 3"})),
            ended(&log, "TASK_KILLED", json!({"message": "said so"})),
        ])
    );
    assert!(history[0]["startedAt"].as_str() <= history[0]["terminatedAt"].as_str());
    world.pass(Duration::from_secs(10));
    let [next, _] = world.bring_up_pod();
    assert!(next.ends_with(".web.2"), "{next}");
}

fn end_of(exit_status: Option<i32>, said: &str, kind: &str) -> TaskEnd {
    let attempt = CheckAttempt { started_ms: 1, duration_us: 2, kind: kind.into(), code: None, phases: None };
    let checks = vec![CheckHistory { attempts: vec![attempt], ..CheckHistory::default() }];
    TaskEnd { exit_status, signal: exit_status.is_none().then_some(15), last_errors: Some(said.into()), checks }
}

#[test]
fn of_every_container_that_ended_it_is_kept_how_and_what_it_said() {
    let mut world = World::of_pod();
    let [web, log] = world.bring_up_pod();
    let mut ends = |task: &str, state: TaskState, end: TaskEnd| {
        let status = TaskStatus { end: Some(end), message: Some("it ended".into()), ..status(task, state) };
        world.tell(|core, now| core.update(&status, now));
    };
    ends(&web, TaskState::TaskFailed, end_of(Some(3), "no config", "refused"));
    ends(&log, TaskState::TaskKilled, end_of(None, "told to stop", "exit-code"));
    let status = world.core.view().status_of_pod(&id(), Some(world.now)).unwrap();
    let ended = &status["ended"][0];
    assert_eq!(
        (&ended["taskId"], &ended["exitStatus"], &ended["lastErrors"]),
        (&json!(web), &json!(3), &json!("no config"))
    );
    let container = |index: usize, name: &str| ended["containers"][index][name].clone();
    assert_eq!((container(0, "exitStatus"), container(0, "lastErrors")), (json!(3), json!("no config")));
    assert_eq!((container(1, "signal"), container(1, "lastErrors")), (json!(15), json!("told to stop")));
    assert_eq!((container(1, "name"), container(1, "state")), (json!("log"), json!("TASK_KILLED")));
    assert_eq!(container(1, "checks")[0]["attempts"][0]["kind"], "exit-code");
    let told = |index: usize| status["terminationHistory"][0]["containers"][index]["termination"].clone();
    assert_eq!((&told(0)["exitCode"], &told(0)["lastErrors"]), (&json!(3), &json!("no config")));
    assert_eq!((&told(1)["signal"], &told(1)["checks"][0]["attempts"][0]["kind"]), (&json!(15), &json!("exit-code")));
    let plain = world.pod_status()["terminationHistory"][0]["containers"][1]["termination"].clone();
    assert_eq!(plain, json!({"message": "it ended"}), "clients of Marathon read what Marathon has");
    for (task, kind) in [(&web, "refused"), (&log, "exit-code")] {
        let Some(Life::Over(Some(ended))) = world.core.view().whereabouts(task).map(|found| found.life) else {
            panic!("{task} is over")
        };
        assert_eq!(json!(ended)["checks"][0]["attempts"][0]["kind"], kind);
        assert_eq!(json!(ended)["taskId"], json!(task));
    }
    assert!(world.core.view().whereabouts(&web.replace(".web.", ".none.")).is_none());
}

#[test]
fn only_the_container_that_was_unhealthy_was_killed_for_it() {
    let mut world = World::of_pod();
    let [web, log] = world.bring_up_pod();
    world.update(&web, TaskState::TaskRunning, Some(true));
    world.fails(&log, 1, 1);
    world.update(&log, TaskState::TaskKilled, Some(false));
    world.update(&web, TaskState::TaskKilled, None);
    let ended = world.core.view().status_of_pod(&id(), Some(world.now)).unwrap()["ended"][0].clone();
    assert_eq!((&ended["killedForHealth"], &ended["taskId"]), (&json!(true), &json!(log)));
    let told = |index: usize| ended["containers"][index]["killedForHealth"].clone();
    assert_eq!((told(0), told(1)), (json!(false), json!(true)));
    assert_eq!(ended["containers"][1]["unhealthyCause"], "503 Service Unavailable");
}

#[test]
fn a_container_that_is_over_while_others_still_end_says_how_to_who_asks() {
    let mut world = World::of_pod();
    let [web, _] = world.bring_up_pod();
    let end = Some(end_of(Some(3), "no config", "refused"));
    let failed = TaskStatus { end, ..status(&web, TaskState::TaskFailed) };
    world.tell(|core, now| core.update(&failed, now));
    let status = world.core.view().status_of_pod(&id(), Some(world.now)).unwrap();
    let told = &status["instances"][0]["containers"][0]["termination"];
    assert_eq!((&told["exitCode"], &told["lastErrors"]), (&json!(3), &json!("no config")));
    assert_eq!(world.instance()["containers"][0]["termination"].get("lastErrors"), None);
    let stored = json!(world.core.instances.values().next().unwrap());
    assert_eq!(stored["members"][0]["end"]["exitStatus"], 3, "a scheduler that begins anew knows it");
}

#[test]
fn a_check_of_a_container_is_shown_and_decides_nothing() {
    let mut world = World::new();
    let mut pod = pod();
    pod["containers"][0]["check"] = json!({"http": {"endpoint": "http", "path": "/ready"}, "intervalSeconds": 5});
    pod["containers"][1]["check"] = json!({"exec": {"command": {"shell": "true"}}});
    world.post_pod(pod).unwrap();
    let group = world.offer_groups().remove(0);
    let [web, log] = group.task_group.tasks.as_slice() else { panic!("two tasks") };
    let check = web.check.as_ref().unwrap();
    let port = web.resources.iter().find_map(|one| Some(one.ranges.as_ref()?.range.first()?.begin)).unwrap();
    let http = check.http.as_ref().unwrap();
    assert_eq!((u64::from(http.port), http.path.as_deref(), check.interval_seconds), (port, Some("/ready"), Some(5.0)));
    assert_eq!(log.check.as_ref().unwrap().command.as_ref().unwrap().command.value.as_deref(), Some("true"));
    let web = web.task_id.value.clone();
    world.update(&web, TaskState::TaskRunning, None);
    let found = mesos::v1::CheckStatusInfo {
        http: Some(mesos::v1::check_status_info::Http { status_code: Some(503) }),
        ..Default::default()
    };
    let found = TaskStatus { check_status: Some(found), ..status(&web, TaskState::TaskRunning) };
    world.tell(|core, now| core.update(&found, now));
    assert_eq!(world.instance()["containers"][0]["checkResult"], json!({"http": {"statusCode": 503}}));
    assert_eq!(world.take(call::Type::Kill).len(), 0);
    world.update(&web, TaskState::TaskRunning, Some(true));
    assert_eq!(world.instance()["containers"][0]["checkResult"]["http"]["statusCode"], 503, "until it finds else");
}

#[test]
fn a_pod_is_changed_scaled_and_removed() {
    let mut world = World::of_pod();
    world.bring_up_healthy();
    let mut two = pod();
    two["scaling"]["instances"] = json!(2);
    world.put_pod(two.clone()).unwrap();
    assert!(world.deployments()[0]["steps"][0]["actions"][0]["action"] == "ScalePod");
    world.bring_up_healthy();
    assert_eq!(world.pod_status()["status"], "STABLE");
    assert_eq!(world.core.view().pod_versions(&id()).unwrap().as_array().map(Vec::len), Some(2));
    assert_eq!(world.put_pod(two).unwrap().deployment, None, "nothing differs");
    world.tell(|core, now| core.remove_pod(&id(), false, now)).unwrap();
    assert_eq!(world.bury().len(), 4, "every container of both instances");
    assert_eq!(world.core.view().status_of_pod(&id(), None).unwrap_err().status(), 404);
    assert_eq!(world.deployments(), json!([]));
}

#[test]
fn a_pod_may_have_a_brake_of_its_own_which_replaces_nothing() {
    let mut world = World::of_pod();
    world.bring_up_healthy();
    let mut braked = pod();
    braked["scheduling"] = json!({"brake": {"share": 0.25}});
    world.put_pod(braked.clone()).unwrap();
    assert_eq!(world.pod_status()["spec"]["scheduling"]["brake"], json!({"share": 0.25}));
    assert_eq!((world.take(call::Type::Kill).len(), world.deployments()), (0, json!([])));
    assert!(world.core.definitions.get(&id()).unwrap().app.brake.is_some());
    braked["scheduling"]["brake"]["share"] = json!(-1);
    assert_eq!(world.put_pod(braked).unwrap_err().body()["details"][0]["path"], "/scheduling/brake/share");
}

#[test]
fn a_kill_for_health_names_the_containers_task() {
    let mut world = World::of_pod();
    let [web, log] = world.bring_up_pod();
    world.update(&web, TaskState::TaskRunning, Some(true));
    world.update(&log, TaskState::TaskKilled, Some(false));
    world.update(&web, TaskState::TaskKilled, None);
    let kill = world.events.iter().find(|event| event.kind == "unhealthy_instance_kill_event").unwrap();
    assert_eq!(kill.data["taskId"], json!(log));
}

#[test]
fn a_killed_instance_of_a_pod_is_replaced() {
    let mut world = World::of_pod();
    let tasks = world.bring_up_pod();
    let name = world.instance()["id"].as_str().unwrap().to_owned();
    let named = world.core.view().instances_of_pod(&id(), &[name, "none".into()]).unwrap();
    world.tell(|core, now| core.kill_tasks(&named, Kill::default(), now)).unwrap();
    assert_eq!((named.len(), world.take(call::Type::Kill).len()), (1, 2));
    tasks.iter().for_each(|task| world.update(task, TaskState::TaskKilled, None));
    assert!(world.bring_up_pod()[0].ends_with(".web.2"));
}

#[test]
fn pods_and_apps_share_one_namespace_and_are_told_apart() {
    let mut world = World::of_pod();
    assert_eq!(world.post_pod(pod()).unwrap_err().status(), 409);
    let app = json!({"id": "/shop/pod", "cmd": "run"});
    assert_eq!(world.create(app).unwrap_err().status(), 409);
    assert!(world.core.view().app_json(&id(), &Embed::single(), world.now).is_none());
    assert_eq!(world.apps(&Embed::single()), json!({"apps": []}));
    let group = world.group("/shop");
    assert_eq!((&group["apps"], &group["pods"][0]["id"]), (&json!([]), &json!("/shop/pod")));
    assert_eq!(
        world.core.view().queue_json(crate::view::QueueEmbed { offers: false, why: false }, world.now)["queue"][0]["pod"]
            ["id"],
        "/shop/pod"
    );
}

#[test]
fn a_pod_on_an_agent_that_is_away_is_deleted_at_once_and_its_containers_are_killed_when_it_is_back() {
    let mut world = World::new();
    let mut pod = pod();
    pod["scheduling"] = json!({"unreachableStrategy": {"inactiveAfterSeconds": 60, "expungeAfterSeconds": 600}});
    world.post_pod(pod).unwrap();
    let tasks = world.bring_up_pod();
    tasks.iter().for_each(|task| world.update(task, TaskState::TaskUnreachable, None));
    world.tell(|core, now| core.remove_pod(&id(), true, now)).unwrap();
    assert!(world.core.instances.values().len() == 0 && world.core.rollouts.all().len() == 0);
    tasks.iter().for_each(|task| world.update(task, TaskState::TaskRunning, None));
    assert_eq!(world.killed(), tasks);
}
