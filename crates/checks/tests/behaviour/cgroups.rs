//! Commands whose processes run away: with a cgroup of their own all of them are found.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use checks::spec::{CommandProbe, Probe};
use checks::{Answer, Engine, EngineOptions, Failure, Outcome, Reason};
use processes::Birthplace;

use crate::support::{Watch, engine, eventually, ms, noting, present, shell, spec, watch};

/// The place in which the engines of this process make cgroups, if they can.
fn parent() -> Option<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?.to_owned();
    let parent = mount()?.join(path);
    let probe = parent.join(format!("test-{:?}", std::thread::current().id()));
    fs::create_dir(&probe).ok()?;
    let can_kill = probe.join("cgroup.kill").exists();
    fs::remove_dir(&probe).ok()?;
    can_kill.then_some(parent)
}

/// The place at which version 2 is mounted.
fn mount() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mut mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    mounts.find(|mount| mount.get(2) == Some(&"cgroup2")).map(|mount| PathBuf::from(mount[1]))
}

fn cgroups(test: &str) -> Option<()> {
    present(parent().is_some(), test, "cgroups (version 2) that this process may make")
}

/// Leaves its session and its parent, and says who it is.
const RUNAWAY: &str = "setsid sh -c 'sleep 1000 & echo $! >$FILE' & sleep 0.1; sleep 1000";

/// A zombie is nobody's concern but its new parent's.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[tokio::test]
async fn whoever_has_left_the_session_is_killed_as_well() {
    let Some(()) = cgroups("whoever_has_left_the_session_is_killed_as_well") else { return };
    let (_directory, file, probe) = noting(RUNAWAY);
    let mut spec = spec(Probe::Command(probe));
    spec.schedule.timeout = Some(ms(500));
    let mut watch = watch(&engine(), spec);
    let event = watch.next().await;
    assert!(matches!(event.outcome, Outcome::Failure(Failure::TimedOut { .. })), "{event:?}");
    let pid = fs::read_to_string(&file).unwrap().trim().to_owned();
    eventually("the runaway is dead", || !is_alive(&pid)).await;
}

/// A child born into a cgroup that was ever killed dies at once, on kernels that count kills.
#[tokio::test]
async fn a_command_that_was_killed_does_not_kill_the_commands_after_it() {
    let (_directory, _once, hanging) = noting("test -e $FILE || { touch $FILE; sleep 1000; }");
    let engine = engine();
    let mut hanging = spec(Probe::Command(hanging));
    hanging.schedule.timeout = Some(ms(500));
    let mut hanging = watch(&engine, hanging);
    let event = hanging.next().await;
    assert!(matches!(event.outcome, Outcome::Failure(Failure::TimedOut { .. })), "{event:?}");
    drop(watch(&engine, spec(Probe::Command(shell("sleep 1000")))));
    let mut others: Vec<Watch> = (0..3).map(|_| watch(&engine, spec(Probe::Command(shell("true"))))).collect();
    others.push(hanging);
    for watch in &mut others {
        for _ in 0..10 {
            let event = watch.next().await;
            assert_eq!(event.outcome, Outcome::Success(Answer::Exit(0)));
        }
    }
}

/// Ends well, and leaves somebody behind in its process group.
const LEAVES: &str = "sleep 1000 >/dev/null 2>&1 & echo $! >$FILE; exit 0";

async fn ends_with_its_command(engine: &Engine) {
    let (_directory, file, probe) = noting(LEAVES);
    let mut watch = watch(engine, spec(Probe::Command(probe)));
    assert_eq!(watch.next().await.outcome, Outcome::Success(Answer::Exit(0)));
    let pid = fs::read_to_string(&file).unwrap().trim().to_owned();
    eventually("what was left behind is dead", || !is_alive(&pid)).await;
    drop(watch);
}

#[tokio::test]
async fn what_a_successful_command_leaves_behind_ends_with_it() {
    ends_with_its_command(&engine()).await;
    let options = EngineOptions { command_cgroups: false, ..EngineOptions::default() };
    ends_with_its_command(&Engine::start(options).unwrap()).await;
}

#[tokio::test]
async fn who_left_the_session_of_a_successful_command_ends_with_it() {
    let Some(()) = cgroups("who_left_the_session_of_a_successful_command_ends_with_it") else { return };
    let (_directory, file, probe) = noting(
        "(setsid sh -c 'echo $$ >$FILE.new; mv $FILE.new $FILE; exec sleep 1000' &); while ! test -e $FILE; do :; done",
    );
    let mut watch = watch(&engine(), spec(Probe::Command(probe)));
    assert_eq!(watch.next().await.outcome, Outcome::Success(Answer::Exit(0)));
    let pid = fs::read_to_string(&file).unwrap().trim().to_owned();
    eventually("what was left behind is dead", || !is_alive(&pid)).await;
}

#[tokio::test]
async fn the_directories_are_used_again_and_removed_in_the_end() {
    let Some(()) = cgroups("the_directories_are_used_again_and_removed_in_the_end") else { return };
    let engine = engine();
    let mut watch = watch(&engine, spec(Probe::Command(shell("cat /proc/self/cgroup; exit 1"))));
    let mut seen = HashSet::new();
    for _ in 0..20 {
        let Outcome::Failure(failure) = watch.next().await.outcome else { panic!("it fails") };
        let cgroup = failure.output().and_then(|text| text.lines().find_map(|line| line.strip_prefix("0::/")));
        seen.insert(cgroup.unwrap().to_owned());
    }
    let [cgroup] = seen.iter().collect::<Vec<_>>()[..] else { panic!("one is enough for one at a time: {seen:?}") };
    assert!(cgroup.contains(&format!("checks-{}-", std::process::id())), "{cgroup}");
    let own = mount().unwrap().join(cgroup);
    assert!(own.is_dir());
    drop((watch, engine));
    eventually("both directories are gone", || !own.parent().unwrap().exists()).await;
}

