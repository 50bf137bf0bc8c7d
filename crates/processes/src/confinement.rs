//! The bounds within which a program runs, whoever starts it: the shim a task, the check engine a command.
//!
//! Plain data: what a container is allowed is decided elsewhere, and how the kernel is told is `kernel`'s.

use std::fmt::Write;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::label::Label;

/// The bounds of a program. All absent is none but those of the process that starts it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Confinement {
    /// Its capabilities.
    pub capabilities: Option<Capabilities>,
    /// True if no program that it executes gains what it does not have (`no_new_privs`).
    pub no_new_privileges: bool,
    /// The system calls it may make. Without `no_new_privileges`, only a process that may administer the system can set
    /// it, and for another user only together with `capabilities`.
    pub seccomp: Option<Filter>,
    /// Its resource limits; those that are not here are inherited.
    pub limits: Vec<ResourceLimit>,
    /// The permissions that its new files do not get.
    pub umask: Option<u32>,
    /// The points, of a thousand, by which the kernel rather kills it for want of memory: from -1000 to 1000.
    pub oom_score_adjustment: Option<i32>,
    /// Its label, if a security module gives it another one than that of the process that starts it.
    pub label: Option<Label>,
}

/// The capability sets of a thread, as capabilities(7) has them. Those that the process which starts the program lacks
/// itself are left out. When root executes a program, the kernel makes `bounding` of `permitted` and `effective`, unless
/// `root_is_ordinary`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// The most that the program and all it executes can come to have.
    pub bounding: CapabilitySet,
    /// The capabilities that it may make effective.
    pub permitted: CapabilitySet,
    /// The capabilities that it uses.
    pub effective: CapabilitySet,
    /// The capabilities that a file may hand on.
    pub inheritable: CapabilitySet,
    /// The capabilities, of `permitted` and `inheritable`, that a program keeps if a user who is not root executes it.
    pub ambient: CapabilitySet,
    /// True if user 0 gets no more than others when it executes a program (`SECBIT_NOROOT`).
    pub root_is_ordinary: bool,
}

/// Capabilities, a bit for each by its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CapabilitySet(u64);

impl CapabilitySet {
    /// None at all.
    pub const EMPTY: CapabilitySet = CapabilitySet(0);

    /// The set whose bits are these.
    pub const fn from_bits(bits: u64) -> CapabilitySet {
        CapabilitySet(bits)
    }

    /// The bits, as `/proc/PID/status` shows them.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// True if the capability with this number is in it.
    pub const fn contains(self, number: u32) -> bool {
        number < u64::BITS && self.0 & (1 << number) != 0
    }

    /// The numbers of those in it.
    pub fn numbers(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |number| self.contains(*number))
    }

    /// The capabilities that are in both.
    pub const fn intersection(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 & other.0)
    }

    /// The capabilities that are here and not there.
    pub const fn without(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 & !other.0)
    }
}

impl FromIterator<u32> for CapabilitySet {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> CapabilitySet {
        let bits = numbers.into_iter().filter(|number| *number < u64::BITS).map(|number| 1 << number);
        CapabilitySet(bits.fold(0, |all, bit: u64| all | bit))
    }
}

/// A limit of setrlimit(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLimit {
    /// The resource.
    pub resource: Resource,
    /// The limit; nothing is no limit.
    pub soft: Option<u64>,
    /// The most that `soft` may be raised to.
    pub hard: Option<u64>,
}

/// A resource, by its name in the kernel: `RLIMIT_AS` is `As`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "setrlimit(2) says what they are")]
pub enum Resource {
    As,
    Core,
    Cpu,
    Data,
    Fsize,
    Locks,
    Memlock,
    Msgqueue,
    Nice,
    Nofile,
    Nproc,
    Rss,
    Rtprio,
    Rttime,
    Sigpending,
    Stack,
}

/// A program for the kernel's filter of system calls (seccomp(2)), compiled. Clones share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Arc<[Instruction]>);

/// An instruction of classic BPF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// The operation.
    pub code: u16,
    /// The instructions to skip if its condition holds.
    pub jump_true: u8,
    /// The instructions to skip if it does not.
    pub jump_false: u8,
    /// The operand.
    pub value: u32,
}

/// The hexadecimal digits of an instruction.
const DIGITS: usize = 16;

impl Filter {
    /// The filter that is this program.
    pub fn new(program: Vec<Instruction>) -> Filter {
        Filter(program.into())
    }

    /// The program.
    pub fn instructions(&self) -> &[Instruction] {
        &self.0
    }
}

impl Instruction {
    fn to_bits(self) -> u64 {
        let jumps = u64::from(self.jump_true) << 40 | u64::from(self.jump_false) << 32;
        u64::from(self.code) << 48 | jumps | u64::from(self.value)
    }

    fn from_bits(bits: u64) -> Instruction {
        let [high, low, jump_true, jump_false, value @ ..] = bits.to_be_bytes();
        let (code, value) = (u16::from_be_bytes([high, low]), u32::from_be_bytes(value));
        Instruction { code, jump_true, jump_false, value }
    }
}

/// Text of hexadecimal digits, as in JSON bytes would take twice as much.
impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(DIGITS * self.0.len());
        for instruction in self.0.iter() {
            let _strings_take_everything = write!(text, "{:016x}", instruction.to_bits());
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Filter, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.is_ascii() || text.len() % DIGITS != 0 {
            return Err(D::Error::custom("a filter has 16 hexadecimal digits for each instruction"));
        }
        let instruction = |start: usize| {
            let digits = text.get(start..start + DIGITS).unwrap_or_default();
            u64::from_str_radix(digits, 16).map(Instruction::from_bits).map_err(D::Error::custom)
        };
        let program: Vec<_> = (0..text.len()).step_by(DIGITS).map(instruction).collect::<Result<_, _>>()?;
        Ok(Filter::new(program))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confinement_is_the_same_when_it_was_stored() {
        let capabilities =
            Capabilities { bounding: [0, 40].into_iter().collect(), root_is_ordinary: true, ..Capabilities::default() };
        let instruction = Instruction { code: 0x8015, jump_true: 255, jump_false: 1, value: 0xc000_003e };
        let limits = vec![ResourceLimit { resource: Resource::Nofile, soft: Some(5), hard: None }];
        let seccomp = Some(Filter::new(vec![instruction; 3]));
        let stored = Confinement {
            capabilities: Some(capabilities),
            seccomp,
            limits,
            umask: Some(0o27),
            oom_score_adjustment: Some(-5),
            no_new_privileges: true,
            label: Some(Label::AppArmor("docker-default".to_owned())),
        };
        let text = serde_json::to_string(&stored).unwrap();
        assert!(text.contains("8015ff01c000003e8015"), "{text}");
        assert_eq!(serde_json::from_str::<Confinement>(&text).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Confinement>("{}").unwrap(), Confinement::default());
        for wrong in ["\"8015\"", "\"xxxxxxxxxxxxxxxx\"", "\"ää000000000000\"", "3"] {
            assert!(serde_json::from_str::<Filter>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_set_has_its_numbers() {
        let set: CapabilitySet = [0, 5, 63, 64, 1000].into_iter().collect();
        assert_eq!(set.numbers().collect::<Vec<_>>(), [0, 5, 63]);
        assert!(set.contains(63) && !set.contains(64) && !set.contains(1));
    }
}
