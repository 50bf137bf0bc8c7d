//! Files of the state that a power cut, a full disk or somebody with a shell left empty, cut, missing or old. Whatever is
//! damaged: nothing runs that nobody watches, nothing runs twice, and the log names the file.

use std::fs;
use std::path::{Path, PathBuf};

use mesos::v1::HealthCheck;
use mesos::v1::TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskKilling, TaskRunning};
use serde_json::json;
use tokio::process::Command;

use crate::agent::{states, task};
use crate::definitions::{quiet_check, shell, with_health};
use crate::groups::content;
use crate::process::{is_alive, is_gone, kill_hard, number_in};
use crate::wait::until;
use crate::world::{POOL, World};

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

fn cases(world: &World, files: &[&str]) -> Vec<Case> {
    let of = |file: &str, damage| {
        let name = format!("{file}-{damage:?}");
        Case { file: world.state(&name).join(file), name, damage }
    };
    files.iter().flat_map(|file| DAMAGES.map(|damage| of(file, damage))).collect()
}

fn assert_named(world: &World, file: &Path, what: &str) {
    let log = world.log();
    assert!(log.contains(&file.display().to_string()), "{what}: the log does not name {}:\n{log}", file.display());
}

async fn launched(world: &World, name: &str, command: &str) -> (i32, i32) {
    world.pool_launch(with_health(name, command, quiet_check())).await;
    world.becomes(name, true).await;
    world.pids(name).await
}

/// The next pool, which is to host these executors again.
async fn start_again(world: &World, executors: impl Iterator<Item = &String>) {
    world.start(POOL);
    for name in executors {
        world.forget_stream(name).await;
        world.add_to_pool(name).await;
    }
}

#[tokio::test]
async fn a_running_task_is_taken_over_or_ended_whichever_file_is_damaged() {
    let world = World::with_pool().await;
    let all = cases(&world, &["task.info", "journal", "health", "framework", "spec.json", "lock", "pid"]);
    let mut processes = Vec::new();
    for case in &all {
        processes.push(launched(&world, &case.name, "echo ran >> ran; exec sleep 1000").await);
    }
    world.kill_executor(POOL).await;
    let struck: Vec<bool> = all.iter().map(|case| case.damage.strike(&case.file)).collect();
    start_again(&world, all.iter().map(|case| &case.name)).await;
    for ((case, (shim, main)), struck) in all.iter().zip(processes).zip(struck) {
        println!("{}", case.name);
        let (name, is_lost) = (&case.name, case.file.ends_with("task.info"));
        if is_lost {
            assert_eq!(world.pool_exited(name).await, 1 << 8, "{name}");
        } else {
            world.subscription(name, 2).await;
            assert!(is_alive(main) && is_alive(shim), "{name}");
            let updates = world.end(name).await;
            assert_eq!(updates.last().unwrap().message(), "Command terminated with signal Terminated", "{name}");
        }
        assert!(!is_alive(main) && !is_alive(shim), "{name}");
        assert_eq!(world.lines(name, "ran"), 1, "{name}");
        if struck {
            assert_named(&world, &case.file, name);
        }
    }
}

#[tokio::test]
async fn the_end_of_a_task_is_told_once_whichever_file_is_damaged() {
    let world = World::with_pool().await;
    let all = cases(&world, &["task.info", "journal", "pid", "lock", "exit", "clear"]);
    let mut processes = Vec::new();
    for case in &all {
        let command = "echo ran >> ran; while [ ! -e go ]; do sleep 0.1; done";
        processes.push(launched(&world, &case.name, command).await);
    }
    world.kill_executor(POOL).await;
    for (case, (shim, _)) in all.iter().zip(processes) {
        world.touch(&case.name, "go");
        is_gone(shim).await;
    }
    let struck: Vec<bool> = all.iter().map(|case| case.damage.strike(&case.file)).collect();
    start_again(&world, all.iter().map(|case| &case.name)).await;
    for (case, struck) in all.iter().zip(struck) {
        let name = &case.name;
        if case.file.ends_with("task.info") {
            assert_eq!(world.pool_exited(name).await, 1 << 8, "{name}");
        } else {
            let wanted = if case.file.ends_with("exit") { TaskFailed } else { TaskFinished };
            let updates = world.reached(name, wanted).await;
            let ends = states(&updates).into_iter().filter(|state| mesos::states::is_terminal(*state));
            assert_eq!(ends.count(), 1, "{name}");
            assert_eq!(world.pool_exited(name).await, 0, "{name}");
        }
        assert_eq!(world.lines(name, "ran"), 1, "{name}");
        // Without `clear` it is looked whether anything is left, and that is all.
        if struck && !case.file.ends_with("clear") {
            assert_named(&world, &case.file, name);
        }
    }
}

