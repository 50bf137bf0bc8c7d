//! Real programs, started by the vfork-like clone.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitId, WaitIdOptions, getsid, waitid};

use super::*;

fn shell(script: &str) -> Spawn<'static> {
    let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
    let environment = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    Spawn { path: "sh".into(), argv, environment, ..Spawn::default() }
}

fn wait(child: &Child) -> Option<i32> {
    let status = waitid(WaitId::PidFd(child.pidfd.as_fd()), WaitIdOptions::EXITED).unwrap().unwrap();
    status.exit_status()
}

/// The text that it prints.
fn output(spawn: Spawn<'_>) -> String {
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let child = Spawn { streams: [None, Some(theirs.as_fd()), None], ..spawn }.start().unwrap();
    drop(theirs);
    let mut text = String::new();
    File::from(ours).read_to_string(&mut text).unwrap();
    wait(&child);
    text.trim().to_owned()
}

#[test]
fn exit_statuses_come_through_the_pidfd() {
    assert_eq!(wait(&shell("exit 42").start().unwrap()), Some(42));
    assert_eq!(wait(&shell("kill -9 $$").start().unwrap()), None);
}

#[test]
fn environment_and_directory_are_the_given_ones() {
    let mut spawn = shell("echo $GREETING; pwd; env | wc -l");
    spawn.environment.push(("GREETING".to_owned(), "a 'b' \"c\"".to_owned()));
    spawn.directories = vec!["/proc".into()];
    let lines = output(spawn);
    assert!(lines.starts_with("a 'b' \"c\"\n/proc\n"), "{lines}");
}

#[test]
fn a_stray_descriptor_of_ours_is_not_inherited() {
    let stray = rustix::fs::open("/dev/null", OFlags::RDONLY, Mode::empty()).unwrap();
    let seen = output(shell(&format!("test -e /proc/self/fd/{} && echo inherited || echo closed", stray.as_raw_fd())));
    assert_eq!(seen, "closed");
}

#[test]
fn its_signals_are_default() {
    assert_signals_are_default(shell("grep -E 'Sig(Blk|Ign)' /proc/self/status"));
}

fn assert_signals_are_default(spawn: Spawn<'_>) {
    let text = output(spawn);
    assert!(text.contains("SigBlk:\t0000000000000000"), "{text}");
    let ignored = text.rsplit("SigIgn:\t").next().and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap();
    assert_eq!(ignored & 0x7fff_ffff, 0, "also SIGPIPE, which Rust ignores: {text}");
}

#[test]
fn it_leads_a_session() {
    let child = Spawn { session: Session::Own, ..shell("sleep 10") }.start().unwrap();
    assert_eq!(getsid(Some(child.pid)).unwrap(), child.pid);
    rustix::process::pidfd_send_signal(&child.pidfd, Signal::KILL).unwrap();
    wait(&child);
}

#[test]
fn what_goes_wrong_in_the_child_is_the_error() {
    let missing = Spawn { path: "no-such-program".into(), ..shell("") };
    assert_eq!(missing.start().unwrap_err().kind(), io::ErrorKind::NotFound);
    let forbidden = Spawn { path: "/etc/passwd".into(), ..shell("") };
    assert_eq!(forbidden.launch().unwrap_err(), SpawnError { step: Step::Program, errno: Errno::ACCESS });
    let nowhere = Spawn { directories: vec!["/no/such/place".into()], ..shell("true") };
    assert_eq!(nowhere.launch().unwrap_err(), SpawnError { step: Step::Directory, errno: Errno::NOENT });
    let null = null().unwrap();
    let enter = Enter { of: null.as_fd(), kinds: ThreadNameSpaceType::NETWORK };
    let not_a_namespace = Spawn { enter: Some(enter), ..shell("true") };
    assert_eq!(not_a_namespace.launch().unwrap_err().step, Step::Namespaces);
    let nul = Spawn { argv: vec!["a\0b".to_owned()], ..shell("") };
    assert_eq!(nul.launch().unwrap_err(), SpawnError { step: Step::Prepare, errno: Errno::INVAL });
}

#[test]
fn the_user_is_the_given_one() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED the_user_is_the_given_one: needs root");
        return;
    }
    let credentials = Some(Credentials { uid: 12345, gid: 23456, groups: vec![34567] });
    assert_eq!(output(Spawn { credentials, ..shell("id -u; id -g; id -G") }), "12345\n23456\n23456 34567");
    assert!(rustix::process::geteuid().is_root(), "and ours is what it was");
}

/// A cgroup of this test, gone with it.
struct Cgroup(PathBuf);

