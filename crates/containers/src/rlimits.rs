//! The limits of setrlimit(2) that a container asks for. Pure.

use mesos::v1::r_limit_info::RLimit;
use mesos::v1::r_limit_info::r_limit::Type;
use mesos::v1::{ContainerInfo, RLimitInfo};
use processes::{Confinement, Resource, ResourceLimit};

/// Why a limit makes no sense; the author of the container is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RLimitError {
    /// It is of no kind that is known here.
    #[error("A limit in 'rlimit_info' has no 'type'")]
    Unknown,
    /// One of its two values is missing.
    #[error("The limit {0} in 'rlimit_info' needs both 'soft' and 'hard', or neither for none")]
    Half(&'static str),
    /// Its first value is above its second.
    #[error("The limit {0} in 'rlimit_info' has a 'soft' that is greater than its 'hard'")]
    Crossed(&'static str),
    /// There is another one for the same.
    #[error("There is more than one limit {0} in 'rlimit_info'")]
    Twice(&'static str),
}

/// The bounds of the programs of a container that has such limits.
pub fn confinement(container: Option<&ContainerInfo>) -> Result<Option<Confinement>, RLimitError> {
    let asked = container.and_then(|container| container.rlimit_info.as_ref());
    let limits = asked.map(limits).transpose()?.unwrap_or_default();
    Ok((!limits.is_empty()).then(|| Confinement { limits, ..Confinement::default() }))
}

fn limits(info: &RLimitInfo) -> Result<Vec<ResourceLimit>, RLimitError> {
    let mut limits: Vec<ResourceLimit> = Vec::new();
    for asked in &info.rlimits {
        let new = limit(asked)?;
        if limits.iter().any(|other| other.resource == new.resource) {
            return Err(RLimitError::Twice(asked.r#type().as_str_name()));
        }
        limits.push(new);
    }
    Ok(limits)
}

fn limit(asked: &RLimit) -> Result<ResourceLimit, RLimitError> {
    let (resource, name) = (resource(asked.r#type()).ok_or(RLimitError::Unknown)?, asked.r#type().as_str_name());
    match (asked.soft, asked.hard) {
        (Some(soft), Some(hard)) if soft > hard => Err(RLimitError::Crossed(name)),
        (Some(_), None) | (None, Some(_)) => Err(RLimitError::Half(name)),
        (soft, hard) => Ok(ResourceLimit { resource, soft: soft.filter(is_limit), hard: hard.filter(is_limit) }),
    }
}

/// Not so is the number by which the kernel knows that there is none.
fn is_limit(value: &u64) -> bool {
    *value != u64::MAX
}

fn resource(kind: Type) -> Option<Resource> {
    Some(match kind {
        Type::RlmtAs => Resource::As,
        Type::RlmtCore => Resource::Core,
        Type::RlmtCpu => Resource::Cpu,
        Type::RlmtData => Resource::Data,
        Type::RlmtFsize => Resource::Fsize,
        Type::RlmtLocks => Resource::Locks,
        Type::RlmtMemlock => Resource::Memlock,
        Type::RlmtMsgqueue => Resource::Msgqueue,
        Type::RlmtNice => Resource::Nice,
        Type::RlmtNofile => Resource::Nofile,
        Type::RlmtNproc => Resource::Nproc,
        Type::RlmtRss => Resource::Rss,
        Type::RlmtRtprio => Resource::Rtprio,
        Type::RlmtRttime => Resource::Rttime,
        Type::RlmtSigpending => Resource::Sigpending,
        Type::RlmtStack => Resource::Stack,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_both_values_or_none() {
        let asked = |kind: Type, soft, hard| RLimit { r#type: Some(kind.into()), soft, hard };
        let of_all = |rlimits| {
            let rlimit_info = Some(RLimitInfo { rlimits });
            confinement(Some(&ContainerInfo { rlimit_info, ..ContainerInfo::default() }))
        };
        let of = |kind, soft, hard| of_all(vec![asked(kind, soft, hard)]);
        let nofile = |soft, hard| ResourceLimit { resource: Resource::Nofile, soft, hard };
        for (soft, hard) in [(Some(1), Some(2)), (None, None)] {
            assert_eq!(of(Type::RlmtNofile, soft, hard).unwrap().unwrap().limits, [nofile(soft, hard)]);
        }
        assert_eq!(of(Type::RlmtNofile, Some(2), Some(1)), Err(RLimitError::Crossed("RLMT_NOFILE")));
        assert_eq!(of(Type::RlmtStack, Some(2), None), Err(RLimitError::Half("RLMT_STACK")));
        assert_eq!(of(Type::Unknown, None, None), Err(RLimitError::Unknown));
        let endless = of(Type::RlmtNofile, Some(5), Some(u64::MAX)).unwrap().unwrap();
        assert_eq!(endless.limits, [nofile(Some(5), None)]);
        let twice = vec![asked(Type::RlmtCpu, None, None), asked(Type::RlmtCpu, Some(1), Some(1))];
        assert_eq!(of_all(twice), Err(RLimitError::Twice("RLMT_CPU")));
        assert_eq!(confinement(None), Ok(None));
    }
}