#[tokio::test]
async fn without_lock_and_pid_a_task_is_found_by_its_shim() {
    let world = World::running("a", "exec sleep 1000").await;
    let (shim, main) = world.pids("a").await;
    world.kill_executor("a").await;
    for name in ["lock", "pid"] {
        fs::remove_file(world.state("a").join(name)).unwrap();
    }
    world.start("a");
    world.subscription("a", 2).await;
    assert_eq!(world.pids("a").await, (shim, main));
    world.end("a").await;
    assert_eq!(world.ended("a").await, 0);
    assert!(!is_alive(main));
}

#[tokio::test]
async fn tasks_whose_whole_directory_is_gone_are_ended() {
    let world = World::with_pool().await;
    world.pool_launch(task("a", "exec sleep 1000")).await;
    world.add_to_pool("e").await;
    let hidden = "env -i setsid sh -c 'echo $$ > hidden; exec sleep 1000' & exec sleep 1000";
    world.launch_group("e", vec![task("b", hidden)]).await;
    world.all_run(&["a", "b"]).await;
    let hidden = world.number("e", "tasks/b/hidden").await;
    let [(_, a), (_, b)] = [world.pids("a").await, world.member_pids("e", "b").await];
    world.kill_executor(POOL).await;
    world.start(POOL);
    for name in ["a", "e"] {
        fs::remove_dir_all(world.state(name)).unwrap();
        world.forget_stream(name).await;
        world.add_to_pool(name).await;
        assert_eq!(world.pool_exited(name).await, 1 << 8, "{name}");
        assert_named(&world, &world.state(name), name);
    }
    assert!(![a, b, hidden].into_iter().any(is_alive));
}

#[tokio::test]
async fn a_damaged_grace_is_given_again_by_the_successor() {
    let drains = "trap '' TERM; (while [ ! -e go ]; do sleep 0.05; done; echo drained > drained) & \
        echo $$ > ready; while [ ! -e end ]; do sleep 0.05; done";
    let world = World::launched(task("a", drains)).await;
    let main = world.number("a", "ready").await;
    world.kill("a", Some(60_000)).await;
    world.reached("a", TaskKilling).await;
    until("the grace", async || world.state("a").join("grace").exists().then_some(())).await;
    world.kill_executor("a").await;
    fs::write(world.state("a").join("grace"), "").unwrap();
    world.start("a");
    world.subscription("a", 2).await;
    world.touch("a", "end");
    is_gone(main).await;
    world.touch("a", "go");
    world.reached("a", TaskKilled).await;
    assert_eq!(world.read("a", "drained"), "drained\n");
}

#[tokio::test]
async fn checks_run_as_the_task_does_even_if_its_framework_is_lost() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED checks_run_as_the_task_does_even_if_its_framework_is_lost: not root");
        return;
    }
    let world = World::open_to_all().await;
    world.set_user("nobody").await;
    let check = HealthCheck { command: Some(shell("id -un > who")), ..quiet_check() };
    world.run(with_health("a", "exec sleep 1000", check)).await;
    let who = world.sandbox("a").join("who");
    assert_eq!(content(&who).await, "nobody\n");
    world.kill_executor("a").await;
    for lost in ["framework", "health"] {
        fs::remove_file(world.state("a").join(lost)).unwrap();
    }
    fs::remove_file(&who).unwrap();
    world.start("a");
    assert_eq!(content(&who).await, "nobody\n");
    world.end("a").await;
}

#[tokio::test]
async fn what_has_the_numbers_of_a_task_now_is_left_alone() {
    let world = World::new().await;
    let other = "00000000-0000-4000-8000-000000000000";
    let mut stranger = Command::new("setsid");
    stranger.args(["-f", "sh", "-c", "echo $$ > stranger; exec sleep 1000"]).current_dir(world.directory());
    assert!(stranger.status().await.unwrap().success());
    let pid = number_in(&world.directory().join("stranger")).await;
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
        world.run(task(name, "exec sleep 1000")).await;
        world.reached(name, TaskRunning).await;
        let (shim, main) = world.pids(name).await;
        world.kill_executor(name).await;
        kill_hard(shim);
        is_gone(main).await;
        let file = if name == "no-shim" { json!({"shim": file["shim"], "task": taken}) } else { file };
        fs::write(world.state(name).join("pid"), file.to_string()).unwrap();
        world.start(name);
        world.reached(name, TaskFailed).await;
        assert_eq!(world.ended(name).await, 0, "{name}");
        assert!(is_alive(pid), "{name}");
    }
    kill_hard(pid);
}