impl Cgroup {
    /// The cgroup below where this controller's hierarchy is mounted by custom, if it can be made.
    fn made(hierarchy: &str, name: &str) -> Option<Cgroup> {
        let path = PathBuf::from(hierarchy).join(format!("cygnet-test-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).is_ok().then_some(Cgroup(path))
    }

    fn name(&self) -> String {
        format!("/{}", self.0.file_name().unwrap().display())
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Processes that were reaped a moment ago may still be on their way out.
        while std::fs::remove_dir(&self.0).is_err_and(|error| error.raw_os_error() == Some(libc::EBUSY)) {}
    }
}

#[test]
fn it_is_born_in_cgroups_of_version_1() {
    let made = ["cpu", "memory", "pids"].map(|controller| Cgroup::made(&format!("/sys/fs/cgroup/{controller}"), "v1"));
    let made: Vec<_> = made.into_iter().flatten().filter(|cgroup| cgroup.0.join("tasks").exists()).collect();
    if made.is_empty() {
        println!("SKIPPED it_is_born_in_cgroups_of_version_1: needs root and control groups of version 1");
        return;
    }
    let ours = std::fs::read_to_string("/proc/thread-self/cgroup").unwrap();
    let birthplace = Some(Birthplace::Tasks(made.iter().map(|cgroup| cgroup.0.join("tasks")).collect()));
    let seen = output(Spawn { birthplace, ..shell("cat /proc/self/cgroup") });
    let entered = seen.lines().filter(|line| line.ends_with(&made[0].name())).count();
    assert_eq!(entered, made.len(), "{seen}");
    assert_eq!(std::fs::read_to_string("/proc/thread-self/cgroup").unwrap(), ours, "this thread stays where it is");
}

#[test]
fn a_parent_of_real_time_starts_it_in_cgroups_of_version_1() {
    let cgroup = Cgroup::made("/sys/fs/cgroup/cpu", "rt").filter(|cgroup| cgroup.0.join("tasks").exists());
    let real_time = |priority| {
        let parameters = libc::sched_param { sched_priority: priority };
        // SAFETY: the parameters outlive the call, which is about this thread.
        unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const parameters) == 0 }
    };
    std::thread::spawn(move || {
        let Some(cgroup) = cgroup.filter(|_| real_time(1)) else {
            println!("SKIPPED a_parent_of_real_time_starts_it_in_cgroups_of_version_1: needs root and its cgroups");
            return;
        };
        let birthplace = Some(Birthplace::Tasks(vec![cgroup.0.join("tasks")]));
        let seen = output(Spawn { birthplace, ..shell("cat /proc/self/cgroup; cut -d' ' -f41 /proc/$$/stat") });
        assert!(seen.contains(&cgroup.name()) && seen.ends_with("\n0"), "{seen}");
    })
    .join()
    .unwrap();
}

#[test]
fn it_is_born_in_a_cgroup_of_version_2() {
    let mounts = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
    let is_v2 = |mount: &&str| std::path::Path::new(mount).join("cgroup.controllers").exists();
    let mount = mounts.into_iter().find(is_v2);
    let Some(cgroup) = mount.and_then(|mount| Cgroup::made(mount, "v2")) else {
        println!("SKIPPED it_is_born_in_a_cgroup_of_version_2: needs root and control groups of version 2");
        return;
    };
    let birthplace = || Some(Birthplace::Directory(cgroup.0.clone()));
    let seen = output(Spawn { birthplace: birthplace(), ..shell("cat /proc/self/cgroup") });
    assert!(seen.lines().any(|line| line == format!("0::{}", cgroup.name())), "{seen}");
    let deafened = shell("grep -E 'Sig(Blk|Ign)' /proc/self/status");
    assert_signals_are_default(Spawn { birthplace: birthplace(), ..deafened });
}

#[test]
fn a_birthplace_that_is_gone_is_named() {
    for birthplace in [Birthplace::Tasks(vec!["/gone/tasks".into()]), Birthplace::Directory("/gone".into())] {
        let spawn = || Spawn { birthplace: Some(birthplace.clone()), ..shell("true") };
        assert_eq!(spawn().launch().unwrap_err(), SpawnError { step: Step::Cgroup, errno: Errno::NOENT });
        let error = spawn().start().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().starts_with("control group: No such file"), "{error}");
    }
}

#[test]
fn no_descriptor_of_ours_is_a_way_to_its_directory_or_its_program() {
    let root = File::open("/").unwrap();
    let path = PathBuf::from(format!("/proc/self/fd/{}", root.as_raw_fd()));
    let within = Spawn { directories: vec![path.clone()], ..shell("pwd") };
    assert_eq!(within.launch().unwrap_err(), SpawnError { step: Step::Directory, errno: Errno::NOENT });
    let program = Spawn { path: path.join("bin/sh"), ..shell("pwd") };
    assert_eq!(program.launch().unwrap_err(), SpawnError { step: Step::Program, errno: Errno::NOENT });
}
