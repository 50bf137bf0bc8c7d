//! Tasks with a terminal: who watches, who types, and what outlives whom.

use std::fs;
use std::path::Path;

use mesos::v1::TaskState::{TaskFailed, TaskFinished, TaskRunning};
use mesos::v1::{ContainerInfo, TaskInfo, TtyInfo, container_info, tty_info::WindowSize};
use processes::terminal::client::{AttachError, Typist, enter, watch};
use processes::terminal::{Window, pair};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

use crate::agent::task;
use crate::process::{is_gone, kill_hard};
use crate::wait::until;
use crate::world::World;

fn with_terminal(rows: u32, task: TaskInfo) -> TaskInfo {
    let tty_info = Some(TtyInfo { window_size: Some(WindowSize { rows, columns: 80 }) });
    let container = ContainerInfo { r#type: container_info::Type::Mesos.into(), tty_info, ..ContainerInfo::default() };
    TaskInfo { container: Some(container), ..task }
}

/// The output until it holds this text.
async fn until_printed(output: &mut UnixStream, wanted: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(wanted) {
        let mut piece = [0; 1024];
        let length = output.read(&mut piece).await.unwrap();
        assert!(length > 0, "the end, after {seen:?}");
        seen += &String::from_utf8_lossy(&piece[..length]);
    }
    seen
}

fn type_in(typist: &Typist, text: &str) {
    rustix::io::write(&typist.terminal, text.as_bytes()).unwrap();
}

async fn logged(log: &Path, wanted: &str) {
    until(wanted, async || fs::read_to_string(log).ok().filter(|log| log.contains(wanted))).await;
}

#[tokio::test]
async fn a_task_has_its_terminal_and_others_watch_and_type_there() {
    let command = "test -t 0 && test -t 1 && test -t 2 && stty size && tty && echo $TERM \
                   && read line && echo got $line && stty size && exit 3";
    let world = World::launched(with_terminal(24, task("a", command))).await;
    world.reached("a", TaskRunning).await;
    let (state, log) = (world.state("a"), world.sandbox("a").join("stdout"));
    logged(&log, "xterm").await;
    let start = fs::read_to_string(&log).unwrap();
    assert!(start.starts_with("24 80\r\n/dev/pts/"), "{start:?}");
    let mut first = watch(&state).await.unwrap();
    world.kill_executor("a").await;
    let typist = enter(&state).await.unwrap();
    let mut second = watch(&state).await.unwrap();
    assert!(matches!(enter(&state).await, Err(AttachError::Taken)));
    drop(typist);
    let typist = until("the place of whoever typed", async || enter(&state).await.ok()).await;
    world.start("a");
    pair::resize(&typist.terminal, Window { rows: 50, columns: 132 }).unwrap();
    type_in(&typist, "hello\n");
    for watching in [&mut first, &mut second] {
        let printed = until_printed(watching, "50 132\r\n").await;
        assert!(printed.contains("hello\r\ngot hello\r\n"), "{printed:?}");
        assert_eq!(watching.read(&mut [0; 16]).await.unwrap(), 0, "the end");
    }
    assert_eq!(world.said("a", TaskFailed).await, "Command exited with status 3");
    assert!(fs::read_to_string(&log).unwrap().ends_with("50 132\r\n"));
    assert!(matches!(watch(&state).await, Err(AttachError::Over)));
}

#[tokio::test]
async fn each_task_of_a_group_has_a_terminal_or_none() {
    let tasks = vec![with_terminal(24, task("a", "stty size; read line")), task("b", "test -t 1 || sleep 1000")];
    let world = World::group(tasks).await;
    let mut states = Vec::new();
    for id in ["a", "b"] {
        let running = world.reached(id, TaskRunning).await;
        let container = running.last().unwrap().container_status.clone().unwrap().container_id.unwrap();
        states.push(world.state("e").join("tasks").join(id).join(container.value));
    }
    logged(&world.sandbox("e").join("tasks/a/stdout"), "24 80\r\n").await;
    assert!(matches!(watch(&states[1]).await, Err(AttachError::NoTerminal)));
    type_in(&enter(&states[0]).await.unwrap(), "\n");
    world.reached("a", TaskFinished).await;
}

#[tokio::test]
async fn what_was_printed_last_is_not_lost_and_one_who_does_not_read_is_left_behind() {
    let command = "read line; seq 200000; echo the last line";
    let world = World::launched(with_terminal(24, task("a", command))).await;
    world.reached("a", TaskRunning).await;
    let idle = watch(&world.state("a")).await.unwrap();
    type_in(&enter(&world.state("a")).await.unwrap(), "\n");
    world.reached("a", TaskFinished).await;
    let log = world.read("a", "stdout");
    assert!(log.ends_with("200000\r\nthe last line\r\n") && log.contains("\r\n100000\r\n"));
    drop(idle);
}

#[tokio::test]
async fn a_terminal_dies_with_its_shim() {
    let world = World::launched(with_terminal(24, task("a", "sleep 1000"))).await;
    world.reached("a", TaskRunning).await;
    let mut watching = watch(&world.state("a")).await.unwrap();
    let (shim, main) = world.pids("a").await;
    kill_hard(shim);
    // A reset, if it had not been heard yet.
    assert_eq!(watching.read(&mut [0; 16]).await.unwrap_or(0), 0);
    is_gone(main).await;
    world.reached("a", TaskFailed).await;
}

#[tokio::test]
async fn a_window_that_no_terminal_can_have_fails_the_task_by_name() {
    let world = World::launched(with_terminal(65_536, task("a", "true"))).await;
    let message = world.said("a", TaskFailed).await;
    assert!(message.contains("'tty_info.window_size'"), "{message}");
}

#[tokio::test]
async fn a_terminal_belongs_to_the_tasks_user() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED a_terminal_belongs_to_the_tasks_user: needs root");
        return;
    }
    let mut named = task("a", "echo by name > $(tty) && id -un > /dev/tty");
    named.command.as_mut().unwrap().user = Some("nobody".to_owned());
    let world = World::launched(with_terminal(24, named)).await;
    world.reached("a", TaskFinished).await;
    assert_eq!(world.read("a", "stdout"), "by name\r\nnobody\r\n");
}
