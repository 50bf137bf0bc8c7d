//! The confinement that a program sees, for root and for another user.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitId, WaitIdOptions, waitid};

use crate::confinement::{Capabilities, CapabilitySet, Confinement, Filter, Instruction, Resource, ResourceLimit};
use crate::kernel::{Session, Spawn, SpawnError, Step};
use crate::label::Label;
use crate::users::Credentials;

/// CHOWN, KILL and SETUID, without the one that filters take.
const SOME: CapabilitySet = CapabilitySet::from_bits(0b1010_0001);

/// The output of a shell's script.
fn output(script: &str, user: u32, confinement: Confinement) -> Result<String, SpawnError> {
    output_of(script, user, confinement, false)
}

fn output_of(script: &str, user: u32, confinement: Confinement, is_brief: bool) -> Result<String, SpawnError> {
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let spawn = Spawn {
        path: "/bin/sh".into(),
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        directories: vec!["/".into()],
        streams: [None, Some(theirs.as_fd()), Some(theirs.as_fd())],
        session: Session::Own,
        credentials: Some(Credentials { uid: user, gid: user, groups: Vec::new() }),
        parent_death_signal: Some(rustix::process::Signal::KILL),
        confinement: Some(confinement),
        is_brief,
        ..Spawn::default()
    };
    let child = spawn.launch()?;
    drop(theirs);
    let mut text = String::new();
    File::from(ours).read_to_string(&mut text).unwrap();
    waitid(WaitId::PidFd(child.pidfd.as_fd()), WaitIdOptions::EXITED).unwrap();
    Ok(text.trim().to_owned())
}

fn is_root(test: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("SKIPPED {test}: needs root");
    }
    is_root
}

/// A filter that refuses one system call.
fn without(call: libc::c_long) -> Filter {
    let instruction = |code: u32, jump_false, value| Instruction {
        code: u16::try_from(code).unwrap(),
        jump_true: 0,
        jump_false,
        value,
    };
    Filter::new(vec![
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, u32::try_from(call).unwrap()),
        instruction(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | 1),
        instruction(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ])
}

fn bounded(set: CapabilitySet) -> Confinement {
    let capabilities = Capabilities { bounding: set, permitted: set, effective: set, ..Capabilities::default() };
    Confinement { capabilities: Some(capabilities), ..Confinement::default() }
}

/// Inheritable, permitted, effective, bounding and ambient.
fn sets(user: u32, confinement: Confinement) -> String {
    let text = output("grep ^Cap /proc/self/status", user, confinement).unwrap();
    let digits = text.lines().map(|line| line.rsplit('0').next().unwrap().trim_start_matches("Cap").to_owned());
    digits.map(|digits| if digits.is_empty() { "-".to_owned() } else { digits }).collect::<Vec<_>>().join(" ")
}

#[test]
fn capabilities_are_what_is_given() {
    if !is_root("capabilities_are_what_is_given") {
        return;
    }
    assert_eq!(sets(0, bounded(SOME)), "- a1 a1 a1 -");
    assert_eq!(sets(12345, bounded(SOME)), "- - - a1 -", "who is not root has none when it executes a program");
    let all =
        Capabilities { bounding: SOME, permitted: SOME, effective: SOME, inheritable: SOME, ..Default::default() };
    let ambient = Capabilities { ambient: SOME, ..all };
    assert_eq!(sets(12345, Confinement { capabilities: Some(ambient), ..Default::default() }), "a1 a1 a1 a1 a1");
    let few = CapabilitySet::from_bits(0x21);
    let few = Capabilities { permitted: few, effective: few, inheritable: few, ambient: few, ..all };
    let ordinary = Capabilities { root_is_ordinary: true, ..few };
    let of = |capabilities| Confinement { capabilities: Some(capabilities), ..Confinement::default() };
    assert!(sets(0, of(few)).starts_with("21 a1 a1 a1 "), "root gets what it may have at most");
    assert_eq!(sets(0, of(ordinary)), "21 21 21 a1 21");
    let missing = bounded(CapabilitySet::from_bits(u64::MAX));
    assert_eq!(sets(12345, missing.clone()).split(' ').nth(1), Some("-"));
    assert!(output("true", 0, missing).is_ok(), "those that we lack, and those that no kernel has, are left out");
}

