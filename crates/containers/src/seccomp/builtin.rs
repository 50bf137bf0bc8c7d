//! Docker's default profile (of 2026), from its other side: what a container may not call. All other calls up to the
//! newest that the profile knows are allowed.

use processes::CapabilitySet;

use super::numbers::{self, ARM_OWN};
use super::profile::{Action, Comparison, Condition, Others, Profile, Rule, Selector};
use crate::capabilities;

/// The newest call that it knows; those after it do not exist for a container.
const NEWEST: u32 = 466;

/// Calls that no container makes, whatever its capabilities: keys and io_uring, which have no namespaces, swap, kexec,
/// the root of a mount namespace, pages of others, and what nobody has called for twenty years.
const NEVER: &str = "
    add_key keyctl request_key io_uring_enter io_uring_register io_uring_setup kexec_file_load kexec_load migrate_pages
    move_pages nfsservctl pivot_root swapoff swapon userfaultfd _sysctl afs_syscall bdflush break create_module ftime
    get_kernel_syms getpmsg gtty idle lock mpx nice oldfstat oldlstat oldolduname oldstat olduname pciconfig_iobase
    pciconfig_read pciconfig_write prof profil putpmsg query_module readdir security sgetmask sigaction signal sigpending
    sigsuspend ssetmask stty sysfs tuxcall ulimit uselib ustat vm86 vm86old vserver
";

/// Calls that take a capability, of which any will do.
const GATED: [(&str, &str); 14] = [
    (
        "SYS_ADMIN",
        "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
         lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd
         setdomainname sethostname setns syslog umount umount2 unshare",
    ),
    ("BPF", "bpf"),
    ("DAC_READ_SEARCH", "open_by_handle_at"),
    ("PERFMON", "perf_event_open"),
    ("SYS_BOOT", "reboot"),
    ("SYS_CHROOT", "chroot"),
    ("SYS_MODULE", "delete_module finit_module init_module"),
    ("SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
    ("SYS_PACCT", "acct"),
    ("SYS_PTRACE", "kcmp pidfd_getfd process_madvise"),
    ("SYS_RAWIO", "ioperm iopl"),
    ("SYS_TIME", "clock_settime clock_settime64 settimeofday stime"),
    ("SYS_TTY_CONFIG", "vhangup"),
    ("SYSLOG", "syslog"),
];

/// Calls that are judged by their arguments.
const JUDGED: &str = "clone clone3 personality socket";

/// The flags of `clone` that make namespaces.
const CLONE_NEW: u64 = 0x7e02_0000;

/// Families of sockets that know no namespaces (`AF_ALG`, `AF_VSOCK`).
const REFUSED_FAMILIES: [u64; 2] = [38, 40];

/// The kernel takes the lower half of an argument for a family; with anything in the upper one it would not be known again.
const FAMILIES: u64 = 1 << 32;

/// Linux, Linux without random addresses, both as seen by programs for 2.6, and the question which it is.
const PERSONALITIES: [u64; 5] = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

impl Profile {
    /// Docker's default.
    pub fn builtin() -> Profile {
        let mut rules = vec![rule(ungated(), Vec::new())];
        rules.extend(GATED.iter().map(|(capability, names)| Rule {
            includes: with(capability),
            ..rule(names.split_whitespace().map(str::to_owned).collect(), Vec::new())
        }));
        rules.extend(judged());
        Profile { default: Action::Errno(1), others: Others::All, rules }
    }
}

fn judged() -> Vec<Rule> {
    let call = |name: &str, conditions| rule(vec![name.to_owned()], conditions);
    let first = |comparison, value| Condition { argument: 0, comparison, value };
    let mut rules = vec![
        Rule { excludes: with("SYS_ADMIN"), ..call("clone", vec![first(Comparison::MaskedEqual(CLONE_NEW), 0)]) },
        // Its flags are in memory, where no filter looks. C libraries go on with `clone`.
        Rule { excludes: with("SYS_ADMIN"), action: Action::Errno(38), ..call("clone3", Vec::new()) },
    ];
    rules.extend(PERSONALITIES.map(|kind| call("personality", vec![first(Comparison::Equal, kind)])));
    let allowed = REFUSED_FAMILIES.map(|family| first(Comparison::NotEqual, family));
    rules.push(call("socket", [first(Comparison::Less, FAMILIES)].into_iter().chain(allowed).collect()));
    rules
}

fn rule(names: Vec<String>, conditions: Vec<Condition>) -> Rule {
    let (includes, excludes) = (Selector::default(), Selector::default());
    Rule { names, action: Action::Allow, conditions, includes, excludes }
}

fn with(capability: &str) -> Selector {
    let capabilities: CapabilitySet = capabilities::number(capability).into_iter().collect();
    Selector { capabilities, ..Selector::default() }
}

/// The calls that need no look.
fn ungated() -> Vec<String> {
    let others = GATED.iter().flat_map(|(_, names)| names.split_whitespace());
    let others: Vec<_> = others.chain(NEVER.split_whitespace()).chain(JUDGED.split_whitespace()).collect();
    let machines = ["x86_64", "aarch64"].into_iter().filter_map(numbers::machine).flatten();
    let known = machines.flat_map(|(_, numbers)| numbers.iter());
    let known = known.filter(|(_, number)| **number <= NEWEST || **number >= ARM_OWN).map(|(name, _)| *name);
    let mut names: Vec<_> = known.filter(|name| !others.contains(name)).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}