/// The time at which a process began, in clock ticks.
fn start_of(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_executor_of_its_own_ends_what_it_cannot_go_on_with() {
    let world = World::running("a", "exec sleep 1000").await;
    let (shim, main) = world.pids("a").await;
    world.kill_executor("a").await;
    let file = world.state("a").join("task.info");
    fs::write(&file, "").unwrap();
    world.start("a");
    assert_eq!(world.ended("a").await, 1);
    assert!(!is_alive(main) && !is_alive(shim));
    assert_named(&world, &file, "task.info");
}

#[tokio::test]
async fn groups_are_taken_over_or_ended_whichever_file_is_damaged() {
    let world = World::with_pool().await;
    let mut all = Vec::new();
    for file in ["groups", "framework", "task.info", "journal", "pid", "lock"] {
        for damage in DAMAGES {
            let executor = format!("{file}-{damage:?}");
            let (struck, other) = (format!("{executor}-1"), format!("{executor}-2"));
            world.add_to_pool(&executor).await;
            let command = "echo ran >> ran; exec sleep 1000";
            world.launch_group(&executor, vec![task(&struck, command)]).await;
            world.launch_group(&executor, vec![task(&other, command)]).await;
            world.all_run(&[&struck, &other]).await;
            let own = ["groups", "framework"].contains(&file);
            let path =
                if own { world.state(&executor).join(file) } else { world.member(&executor, &struck).await.join(file) };
            let mut processes = Vec::new();
            for name in [&struck, &other] {
                processes.push(world.member_pids(&executor, name).await);
            }
            all.push((Case { name: executor, file: path, damage }, [struck, other], processes));
        }
    }
    world.kill_executor(POOL).await;
    let damaged: Vec<bool> = all.iter().map(|(case, ..)| case.damage.strike(&case.file)).collect();
    start_again(&world, all.iter().map(|(case, ..)| &case.name)).await;
    for ((case, names, processes), damaged) in all.iter().zip(damaged) {
        let executor = &case.name;
        println!("{executor}");
        if case.file.ends_with("groups") {
            assert_eq!(world.pool_exited(executor).await, 1 << 8, "{executor}");
        } else {
            world.subscription(executor, 2).await;
            let [struck, other] = names;
            if case.file.ends_with("task.info") {
                world.reached(struck, TaskFailed).await;
            } else {
                world.end_member(executor, struck).await;
            }
            assert!(is_alive(processes[1].1), "{executor}: the other group goes on");
            world.end_member(executor, other).await;
            world.pool_exited(executor).await;
        }
        for (name, (shim, main)) in names.iter().zip(processes) {
            assert!(!is_alive(*shim) && !is_alive(*main), "{name}");
            assert_eq!(world.read(executor, &format!("tasks/{name}/ran")), "ran\n", "{name}");
        }
        if damaged {
            assert_named(&world, &case.file, executor);
        }
    }
}

#[tokio::test]
async fn an_old_file_of_groups_neither_leaves_a_task_alone_nor_runs_one_again() {
    let world = World::with("e").await;
    world.launch_group("e", vec![task("old", "echo ran >> ran; while [ ! -e go ]; do sleep 0.05; done")]).await;
    world.launch_group("e", vec![task("kept", "echo ran >> ran; exec sleep 1000")]).await;
    world.all_run(&["old", "kept"]).await;
    let groups = world.state("e").join("groups");
    let older = fs::read(&groups).unwrap();
    world.launch_group("e", vec![task("new", "echo ran >> ran; exec sleep 1000")]).await;
    world.reached("new", TaskRunning).await;
    let (_, new) = world.member_pids("e", "new").await;
    let (_, kept) = world.member_pids("e", "kept").await;
    world.touch("e", "tasks/old/go");
    until("the end of what is known of a task", async || (!world.state("e").join("tasks/old").exists()).then_some(()))
        .await;
    world.kill_executor("e").await;
    fs::write(&groups, older).unwrap();
    world.start("e");
    world.subscription("e", 2).await;
    assert!(!is_alive(new) && is_alive(kept));
    world.end_member("e", "kept").await;
    for name in ["old", "kept", "new"] {
        assert_eq!(world.read("e", &format!("tasks/{name}/ran")), "ran\n", "{name}");
    }
}

#[tokio::test]
async fn an_old_journal_changes_nothing_for_the_task() {
    let world = World::running("a", "echo ran >> ran; while [ ! -e go ]; do sleep 0.05; done").await;
    let journal = world.state("a").join("journal");
    let (_, main) = world.pids("a").await;
    world.kill_executor("a").await;
    // Only its first record, TASK_STARTING.
    let content = fs::read(&journal).unwrap();
    let first = first_record(&content);
    fs::write(&journal, &content[..first]).unwrap();
    world.start("a");
    world.subscription("a", 2).await;
    assert!(is_alive(main));
    world.touch("a", "go");
    let updates = world.reached("a", TaskFinished).await;
    assert_eq!(states(&updates).iter().filter(|state| **state == TaskFinished).count(), 1);
    assert_eq!(world.ended("a").await, 0);
    assert_eq!(world.lines("a", "ran"), 1);
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
