//! Files of the state that a power cut, a full disk or somebody with a shell left empty, cut, missing or old. Whatever is
//! damaged: nothing runs that nobody watches, nothing runs twice, and the log names the file.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mesos::v1::TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskKilling, TaskRunning};
use mesos::v1::{CommandInfo, HealthCheck, TaskInfo};
use serde_json::json;
use tokio::process::Command;

use crate::agent::{Agent, states, task};
use crate::pool::{environment, quiet_check};
use crate::process::{Executor, is_alive, is_gone, kill_hard, number_in, pids};
use crate::wait::until;

const DAMAGES: [Damage; 3] = [Damage::Empty, Damage::Half, Damage::Absent];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    Empty,
    Half,
    Absent,
}

impl Damage {
    /// Damages the file; false if there was nothing to damage.
    fn strike(self, file: &Path) -> bool {
        let content = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        match self {
            Damage::Absent => fs::remove_file(file).unwrap(),
            Damage::Empty | Damage::Half if content.is_empty() => return false,
            Damage::Empty => fs::write(file, "").unwrap(),
            Damage::Half => fs::write(file, &content[..content.len() / 2]).unwrap(),
        }
        true
    }
}

/// The same damage to one file of many tasks, each of which has an executor of its own.
struct Case {
    name: String,
    file: PathBuf,
    damage: Damage,
}

fn cases(agent: &Agent, files: &[&str]) -> Vec<Case> {
    let of = |file: &str, damage| {
        let name = format!("{file}-{damage:?}");
        Case { file: agent.state(&name).join(file), name, damage }
    };
    files.iter().flat_map(|file| DAMAGES.map(|damage| of(file, damage))).collect()
}

fn runs(agent: &Agent, name: &str) -> usize {
    fs::read_to_string(agent.sandbox(name).join("ran")).unwrap_or_default().lines().count()
}

fn assert_named(log: &Path, file: &Path, what: &str) {
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains(&file.display().to_string()), "{what}: the log does not name {}:\n{log}", file.display());
}

async fn launched(agent: &Agent, name: &str, command: &str) -> (i32, i32) {
    agent.add_to_pool(name).await;
    agent.launch(name, TaskInfo { health_check: Some(quiet_check()), ..task(name, command) }).await;
    agent.updates_until(name, |updates| updates.iter().any(|status| status.healthy == Some(true))).await;
    pids(&agent.state(name)).await
}

#[tokio::test]
async fn a_running_task_is_taken_over_or_ended_whichever_file_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let (variables, log) = (environment(&agent), directory.path().join("log"));
    let pool = Executor::logging_to(&log, &["--pool"], &variables);
    let all = cases(&agent, &["task.info", "journal", "health", "framework", "spec.json", "lock", "pid"]);
    let mut processes = Vec::new();
    for case in &all {
        processes.push(launched(&agent, &case.name, "echo ran >> ran; exec sleep 1000").await);
    }
    agent.forget_pool().await;
    pool.kill().await;
    let struck: Vec<bool> = all.iter().map(|case| case.damage.strike(&case.file)).collect();
    let _pool = Executor::logging_to(&log, &["--pool"], &variables);
    for case in &all {
        agent.forget_stream(&case.name).await;
        agent.add_to_pool(&case.name).await;
    }
    for ((case, (shim, main)), struck) in all.iter().zip(processes).zip(struck) {
        println!("{}", case.name);
        let (name, is_lost) = (&case.name, case.file.ends_with("task.info"));
        if is_lost {
            assert_eq!(agent.pool_exited(name).await, 1 << 8, "{name}");
        } else {
            agent.subscription(name, 2).await;
            assert!(is_alive(main) && is_alive(shim), "{name}");
            agent.kill(name, None).await;
            let updates = agent.reached(name, TaskKilled).await;
            assert_eq!(updates.last().unwrap().message(), "Command terminated with signal Terminated", "{name}");
        }
        assert!(!is_alive(main) && !is_alive(shim), "{name}");
        assert_eq!(runs(&agent, name), 1, "{name}");
        if struck {
            assert_named(&log, &case.file, name);
        }
    }
}

