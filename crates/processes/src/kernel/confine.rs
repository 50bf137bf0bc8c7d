//! The steps by which a child confines itself for its program: laid out beforehand by [`Bounds::of`], then system calls
//! only, in the order of the methods here. Between them the child enters namespaces, takes its user and its directory.

use std::ffi::CStr;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::io::write;
use rustix::process::{Resource, Rlimit, setrlimit, umask};
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    configure_capability_in_ambient_set, remove_capability_from_bounding_set, set_capabilities,
    set_capabilities_secure_bits, set_keep_capabilities, set_no_new_privs,
};

use super::clone::last_errno;
use crate::confinement::{self, Confinement, Filter};
use crate::label::GENERAL;

/// A confinement in the forms that system calls take.
#[derive(Default)]
pub(super) struct Bounds {
    limits: Vec<(Resource, Rlimit)>,
    umask: Option<Mode>,
    oom_score_adjustment: Option<String>,
    capabilities: Option<confinement::Capabilities>,
    no_new_privileges: bool,
    filter: Option<Vec<libc::sock_filter>>,
    /// The file and the words in which a label is asked for.
    label: Option<(&'static CStr, String)>,
}

impl Bounds {
    pub(super) fn of(confinement: &Confinement, is_brief: bool) -> Bounds {
        let limit = |limit: &confinement::ResourceLimit| {
            (resource(limit.resource), Rlimit { current: limit.soft, maximum: limit.hard })
        };
        Bounds {
            limits: confinement.limits.iter().map(limit).collect(),
            umask: confinement.umask.map(Mode::from_raw_mode),
            oom_score_adjustment: confinement.oom_score_adjustment.map(|points| points.to_string()),
            capabilities: confinement.capabilities,
            no_new_privileges: confinement.no_new_privileges,
            filter: confinement.seccomp.as_ref().map(|filter| program(filter, is_brief)),
            label: confinement.label.as_ref().map(|label| (label.file(), label.words())),
        }
    }