#[test]
fn a_filter_is_set_with_and_without_new_privileges() {
    if !is_root("a_filter_is_set_with_and_without_new_privileges") {
        return;
    }
    const SEEN: &str = "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status; umask 0; kill -0 1; chroot / true";
    for (user, effective) in [(0, "a1"), (12345, "00")] {
        for (no_new_privileges, is_brief) in [(false, false), (false, true), (true, false), (true, true)] {
            let seccomp = Some(without(libc::SYS_kill));
            let confinement = Confinement { seccomp, no_new_privileges, ..bounded(SOME) };
            let seen = output_of(SEEN, user, confinement, is_brief).unwrap();
            let expected = format!("{effective}\nNoNewPrivs:\t{}\nSeccomp:\t2\n", u8::from(no_new_privileges));
            assert!(seen.contains(&expected) && seen.contains("not permitted"), "{seen}");
        }
    }
    let seccomp = Some(Filter::new(Vec::new()));
    let error = output("true", 0, Confinement { seccomp, ..Confinement::default() }).unwrap_err();
    assert_eq!((error.step, error.errno), (Step::Seccomp, rustix::io::Errno::INVAL));
}

#[test]
fn limits_umask_and_oom_score_are_what_is_given() {
    let own = rustix::process::geteuid().as_raw();
    let limits = [(Resource::Nofile, 64, 128), (Resource::Core, 0, 0), (Resource::Stack, 1 << 20, 1 << 20)];
    let limits = limits.map(|(resource, soft, hard)| ResourceLimit { resource, soft: Some(soft), hard: Some(hard) });
    let confinement = Confinement {
        limits: limits.to_vec(),
        umask: Some(0o137),
        oom_score_adjustment: Some(1000),
        ..Confinement::default()
    };
    let script = "ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -s; umask; cat /proc/self/oom_score_adj";
    let before = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    if own == 0 {
        assert_eq!(output(script, 12345, confinement.clone()).unwrap(), "64\n128\n0\n1024\n0137\n1000");
        assert_eq!(output(script, 0, confinement).unwrap(), "64\n128\n0\n1024\n0137\n1000");
    }
    assert_eq!(std::fs::read_to_string("/proc/self/oom_score_adj").unwrap(), before, "ours is as it was");
    let inverted = ResourceLimit { resource: Resource::Nofile, soft: Some(2), hard: Some(1) };
    let error = output("true", own, Confinement { limits: vec![inverted], ..Confinement::default() }).unwrap_err();
    assert_eq!(error.to_string(), "resource limits: Invalid argument (os error 22)");
    let error = output("true", own, Confinement { oom_score_adjustment: Some(1001), ..Confinement::default() });
    assert_eq!(error.unwrap_err().step, Step::OomScore);
}

#[test]
fn who_may_not_be_made_less_ready_to_die_runs_all_the_same() {
    let before = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    let run = || {
        let mut sets = rustix::thread::capabilities(None).unwrap();
        sets.effective.remove(rustix::thread::CapabilitySet::SYS_RESOURCE);
        rustix::thread::set_capabilities(None, sets).unwrap();
        let confinement = Confinement { oom_score_adjustment: Some(-1000), ..Confinement::default() };
        output("cat /proc/self/oom_score_adj", rustix::process::geteuid().as_raw(), confinement).unwrap()
    };
    assert_eq!(std::thread::spawn(run).join().unwrap(), before.trim());
}

#[test]
fn a_brief_programs_filter_begins_with_an_argument_as_long_as_the_kernel_takes_one_more_instruction() {
    let allow = Instruction { code: 0x06, jump_true: 0, jump_false: 0, value: libc::SECCOMP_RET_ALLOW };
    let first = |length: usize, is_brief| {
        let filter = super::program(&Filter::new(vec![allow; length]), is_brief);
        (filter.len(), filter[0].code == 0x20 && filter[0].k == 16)
    };
    assert_eq!((first(3, false), first(3, true)), ((3, false), (4, true)));
    assert_eq!((first(4095, true), first(4096, true)), ((4096, true), (4096, false)));
}

/// On a machine without security modules, or with one that knows no such profile.
#[test]
fn a_program_that_cannot_have_its_label_does_not_run() {
    let own = rustix::process::geteuid().as_raw();
    let label = Some(Label::AppArmor("no such profile of cygnet's".to_owned()));
    let error = output("true", own, Confinement { label, ..Confinement::default() }).unwrap_err();
    assert!([Step::Label, Step::Program].contains(&error.step), "{error}");
}