#[tokio::test]
async fn the_end_of_a_task_is_told_once_whichever_file_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let (variables, log) = (environment(&agent), directory.path().join("log"));
    let pool = Executor::logging_to(&log, &["--pool"], &variables);
    let all = cases(&agent, &["task.info", "journal", "pid", "lock", "exit", "clear"]);
    let mut processes = Vec::new();
    for case in &all {
        let command = "echo ran >> ran; while [ ! -e go ]; do sleep 0.1; done";
        processes.push(launched(&agent, &case.name, command).await);
    }
    agent.forget_pool().await;
    pool.kill().await;
    for (case, (shim, _)) in all.iter().zip(processes) {
        fs::write(agent.sandbox(&case.name).join("go"), "").unwrap();
        is_gone(shim).await;
    }
    let struck: Vec<bool> = all.iter().map(|case| case.damage.strike(&case.file)).collect();
    let _pool = Executor::logging_to(&log, &["--pool"], &variables);
    for case in &all {
        agent.forget_stream(&case.name).await;
        agent.add_to_pool(&case.name).await;
    }
    for (case, struck) in all.iter().zip(struck) {
        let name = &case.name;
        if case.file.ends_with("task.info") {
            assert_eq!(agent.pool_exited(name).await, 1 << 8, "{name}");
        } else {
            let wanted = if case.file.ends_with("exit") { TaskFailed } else { TaskFinished };
            let updates = agent.reached(name, wanted).await;
            let ends = states(&updates).into_iter().filter(|state| mesos::states::is_terminal(*state));
            assert_eq!(ends.count(), 1, "{name}");
            assert_eq!(agent.pool_exited(name).await, 0, "{name}");
        }
        assert_eq!(runs(&agent, name), 1, "{name}");
        // Without `clear` it is looked whether anything is left, and that is all.
        if struck && !case.file.ends_with("clear") {
            assert_named(&log, &case.file, name);
        }
    }
}

#[tokio::test]
async fn without_lock_and_pid_a_task_is_found_by_its_shim() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let (variables, log) = (agent.environment("a"), directory.path().join("log"));
    let executor = Executor::logging_to(&log, &[], &variables);
    agent.launch("a", task("a", "exec sleep 1000")).await;
    agent.reached("a", TaskRunning).await;
    let (shim, main) = pids(&agent.state("a")).await;
    executor.kill().await;
    for name in ["lock", "pid"] {
        fs::remove_file(agent.state("a").join(name)).unwrap();
    }
    let heir = Executor::logging_to(&log, &[], &variables);
    agent.subscription("a", 2).await;
    assert_eq!(pids(&agent.state("a")).await, (shim, main));
    agent.kill("a", None).await;
    agent.reached("a", TaskKilled).await;
    assert_eq!(heir.ended().await, 0);
    assert!(!is_alive(main));
}

#[tokio::test]
async fn tasks_whose_whole_directory_is_gone_are_ended() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let (variables, log) = (environment(&agent), directory.path().join("log"));
    let pool = Executor::logging_to(&log, &["--pool"], &variables);
    agent.add_to_pool("a").await;
    agent.launch("a", task("a", "exec sleep 1000")).await;
    agent.add_to_pool("e").await;
    let hidden = "env -i setsid sh -c 'echo $$ > hidden; exec sleep 1000' & exec sleep 1000";
    agent.launch_group("e", vec![task("b", hidden)]).await;
    agent.reached("a", TaskRunning).await;
    agent.reached("b", TaskRunning).await;
    let hidden = number_in(&agent.sandbox("e").join("tasks/b/hidden")).await;
    let [(_, a), (_, b)] = [pids(&agent.state("a")).await, pids(of_member(&agent, "e", "b", "").await.as_path()).await];
    agent.forget_pool().await;
    pool.kill().await;
    let _pool = Executor::logging_to(&log, &["--pool"], &variables);
    for name in ["a", "e"] {
        fs::remove_dir_all(agent.state(name)).unwrap();
        agent.forget_stream(name).await;
        agent.add_to_pool(name).await;
        assert_eq!(agent.pool_exited(name).await, 1 << 8, "{name}");
        assert_named(&log, &agent.state(name), name);
    }
    assert!(![a, b, hidden].into_iter().any(is_alive));
}

