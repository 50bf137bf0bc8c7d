//! An agent in a test's hands, which is its master.

use mesos::v1::HealthCheck;
use mesos::v1::{TaskInfo, TaskStatus};

use super::*;

const UNIX: Duration = Duration::from_secs(1_000_000);

fn at(seconds: u64) -> Now {
    Now { elapsed: Duration::from_secs(seconds), unix: UNIX }
}

fn framework() -> FrameworkInfo {
    FrameworkInfo { id: Some("f".into()), ..FrameworkInfo::default() }
}

fn subscribed(agent: &mut Agent) {
    agent.event(at(0), Content::Subscribed(agent_event::Subscribed { agent_id: "S0".into(), ..Default::default() }));
}

fn launch(agent: &mut Agent, task: &str) {
    let task = TaskInfo {
        name: task.to_owned(),
        task_id: task.into(),
        agent_id: "S0".into(),
        health_check: Some(HealthCheck::default()),
        ..TaskInfo::default()
    };
    agent.event(at(0), Content::Launch(agent_event::Launch { framework: framework(), task, executor: None }));
}

fn kill(agent: &mut Agent, task: &str) {
    let kill = agent_event::Kill { framework_id: "f".into(), task_id: task.into(), kill_policy: None };
    agent.event(at(0), Content::Kill(kill));
}

fn acknowledge(agent: &mut Agent, status: &TaskStatus) {
    let told = agent_event::Acknowledge {
        framework_id: "f".into(),
        task_id: status.task_id.clone(),
        uuid: status.uuid().to_vec(),
    };
    agent.event(at(0), Content::Acknowledge(told));
}

/// The updates of its tasks, acknowledged until there are no more.
fn all(agent: &mut Agent) -> Vec<(TaskState, Option<bool>)> {
    let mut said = Vec::new();
    loop {
        let updates: Vec<_> = agent.take_calls().into_iter().filter_map(|call| call.update).collect();
        if updates.is_empty() {
            return said;
        }
        for update in updates {
            said.push((update.status.state(), update.status.healthy));
            acknowledge(agent, &update.status);
        }
    }
}

fn agent() -> Agent {
    let mut agent = Agent::new(Ipv4Addr::LOCALHOST, Vec::new());
    subscribed(&mut agent);
    agent
}

#[test]
fn a_task_is_healthy_at_once_and_says_one_thing_at_a_time() {
    let mut agent = agent();
    launch(&mut agent, "a");
    let first = agent.take_calls();
    assert_eq!(first.len(), 1);
    assert_eq!(agent.counts().unacknowledged, 1);
    acknowledge(&mut agent, &first[0].update.clone().unwrap().status);
    use TaskState::TaskRunning;
    assert_eq!(all(&mut agent), [(TaskRunning, None), (TaskRunning, Some(true))]);
    let counts = agent.counts();
    assert_eq!((counts.agents, counts.tasks, counts.healthy, counts.unacknowledged), (1, 1, 1, 0));
    assert!(counts.definition_bytes > 0);
}

#[test]
fn flips_go_round() {
    let mut agent = agent();
    ["a", "b", "c"].into_iter().for_each(|task| launch(&mut agent, task));
    all(&mut agent);
    agent.flip(at(1), 2);
    assert_eq!(all(&mut agent), [(TaskState::TaskRunning, Some(false)); 2]);
    agent.flip(at(2), 2);
    assert_eq!((agent.counts().healthy, agent.counts().unhealthy), (1, 2));
    kill(&mut agent, "a");
    all(&mut agent);
    agent.flip(at(3), 10);
    assert_eq!((agent.counts().tasks, agent.counts().healthy, agent.counts().unhealthy), (2, 2, 0));
}

#[test]
fn what_nobody_acknowledges_is_said_again() {
    let mut agent = agent();
    launch(&mut agent, "a");
    let first = agent.take_calls();
    agent.repeat(at(9));
    assert!(agent.take_calls().is_empty());
    agent.repeat(at(10));
    assert_eq!(agent.take_calls(), first);
    agent.lost();
    agent.repeat(at(30));
    assert!(agent.take_calls().is_empty());
    subscribed(&mut agent);
    assert_eq!(agent.take_calls(), first);
}

#[test]
fn whoever_subscribes_again_reports_what_it_has() {
    let mut agent = agent();
    ["a", "b"].into_iter().for_each(|task| launch(&mut agent, task));
    all(&mut agent);
    agent.lost();
    assert_eq!(agent.counts().agents, 0);
    let report = agent.subscribe().subscribe.unwrap();
    let tasks = &report.frameworks[0].tasks;
    assert_eq!(report.agent_info.id, Some("S0".into()));
    assert_eq!(tasks.iter().map(|task| task.task_id.value.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(tasks[0].statuses.last().unwrap().healthy, Some(true));
}

#[test]
fn the_killed_are_gone_once_that_is_known_and_the_unknown_are_denied() {
    let mut agent = agent();
    launch(&mut agent, "a");
    all(&mut agent);
    kill(&mut agent, "a");
    assert_eq!(agent.counts().tasks, 1);
    assert_eq!(all(&mut agent), [(TaskState::TaskKilled, None)]);
    assert_eq!(agent.counts(), Counts { agents: 1, tasks: 0, ..agent.counts() });
    kill(&mut agent, "a");
    let denied = agent.take_calls()[0].update.clone().unwrap().status;
    assert_eq!((denied.state(), denied.uuid), (TaskState::TaskDropped, None));
}
