//! Numbers of system calls, and the architectures of a machine. The tables are those of Linux 6.17.

use std::collections::HashMap;
use std::sync::LazyLock;

/// From here on are numbers that only Arm has, far above all others.
pub(super) const ARM_OWN: u32 = 0x000f_0000;

/// An architecture that a process of this machine may run as.
#[derive(Debug)]
pub(super) struct Architecture {
    /// As libseccomp writes it.
    pub(super) name: &'static str,
    /// As Go writes it.
    pub(super) go: &'static str,
    /// As the kernel says which a call is of (`AUDIT_ARCH_*`).
    pub(super) audit: u32,
    /// Numbers from here on are another ABI's, which no kernel of today has.
    pub(super) end: Option<u32>,
    table: &'static str,
}

const X86_64: Architecture = Architecture {
    name: "SCMP_ARCH_X86_64",
    go: "amd64",
    audit: 0xc000_003e,
    end: Some(0x4000_0000),
    table: include_str!("numbers/x86_64.txt"),
};
const X86: Architecture = Architecture {
    name: "SCMP_ARCH_X86",
    go: "386",
    audit: 0x4000_0003,
    end: None,
    table: include_str!("numbers/x86.txt"),
};
const AARCH64: Architecture = Architecture {
    name: "SCMP_ARCH_AARCH64",
    go: "arm64",
    audit: 0xc000_00b7,
    end: None,
    table: include_str!("numbers/aarch64.txt"),
};
const ARM: Architecture = Architecture {
    name: "SCMP_ARCH_ARM",
    go: "arm",
    audit: 0x4000_0028,
    end: None,
    table: include_str!("numbers/arm.txt"),
};

/// The architectures of a machine, its own first.
pub(super) type Machine = &'static [(Architecture, LazyLock<Numbers>)];

pub(super) type Numbers = HashMap<&'static str, u32>;

static PC: [(Architecture, LazyLock<Numbers>); 2] =
    [(X86_64, LazyLock::new(|| X86_64.read())), (X86, LazyLock::new(|| X86.read()))];
static ARM_SERVER: [(Architecture, LazyLock<Numbers>); 2] =
    [(AARCH64, LazyLock::new(|| AARCH64.read())), (ARM, LazyLock::new(|| ARM.read()))];

/// The machine of this name in Rust, if its numbers are known.
pub(super) fn machine(name: &str) -> Option<Machine> {
    match name {
        "x86_64" => Some(&PC),
        "aarch64" => Some(&ARM_SERVER),
        _ => None,
    }
}

impl Architecture {
    fn read(&self) -> Numbers {
        let pairs = self.table.split_whitespace().filter_map(|pair| pair.split_once('='));
        pairs.filter_map(|(name, number)| Some((name, number.parse().ok()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_whole() {
        for (name, own, other) in [("x86_64", 382, 459), ("aarch64", 325, 426)] {
            let machine = machine(name).unwrap();
            assert_eq!([machine[0].1.len(), machine[1].1.len()], [own, other]);
            for (architecture, numbers) in machine {
                assert_eq!(architecture.table.split_whitespace().count(), numbers.len(), "{}", architecture.name);
                assert!(numbers.contains_key("execve"));
            }
        }
        assert_eq!(PC[0].1.get("mount"), Some(&165));
        assert!(machine("s390x").is_none());
    }
}