#[tokio::test]
async fn a_damaged_grace_is_given_again_by_the_successor() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let variables = agent.environment("a");
    let executor = Executor::start(&variables);
    let drains = "trap '' TERM; (while [ ! -e go ]; do sleep 0.05; done; echo drained > drained) & \
        echo $$ > ready; while [ ! -e end ]; do sleep 0.05; done";
    agent.launch("a", task("a", drains)).await;
    let main = number_in(&agent.sandbox("a").join("ready")).await;
    agent.kill("a", Some(60_000)).await;
    agent.reached("a", TaskKilling).await;
    until("the grace", async || agent.state("a").join("grace").exists().then_some(())).await;
    executor.kill().await;
    fs::write(agent.state("a").join("grace"), "").unwrap();
    let _heir = Executor::start(&variables);
    agent.subscription("a", 2).await;
    fs::write(agent.sandbox("a").join("end"), "").unwrap();
    is_gone(main).await;
    fs::write(agent.sandbox("a").join("go"), "").unwrap();
    agent.reached("a", TaskKilled).await;
    assert_eq!(fs::read_to_string(agent.sandbox("a").join("drained")).unwrap(), "drained\n");
}

#[tokio::test]
async fn checks_run_as_the_task_does_even_if_its_framework_is_lost() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED checks_run_as_the_task_does_even_if_its_framework_is_lost: not root");
        return;
    }
    let directory = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    agent.set_user("nobody").await;
    let variables = agent.environment("a");
    let executor = Executor::start(&variables);
    let who = CommandInfo { value: Some("id -un > who".to_owned()), ..CommandInfo::default() };
    let check = HealthCheck { command: Some(who), ..quiet_check() };
    agent.launch("a", TaskInfo { health_check: Some(check), ..task("a", "exec sleep 1000") }).await;
    let who = agent.sandbox("a").join("who");
    let asked = async || fs::read_to_string(&who).ok().filter(|who| who.ends_with('\n'));
    assert_eq!(until("a check", asked).await, "nobody\n");
    executor.kill().await;
    for lost in ["framework", "health"] {
        fs::remove_file(agent.state("a").join(lost)).unwrap();
    }
    fs::remove_file(&who).unwrap();
    let _heir = Executor::start(&variables);
    assert_eq!(until("another check", asked).await, "nobody\n");
    agent.kill("a", None).await;
    agent.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn what_has_the_numbers_of_a_task_now_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let other = "00000000-0000-4000-8000-000000000000";
    let mut stranger = Command::new("setsid");
    stranger.args(["-f", "sh", "-c", "echo $$ > stranger; exec sleep 1000"]).current_dir(directory.path());
    assert!(stranger.status().await.unwrap().success());
    let pid = number_in(&directory.path().join("stranger")).await;
    let start = start_of(pid);
    // Numbers that came round, and the same ones on a machine that was booted again.
    let taken = json!({"pid": pid, "start": start - 1});
    let same = json!({"pid": pid, "start": start});
    let files = [
        ("taken", json!({"shim": taken, "task": taken})),
        ("booted", json!({"shim": same, "task": same, "boot": other})),
        ("no-shim", json!({"shim": same, "task": same})),
    ];
    for (name, file) in files {
        let variables = agent.environment(name);
        let executor = Executor::start(&variables);
        agent.launch(name, task(name, "exec sleep 1000")).await;
        agent.reached(name, TaskRunning).await;
        let (shim, main) = pids(&agent.state(name)).await;
        executor.kill().await;
        kill_hard(shim);
        is_gone(main).await;
        let file = if name == "no-shim" { json!({"shim": file["shim"], "task": taken}) } else { file };
        fs::write(agent.state(name).join("pid"), file.to_string()).unwrap();
        let heir = Executor::start(&variables);
        agent.reached(name, TaskFailed).await;
        assert_eq!(heir.ended().await, 0, "{name}");
        assert!(is_alive(pid), "{name}");
    }
    kill_hard(pid);
}