#[tokio::test]
async fn without_cgroups_commands_run_as_well() {
    let options = EngineOptions { command_cgroups: false, ..EngineOptions::default() };
    let engine = Engine::start(options).unwrap();
    let mut watch = watch(&engine, spec(Probe::Command(shell("cat /proc/self/cgroup; exit 1"))));
    let Outcome::Failure(failure) = watch.next().await.outcome else { panic!("it fails") };
    assert!(!failure.output().unwrap_or_default().contains("/checks-"), "{failure:?}");
}

/// A directory for a test's cgroup, gone with all below it.
struct Container(PathBuf);

impl Container {
    fn made(below: &Path, name: &str) -> Option<Container> {
        let path = below.join(format!("cygnet-test-{}-{name}", std::process::id()));
        fs::create_dir(&path).is_ok().then_some(Container(path))
    }

    fn name(&self) -> String {
        format!("/{}", self.0.file_name().unwrap().display())
    }

    /// As its agent does once its last process has gone.
    fn remove(&self) {
        fn remove(path: &Path) -> std::io::Result<()> {
            let below = fs::read_dir(path)?.flatten().map(|entry| entry.path());
            below.filter(|path| path.is_dir()).try_for_each(|path| remove(&path))?;
            fs::remove_dir(path)
        }
        while remove(&self.0).is_err_and(|error| error.kind() == ErrorKind::ResourceBusy) {}
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.remove();
    }
}

async fn cgroups_seen(watch: &mut Watch) -> String {
    let Outcome::Failure(failure) = watch.next().await.outcome else { panic!("it fails") };
    failure.output().unwrap_or_else(|| panic!("{failure:?}")).to_owned()
}

const SHOWS: &str = "cat /proc/self/cgroup; exit 1";

#[tokio::test]
async fn a_command_is_charged_to_the_version_1_cgroups_of_its_container() {
    let container = Container::made(Path::new("/sys/fs/cgroup/pids"), "charged");
    let container = container.filter(|container| container.0.join("tasks").exists());
    let name = "a_command_is_charged_to_the_version_1_cgroups_of_its_container";
    let Some(()) = present(container.is_some(), name, "cgroups (version 1) that this process may make") else { return };
    let container = container.unwrap();
    let birthplace = Some(Birthplace::Tasks(vec![container.0.join("tasks")]));
    let mut watch = watch(&engine(), spec(Probe::Command(CommandProbe { birthplace, ..shell(SHOWS) })));
    for _ in 0..3 {
        let seen = cgroups_seen(&mut watch).await;
        assert!(seen.lines().any(|line| line.ends_with(&format!("pids:{}", container.name()))), "{seen}");
        assert_eq!(seen.contains("/checks-"), parent().is_some(), "and has one of its own to be killed with: {seen}");
    }
}

#[tokio::test]
async fn a_command_waits_for_the_end_of_a_pause_of_its_container() {
    let container = Container::made(Path::new("/sys/fs/cgroup/freezer"), "paused");
    let container = container.filter(|container| container.0.join("freezer.state").exists());
    let name = "a_command_waits_for_the_end_of_a_pause_of_its_container";
    let Some(()) = present(container.is_some(), name, "a freezer (version 1) that this process may use") else {
        return;
    };
    let container = container.unwrap();
    let freezer = container.0.join("freezer.state");
    fs::write(&freezer, "FROZEN").unwrap();
    let birthplace = Some(Birthplace::Tasks(vec![container.0.join("tasks")]));
    let mut watch = watch(&engine(), spec(Probe::Command(CommandProbe { birthplace, ..shell("true") })));
    assert_eq!(watch.next().await.outcome, Outcome::Inconclusive(Reason::Paused));
    fs::write(&freezer, "THAWED").unwrap();
    while watch.next().await.outcome != Outcome::Success(Answer::Exit(0)) {}
}

#[tokio::test]
async fn the_cgroup_to_kill_a_command_with_lies_below_that_of_its_version_2_container() {
    let name = "the_cgroup_to_kill_a_command_with_lies_below_that_of_its_version_2_container";
    let Some(()) = cgroups(name) else { return };
    let engine = engine();
    let mut watches = Vec::new();
    for name in ["first", "second"] {
        let container = Container::made(&parent().unwrap(), name).unwrap();
        let leaf = container.0.join("leaf");
        fs::create_dir(&leaf).unwrap();
        let probe = CommandProbe { birthplace: Some(Birthplace::Directory(leaf)), ..shell(SHOWS) };
        let mut watch = watch(&engine, spec(Probe::Command(probe)));
        let seen = cgroups_seen(&mut watch).await;
        assert!(seen.contains(&format!("{}/checks-{}-", container.name(), std::process::id())), "{seen}");
        watches.push((watch, container));
    }
    let (mut first, container) = watches.remove(0);
    container.remove();
    let outcome = loop {
        match first.next().await.outcome {
            Outcome::Failure(Failure::Exit { .. }) => {}
            other => break other,
        }
    };
    let Outcome::Failure(Failure::NotStarted { cause }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(cause, "control group: no such file or directory");
    drop(first);
    let is_held = || {
        let mut open = fs::read_dir("/proc/self/fd").unwrap().flatten();
        open.any(|entry| fs::read_link(entry.path()).is_ok_and(|link| link.starts_with(&container.0)))
    };
    eventually("nothing is held of a container that is gone", || !is_held()).await;
    let (mut second, container) = watches.remove(0);
    assert!(cgroups_seen(&mut second).await.contains(&container.name()));
}