    /// By the parent's `/proc`. The kernel tells a child like this from one that shares its memory for good, and leaves
    /// the parent's score as it is.
    pub(super) fn adjust_oom_score(&self) -> rustix::io::Result<()> {
        let Some(points) = &self.oom_score_adjustment else { return Ok(()) };
        let file = open(c"/proc/self/oom_score_adj", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        match write(&file, points.as_bytes()) {
            // Only who may override resource limits makes itself less likely to be killed than it was started.
            Err(Errno::ACCESS | Errno::PERM) => Ok(()),
            written => written.map(drop),
        }
    }

    /// By the parent's `/proc`, too. The program has it, or there is none: a module that cannot give it says so here or then.
    pub(super) fn ask_for_label(&self) -> rustix::io::Result<()> {
        let Some((file, words)) = &self.label else { return Ok(()) };
        let open = |file: &CStr| open(file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
        write(&open(file).or_else(|_| open(GENERAL))?, words.as_bytes()).map(drop)
    }

    /// Only a process that may override resource limits of the machine raises one.
    pub(super) fn limit(&self) -> rustix::io::Result<()> {
        self.umask.map(umask);
        self.limits.iter().try_for_each(|(resource, limit)| {
            setrlimit(*resource, Rlimit { current: limit.current, maximum: limit.maximum })
        })
    }

    /// Narrows what can be gained, and keeps what there is while the user changes.
    pub(super) fn bound(&self) -> rustix::io::Result<()> {
        let Some(wanted) = &self.capabilities else { return Ok(()) };
        for number in (0..u64::BITS).filter(|number| !wanted.bounding.contains(*number)) {
            match remove_capability_from_bounding_set(one(number)) {
                // The kernel has no more of them.
                Err(Errno::INVAL) => break,
                removed => removed?,
            }
        }
        if wanted.root_is_ordinary {
            set_capabilities_secure_bits(CapabilitiesSecureBits::NO_ROOT)?;
        }
        set_keep_capabilities(true)
    }

    /// The capabilities of the program, and, until the filter is there, the one that it takes to set a filter.
    pub(super) fn narrow(&self) -> rustix::io::Result<()> {
        let Some(wanted) = &self.capabilities else { return Ok(()) };
        let own = capabilities(None)?.permitted;
        let filtering = if self.is_filter_privileged() { CapabilitySet::SYS_ADMIN } else { CapabilitySet::empty() };
        set_capabilities(None, sets(wanted, own, filtering & own))?;
        clear_ambient_capability_set()?;
        let ambient = wanted.ambient.intersection(wanted.inheritable).intersection(wanted.permitted);
        let raised = ambient.numbers().map(one).filter(|capability| own.contains(*capability));
        raised.into_iter().try_for_each(|capability| configure_capability_in_ambient_set(capability, true))
    }

    /// The last of all: after this, the filter says which system calls may be made. `capset` and `execve` are.
    pub(super) fn filter(&self) -> rustix::io::Result<()> {
        if self.no_new_privileges {
            set_no_new_privs(true)?;
        }
        let Some(filter) = &self.filter else { return Ok(()) };
        set_filter(filter)?;
        match &self.capabilities {
            Some(wanted) if self.is_filter_privileged() => {
                let own = capabilities(None)?.permitted;
                set_capabilities(None, sets(wanted, own, CapabilitySet::empty()))
            }
            _ => Ok(()),
        }
    }

    fn is_filter_privileged(&self) -> bool {
        self.filter.is_some() && !self.no_new_privileges
    }
}

/// The capabilities that are wanted, as far as the process has them, and these.
fn sets(wanted: &confinement::Capabilities, own: CapabilitySet, also: CapabilitySet) -> CapabilitySets {
    let of = |set: confinement::CapabilitySet| CapabilitySet::from_bits_retain(set.bits()) & own;
    let permitted = of(wanted.permitted);
    CapabilitySets {
        permitted: permitted | also,
        effective: of(wanted.effective) & permitted | also,
        inheritable: of(wanted.inheritable),
    }
}

fn one(number: u32) -> CapabilitySet {
    CapabilitySet::from_bits_retain(1 << number)
}

/// The kernel takes no more instructions.
const MOST_INSTRUCTIONS: usize = 4096;

/// Loads an argument that nobody asks for. When a filter is set, the kernel tries out every number of the machine's own
/// calls, to remember those that are always allowed, and gives up at an argument, which it does not know yet. That is a
/// third of what it takes to set a filter, for a few nanoseconds at each call afterwards.
const UNTRIED: libc::sock_filter =
    libc::sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: 16 };

fn program(filter: &Filter, is_brief: bool) -> Vec<libc::sock_filter> {
    let instructions = filter.instructions().iter();
    let first = Some(UNTRIED).filter(|_| is_brief && instructions.len() < MOST_INSTRUCTIONS);
    let raw = instructions.map(|instruction| libc::sock_filter {
        code: instruction.code,
        jt: instruction.jump_true,
        jf: instruction.jump_false,
        k: instruction.value,
    });
    first.into_iter().chain(raw).collect()
}

fn set_filter(program: &[libc::sock_filter]) -> rustix::io::Result<()> {
    let length = libc::c_ushort::try_from(program.len()).map_err(|_| Errno::INVAL)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: the kernel reads `length` instructions, which outlive the call, and checks them.
    let failed = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    if failed == 0 { Ok(()) } else { Err(last_errno()) }
}

fn resource(resource: confinement::Resource) -> Resource {
    match resource {
        confinement::Resource::As => Resource::As,
        confinement::Resource::Core => Resource::Core,
        confinement::Resource::Cpu => Resource::Cpu,
        confinement::Resource::Data => Resource::Data,
        confinement::Resource::Fsize => Resource::Fsize,
        confinement::Resource::Locks => Resource::Locks,
        confinement::Resource::Memlock => Resource::Memlock,
        confinement::Resource::Msgqueue => Resource::Msgqueue,
        confinement::Resource::Nice => Resource::Nice,
        confinement::Resource::Nofile => Resource::Nofile,
        confinement::Resource::Nproc => Resource::Nproc,
        confinement::Resource::Rss => Resource::Rss,
        confinement::Resource::Rtprio => Resource::Rtprio,
        confinement::Resource::Rttime => Resource::Rttime,
        confinement::Resource::Sigpending => Resource::Sigpending,
        confinement::Resource::Stack => Resource::Stack,
    }
}

#[cfg(test)]
#[path = "confine_tests.rs"]
mod tests;