/// When a process began, in clock ticks.
fn start_of(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_executor_of_its_own_ends_what_it_cannot_go_on_with() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let (variables, log) = (agent.environment("a"), directory.path().join("log"));
    let executor = Executor::logging_to(&log, &[], &variables);
    agent.launch("a", task("a", "exec sleep 1000")).await;
    agent.reached("a", TaskRunning).await;
    let (shim, main) = pids(&agent.state("a")).await;
    executor.kill().await;
    let file = agent.state("a").join("task.info");
    fs::write(&file, "").unwrap();
    assert_eq!(Executor::logging_to(&log, &[], &variables).ended().await, 1);
    assert!(!is_alive(main) && !is_alive(shim));
    assert_named(&log, &file, "task.info");
}

/// The file of the one container of a task of a group.
async fn of_member(agent: &Agent, executor: &str, task: &str, file: &str) -> PathBuf {
    let tasks = agent.state(executor).join("tasks").join(task);
    until("a container", async || Some(fs::read_dir(&tasks).ok()?.next()?.ok()?.path().join(file))).await
}

#[tokio::test]
async fn groups_are_taken_over_or_ended_whichever_file_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let (variables, log) = (environment(&agent), directory.path().join("log"));
    let pool = Executor::logging_to(&log, &["--pool"], &variables);
    let mut all = Vec::new();
    for file in ["groups", "framework", "task.info", "journal", "pid", "lock"] {
        for damage in DAMAGES {
            let executor = format!("{file}-{damage:?}");
            let (struck, other) = (format!("{executor}-1"), format!("{executor}-2"));
            agent.add_to_pool(&executor).await;
            let command = "echo ran >> ran; exec sleep 1000";
            agent.launch_group(&executor, vec![task(&struck, command)]).await;
            agent.launch_group(&executor, vec![task(&other, command)]).await;
            agent.reached(&struck, TaskRunning).await;
            agent.reached(&other, TaskRunning).await;
            let own = ["groups", "framework"].contains(&file);
            let path =
                if own { agent.state(&executor).join(file) } else { of_member(&agent, &executor, &struck, file).await };
            let mut processes = Vec::new();
            for name in [&struck, &other] {
                processes.push(pids(of_member(&agent, &executor, name, "").await.as_path()).await);
            }
            all.push((Case { name: executor, file: path, damage }, [struck, other], processes));
        }
    }
    agent.forget_pool().await;
    pool.kill().await;
    let damaged: Vec<bool> = all.iter().map(|(case, ..)| case.damage.strike(&case.file)).collect();
    let _pool = Executor::logging_to(&log, &["--pool"], &variables);
    for (case, ..) in &all {
        agent.forget_stream(&case.name).await;
        agent.add_to_pool(&case.name).await;
    }
    for ((case, names, processes), damaged) in all.iter().zip(damaged) {
        let executor = &case.name;
        println!("{executor}");
        if case.file.ends_with("groups") {
            assert_eq!(agent.pool_exited(executor).await, 1 << 8, "{executor}");
        } else {
            agent.subscription(executor, 2).await;
            let [struck, other] = names;
            if case.file.ends_with("task.info") {
                agent.reached(struck, TaskFailed).await;
            } else {
                agent.kill_task(executor, struck, None).await;
                agent.reached(struck, TaskKilled).await;
            }
            assert!(is_alive(processes[1].1), "{executor}: the other group goes on");
            agent.kill_task(executor, other, None).await;
            agent.reached(other, TaskKilled).await;
            agent.pool_exited(executor).await;
        }
        for (name, (shim, main)) in names.iter().zip(processes) {
            assert!(!is_alive(*shim) && !is_alive(*main), "{name}");
            let home = agent.sandbox(executor).join("tasks").join(name).join("ran");
            assert_eq!(fs::read_to_string(home).unwrap(), "ran\n", "{name}");
        }
        if damaged {
            assert_named(&log, &case.file, executor);
        }
    }
}

