//! Commands: how they end, what they see, and that nothing of them is left.

use std::fs;
use std::path::Path;

use checks::spec::{Command, CommandProbe, Credentials, Probe};
use checks::{Answer, Failure, Outcome};

use crate::support::{engine, eventually, ms, outcome, outcome_within, root, shell, spec, watch};

async fn run(script: &str) -> Outcome {
    outcome(Probe::Command(shell(script))).await
}

fn printed(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failure(failure) => failure.output().unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn exit_statuses() {
    assert_eq!(run("exit 0").await, Outcome::Success(Answer::Exit(0)));
    let failed = run("echo to the one; echo to the other >&2; exit 3").await;
    let output = "to the one\nto the other".to_owned();
    assert_eq!(failed, Outcome::Failure(Failure::Exit { code: 3, output }));
    assert_eq!(failed.exit_code(), Some(3));
}

#[tokio::test]
async fn death_by_a_signal_is_a_failure() {
    let killed = run("echo help; kill -9 $$").await;
    assert_eq!(killed, Outcome::Failure(Failure::Signal { signal: 9, output: "help".to_owned() }));
    assert_eq!(killed.exit_code(), None);
}

#[tokio::test]
async fn a_program_without_a_shell() {
    let exec = |path: &str, argv: &[&str]| {
        let argv = argv.iter().map(|argument| argument.to_string()).collect();
        Probe::Command(CommandProbe { command: Command::Exec { path: path.to_owned(), argv }, ..shell("") })
    };
    assert_eq!(outcome(exec("true", &["true"])).await, Outcome::Success(Answer::Exit(0)));
    let named = outcome(exec("sh", &["another name", "-c", "echo $0; exit 1"])).await;
    assert_eq!(printed(&named), "another name");
    let missing = outcome(exec("no-such-program", &["x"])).await;
    assert_eq!(missing.cause(), "cannot start the command: no such file or directory");
    assert_eq!(missing.exit_code(), None);
}

#[tokio::test]
async fn environment_directory_and_standard_input() {
    let directory = tempfile::tempdir().unwrap();
    let mut probe = shell("cat; pwd; echo $STATUS; test -z \"$HOME\" || echo inherited; exit 1");
    probe.environment.push(("STATUS".to_owned(), "7 'x'".to_owned()));
    probe.working_directory = Some(directory.path().to_owned());
    let outcome = outcome(Probe::Command(probe)).await;
    assert_eq!(printed(&outcome), format!("{}\n7 'x'", directory.path().display()));
}

#[tokio::test]
async fn a_directory_that_is_not_there() {
    let probe = CommandProbe { working_directory: Some("/no/such/place".into()), ..shell("true") };
    let cause = outcome(Probe::Command(probe)).await.cause();
    assert_eq!(cause, "cannot start the command: working directory: no such file or directory");
}

#[tokio::test]
async fn a_directory_that_is_not_there_any_more_may_have_a_fallback() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = directory.path().join("sandbox");
    for put in [(|_| ()) as fn(&Path), |sandbox| std::fs::write(sandbox, "a file").unwrap()] {
        put(&sandbox);
        let probe = CommandProbe {
            working_directory: Some(sandbox.clone()),
            fallback_directory: Some("/proc".into()),
            ..shell("pwd; exit 1")
        };
        assert_eq!(printed(&outcome(Probe::Command(probe)).await), "/proc");
    }
}

#[tokio::test]
async fn another_user() {
    let Some(()) = root("another_user") else { return };
    let user = Some(Credentials { uid: 12345, gid: 12346, groups: vec![] });
    let outcome = outcome(Probe::Command(CommandProbe { user, ..shell("id -u; id -g; exit 1") })).await;
    assert_eq!(printed(&outcome), "12345\n12346");
}

#[tokio::test]
async fn the_end_of_much_output_is_kept() {
    let outcome = run("seq 1 200000; exit 1").await;
    let kept = printed(&outcome);
    assert!(kept.len() <= 3 * 1024 && kept.ends_with("199999\n200000"), "{} bytes", kept.len());
}

#[tokio::test]
async fn a_child_that_stays_does_not_hold_up_the_answer() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let outcome = run(&format!("sleep 1000 & echo $! > {}; exit 0", file.display())).await;
    assert_eq!(outcome, Outcome::Success(Answer::Exit(0)));
    let pid: i32 = fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
}

/// True if a process runs; a zombie does not.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn pids(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).unwrap().flatten();
    files.map(|file| fs::read_to_string(file.path()).unwrap()).filter(|pid| !pid.is_empty()).collect()
}

/// A child, a grandchild, one in a session of its own, and one that ignores what can be ignored.
fn family(directory: &Path) -> String {
    let note = format!("{}/$$", directory.display());
    format!(
        "trap '' TERM HUP INT; echo $$ > {note}; \
         sh -c 'echo $$ > {note}; sleep 1000' & \
         sh -c 'sh -c \"echo \\$\\$ > {directory}/\\$\\$; sleep 1000\" & echo $$ > {note}; wait' & \
         setsid sh -c 'echo $$ > {note}; sleep 1000' & \
         wait",
        directory = directory.display()
    )
}

#[tokio::test]
async fn a_timeout_kills_the_whole_tree() {
    let directory = tempfile::tempdir().unwrap();
    let mut check = spec(Probe::Command(shell(&family(directory.path()))));
    check.schedule.timeout = Some(ms(1500));
    check.schedule.interval = ms(100_000);
    let event = watch(&engine(), check).next().await;
    assert_eq!(event.outcome.cause(), "timed out after 1.5s");
    assert_eq!(event.outcome.exit_code(), None);
    let pids = pids(directory.path());
    assert_eq!(pids.len(), 5, "{pids:?}");
    eventually("all of them are gone", || !pids.iter().any(|pid| runs(pid))).await;
}

#[tokio::test]
async fn removing_the_check_kills_the_whole_tree() {
    let directory = tempfile::tempdir().unwrap();
    let watch = watch(&engine(), spec(Probe::Command(shell(&family(directory.path())))));
    eventually("it has started", || pids(directory.path()).len() == 5).await;
    let pids = pids(directory.path());
    watch.handle.remove();
    eventually("all of them are gone", || !pids.iter().any(|pid| runs(pid))).await;
}

#[tokio::test]
async fn what_it_printed_before_its_time_was_up_is_kept() {
    let timed_out = outcome_within(ms(500), Probe::Command(shell("echo waiting for $PPID >&2; exec sleep 1000"))).await;
    let expected = format!("waiting for {}", std::process::id());
    assert_eq!(printed(&timed_out), expected);
}
