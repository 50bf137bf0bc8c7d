//! A profile: rules for system calls by name. The first rule that names a call, holds for the container, and whose
//! conditions hold, decides; those without conditions come after all others.

use processes::CapabilitySet;

/// The rules of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The action for calls without a rule.
    pub(super) default: Action,
    /// The architectures whose calls it is about, beside the machine's own.
    pub(super) others: Others,
    pub(super) rules: Vec<Rule>,
}

/// The foreign architectures of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// All that the machine's processors run.
    All,
    /// These, as libseccomp writes them.
    Named(Vec<String>),
}

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Allow,
    Log,
    Trace(u16),
    Errno(u16),
    Trap,
    KillThread,
    KillProcess,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) names: Vec<String>,
    pub(super) action: Action,
    /// All of them hold.
    pub(super) conditions: Vec<Condition>,
    /// The containers it is for.
    pub(super) includes: Selector,
    /// The containers it is not for.
    pub(super) excludes: Selector,
}

/// A condition on an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// From 0 to 5.
    pub(super) argument: u8,
    pub(super) comparison: Comparison,
    pub(super) value: u64,
}

/// The argument is this, compared with the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Equal in the bits of this mask.
    MaskedEqual(u64),
}

/// Properties of containers and machines. Empty says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) capabilities: CapabilitySet,
    /// As Go writes them.
    pub(super) architectures: Vec<String>,
    pub(super) kernel: Option<Kernel>,
}

/// The first two numbers of a kernel's version.
pub(super) type Kernel = (u32, u32);

/// The container and the machine that a profile is compiled for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    /// The most that its programs can come to have.
    pub(super) capabilities: CapabilitySet,
    /// As Go writes it.
    pub(super) architecture: &'static str,
    pub(super) kernel: Kernel,
}

impl Rule {
    pub(super) fn is_for(&self, subject: &Subject) -> bool {
        self.includes.includes(subject) && !self.excludes.excludes(subject)
    }
}

impl Selector {
    fn includes(&self, subject: &Subject) -> bool {
        self.capabilities.without(subject.capabilities) == CapabilitySet::EMPTY
            && (self.architectures.is_empty() || self.has(subject.architecture))
            && self.kernel.is_none_or(|least| subject.kernel >= least)
    }

    /// Any of its properties excludes.
    fn excludes(&self, subject: &Subject) -> bool {
        self.capabilities.intersection(subject.capabilities) != CapabilitySet::EMPTY
            || self.has(subject.architecture)
            || self.kernel.is_some_and(|least| subject.kernel >= least)
    }

    fn has(&self, architecture: &str) -> bool {
        self.architectures.iter().any(|named| named == architecture)
    }
}

impl Action {
    /// True if a call that the author of a profile with this default could not know is better answered by "there is no
    /// such call": a C library then does without it, as on an older kernel.
    pub(super) fn is_refusal(self) -> bool {
        !matches!(self, Action::Allow | Action::Log | Action::Trace(_))
    }
}
