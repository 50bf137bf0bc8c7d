//! A profile in Docker's JSON: `docker run --security-opt seccomp=FILE`. Mesos' profiles have the same form.

use serde::Deserialize;

use super::ProfileError;
use super::profile::{Action, Comparison, Condition, Kernel, Others, Profile, Rule, Selector};
use crate::capabilities;

/// A profile larger than this is none.
pub(super) const MOST_BYTES: u64 = 1024 * 1024;

const EPERM: u32 = 1;

/// The highest error number; the kernel takes no higher one.
const MOST_ERRNO: u32 = 4095;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    default_action: String,
    default_errno_ret: Option<u32>,
    #[serde(default)]
    architectures: Option<Vec<String>>,
    #[serde(default)]
    arch_map: Option<Vec<ArchMap>>,
    #[serde(default)]
    syscalls: Option<Vec<Syscall>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchMap {
    architecture: String,
    #[serde(default)]
    sub_architectures: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Syscall {
    /// The form before Docker 17.
    name: Option<String>,
    #[serde(default)]
    names: Option<Vec<String>>,
    action: String,
    errno_ret: Option<u32>,
    #[serde(default)]
    args: Option<Vec<Argument>>,
    #[serde(default)]
    includes: Option<Restriction>,
    #[serde(default)]
    excludes: Option<Restriction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Argument {
    index: u32,
    value: u64,
    #[serde(default)]
    value_two: u64,
    op: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Restriction {
    #[serde(default)]
    caps: Option<Vec<String>>,
    #[serde(default)]
    arches: Option<Vec<String>>,
    #[serde(default)]
    min_kernel: Option<String>,
}

impl Profile {
    /// The profile that a file holds.
    pub fn parse(text: &[u8]) -> Result<Profile, ProfileError> {
        if u64::try_from(text.len()).is_ok_and(|length| length > MOST_BYTES) {
            return Err(ProfileError::TooLarge(MOST_BYTES));
        }
        let written: Written = serde_json::from_slice(text)?;
        let default_errno = written.default_errno_ret.unwrap_or(EPERM);
        let default = action(&written.default_action, default_errno)?;
        let others = others(written.architectures, written.arch_map)?;
        let mut rules = Vec::new();
        for call in written.syscalls.into_iter().flatten() {
            rules.extend(call.rules()?);
        }
        Ok(Profile { default, others, rules })
    }
}

/// Of a map, those below the machine's own architecture: no machine has others.
fn others(named: Option<Vec<String>>, map: Option<Vec<ArchMap>>) -> Result<Others, ProfileError> {
    let map = map.unwrap_or_default();
    let named = named.unwrap_or_default();
    if !map.is_empty() && !named.is_empty() {
        return Err(ProfileError::Both("architectures", "archMap"));
    }
    let own = |entry: &ArchMap| entry.architecture == own_name();
    let below = map.into_iter().filter(own).flat_map(|entry| entry.sub_architectures.unwrap_or_default());
    Ok(Others::Named(below.chain(named).collect()))
}

fn own_name() -> &'static str {
    super::numbers::machine(std::env::consts::ARCH).and_then(|machine| machine.first()).map_or("", |own| own.0.name)
}

impl Syscall {
    /// One rule, or, as with runc, one for each condition if two are on the same argument.
    fn rules(self) -> Result<Vec<Rule>, ProfileError> {
        let names = match (self.name, self.names.unwrap_or_default()) {
            (Some(name), names) if names.is_empty() => vec![name],
            (None, names) => names,
            (Some(_), _) => return Err(ProfileError::Both("name", "names")),
        };
        let rule = Rule {
            names,
            action: action(&self.action, self.errno_ret.unwrap_or(EPERM))?,
            conditions: Vec::new(),
            includes: self.includes.unwrap_or_default().selector()?,
            excludes: self.excludes.unwrap_or_default().selector()?,
        };
        let conditions = self.args.unwrap_or_default().into_iter().map(Argument::condition);
        let conditions: Vec<_> = conditions.collect::<Result<_, _>>()?;
        Ok(match is_repeated(&conditions) {
            false => vec![Rule { conditions, ..rule }],
            true => conditions.into_iter().map(|one| Rule { conditions: vec![one], ..rule.clone() }).collect(),
        })
    }
}

fn is_repeated(conditions: &[Condition]) -> bool {
    let mut seen = [false; 6];
    let mut arguments = conditions.iter().filter_map(|condition| {
        seen.get_mut(usize::from(condition.argument)).map(|seen| std::mem::replace(seen, true))
    });
    arguments.any(|seen| seen)
}

impl Argument {
    fn condition(self) -> Result<Condition, ProfileError> {
        let argument = u8::try_from(self.index).ok().filter(|index| *index < 6);
        let argument = argument.ok_or(ProfileError::Argument(self.index))?;
        let (comparison, value) = match self.op.as_str() {
            "SCMP_CMP_EQ" => (Comparison::Equal, self.value),
            "SCMP_CMP_NE" => (Comparison::NotEqual, self.value),
            "SCMP_CMP_LT" => (Comparison::Less, self.value),
            "SCMP_CMP_LE" => (Comparison::LessOrEqual, self.value),
            "SCMP_CMP_GT" => (Comparison::Greater, self.value),
            "SCMP_CMP_GE" => (Comparison::GreaterOrEqual, self.value),
            "SCMP_CMP_MASKED_EQ" => (Comparison::MaskedEqual(self.value), self.value_two),
            _ => return Err(ProfileError::Operator(self.op)),
        };
        Ok(Condition { argument, comparison, value })
    }
}

impl Restriction {
    fn selector(self) -> Result<Selector, ProfileError> {
        let number = |name: String| capabilities::number(&name).ok_or(ProfileError::Capability(name));
        Ok(Selector {
            capabilities: self.caps.unwrap_or_default().into_iter().map(number).collect::<Result<_, _>>()?,
            architectures: self.arches.unwrap_or_default(),
            kernel: self.min_kernel.map(|text| kernel(&text).ok_or(ProfileError::Kernel(text))).transpose()?,
        })
    }
}

/// The version, such as `4.8` or `6.1.0-18-amd64`.
pub(super) fn kernel(text: &str) -> Option<Kernel> {
    let mut numbers = text.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn action(name: &str, errno: u32) -> Result<Action, ProfileError> {
    let number = u16::try_from(errno).ok().filter(|_| errno <= MOST_ERRNO).ok_or(ProfileError::Errno(errno))?;
    Ok(match name {
        "SCMP_ACT_ALLOW" => Action::Allow,
        "SCMP_ACT_LOG" => Action::Log,
        "SCMP_ACT_TRACE" => Action::Trace(number),
        "SCMP_ACT_ERRNO" => Action::Errno(number),
        "SCMP_ACT_TRAP" => Action::Trap,
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => Action::KillThread,
        "SCMP_ACT_KILL_PROCESS" => Action::KillProcess,
        other => return Err(ProfileError::Action(other.to_owned())),
    })
}
