//! The default profile in the kernel: refused calls fail with EPERM, those that the kernel is not to have with ENOSYS,
//! and all others do what they did.

use containers::capabilities::{DOCKER_DEFAULT, Policy};
use containers::seccomp::Profiles;
use processes::Confinement;

use crate::support::{can_run, output};

const PERL: &str = "/usr/bin/perl";

/// The confinement of a container of which nobody has said anything.
fn ordinary(user: u32, no_new_privileges: bool) -> Confinement {
    let capabilities = Policy::default().sets(None, Some(DOCKER_DEFAULT), user == 0).unwrap();
    let seccomp = Profiles::new(None, None).filter(None, DOCKER_DEFAULT).unwrap();
    Confinement { capabilities, seccomp, no_new_privileges, ..Confinement::default() }
}

/// Calls of x86-64 with up to three arguments, and the error: 1 is EPERM, 38 is ENOSYS, 0 is none.
const CALLS: [(&str, &str, u32); 16] = [
    ("mount", "165, 0, 0, 0", 1),
    ("umount2", "166, 0, 0", 1),
    ("unshare", "272, 0x10000000", 1),
    ("setns", "308, 0, 0", 1),
    ("pivot_root", "155, 0, 0", 1),
    ("keyctl", "250, 0, 0", 1),
    ("add_key", "248, 0, 0, 0", 1),
    ("bpf", "321, 0, 0, 0", 1),
    ("io_uring_setup", "425, 1, 0", 1),
    ("kexec_load", "246, 0, 0, 0", 1),
    ("socket AF_VSOCK", "41, 40, 1, 0", 1),
    ("personality READ_IMPLIES_EXEC", "135, 0x400000", 1),
    ("clone3", "435, 0, 0", 38),
    ("of the future", "999, 0, 0", 38),
    ("socket AF_UNIX", "41, 1, 1, 0", 0),
    ("ptrace TRACEME", "101, 0, 0, 0", 0),
];

#[test]
fn refused_calls_fail_and_others_work() {
    if cfg!(not(target_arch = "x86_64")) {
        println!("SKIPPED refused_calls_fail_and_others_work: needs x86-64");
        return;
    }
    if !can_run("refused_calls_fail_and_others_work", &[PERL]) {
        return;
    }
    let calls = CALLS
        .map(|(name, call, _)| format!("$r = syscall({call}); print \"{name}: \" . ($r < 0 ? $!+0 : 0) . \"\\n\";"));
    let expected: String = CALLS.iter().map(|(name, _, error)| format!("{name}: {error}\n")).collect();
    for user in [0, 12345] {
        for no_new_privileges in [false, true] {
            let seen = output(&[PERL, "-e", &calls.concat()], user, ordinary(user, no_new_privileges));
            assert_eq!(seen, expected, "user {user}, {no_new_privileges}");
        }
    }
}

#[test]
fn programs_and_threads_are_started_as_ever() {
    if !can_run("programs_and_threads_are_started_as_ever", &[PERL]) {
        return;
    }
    const SCRIPT: &str = "echo a | cat; (sleep 0 & wait); grep -c processor /proc/cpuinfo >/dev/null && ls / | grep etc; \
                          find /etc/passwd -newermt 1990-01-01; perl -e 'exit(fork ? wait > 0 ? 0 : 1 : 0)' && echo b";
    for user in [0, 12345] {
        assert_eq!(output(&["/bin/sh", "-c", SCRIPT], user, ordinary(user, false)), "a\netc\n/etc/passwd\nb\n");
    }
}