#[tokio::test]
async fn an_old_file_of_groups_neither_leaves_a_task_alone_nor_runs_one_again() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let (variables, log) = (agent.environment("e"), directory.path().join("log"));
    let executor = Executor::logging_to(&log, &[], &variables);
    agent.launch_group("e", vec![task("old", "echo ran >> ran; while [ ! -e go ]; do sleep 0.05; done")]).await;
    agent.launch_group("e", vec![task("kept", "echo ran >> ran; exec sleep 1000")]).await;
    agent.reached("old", TaskRunning).await;
    agent.reached("kept", TaskRunning).await;
    let groups = agent.state("e").join("groups");
    let older = fs::read(&groups).unwrap();
    agent.launch_group("e", vec![task("new", "echo ran >> ran; exec sleep 1000")]).await;
    agent.reached("new", TaskRunning).await;
    let (_, new) = pids(of_member(&agent, "e", "new", "").await.as_path()).await;
    let (_, kept) = pids(of_member(&agent, "e", "kept", "").await.as_path()).await;
    fs::write(agent.sandbox("e").join("tasks/old/go"), "").unwrap();
    until("the end of what is known of a task", async || (!agent.state("e").join("tasks/old").exists()).then_some(()))
        .await;
    executor.kill().await;
    fs::write(&groups, older).unwrap();
    let _heir = Executor::logging_to(&log, &[], &variables);
    agent.subscription("e", 2).await;
    assert!(!is_alive(new) && is_alive(kept));
    agent.kill_task("e", "kept", None).await;
    agent.reached("kept", TaskKilled).await;
    for name in ["old", "kept", "new"] {
        let home = agent.sandbox("e").join("tasks").join(name).join("ran");
        assert_eq!(fs::read_to_string(home).unwrap(), "ran\n", "{name}");
    }
}

#[tokio::test]
async fn an_old_journal_changes_nothing_for_the_task() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let variables = agent.environment("a");
    let executor = Executor::start(&variables);
    agent.launch("a", task("a", "echo ran >> ran; while [ ! -e go ]; do sleep 0.05; done")).await;
    agent.reached("a", TaskRunning).await;
    let journal = agent.state("a").join("journal");
    let (_, main) = pids(&agent.state("a")).await;
    executor.kill().await;
    // Only its first record, TASK_STARTING.
    let content = fs::read(&journal).unwrap();
    let first = first_record(&content);
    fs::write(&journal, &content[..first]).unwrap();
    let heir = Executor::start(&variables);
    agent.subscription("a", 2).await;
    assert!(is_alive(main));
    fs::write(agent.sandbox("a").join("go"), "").unwrap();
    let updates = agent.reached("a", TaskFinished).await;
    assert_eq!(states(&updates).iter().filter(|state| **state == TaskFinished).count(), 1);
    assert_eq!(heir.ended().await, 0);
    assert_eq!(runs(&agent, "a"), 1);
}

/// The length of the first record of a journal, its own prefix included.
fn first_record(content: &[u8]) -> usize {
    let (mut length, mut at) = (0_usize, 0);
    while content[at] & 0x80 != 0 {
        length |= usize::from(content[at] & 0x7f) << (7 * at);
        at += 1;
    }
    (length | usize::from(content[at]) << (7 * at)) + at + 1
}
