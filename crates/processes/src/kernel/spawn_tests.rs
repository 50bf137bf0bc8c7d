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
