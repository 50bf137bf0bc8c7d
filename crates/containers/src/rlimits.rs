//! Resource limits of a container, from `RLimitInfo`. Pure.

use mesos::v1::RLimitInfo;
use mesos::v1::r_limit_info::RLimit;
use mesos::v1::r_limit_info::r_limit::Type;
use processes::{Resource, ResourceLimit};

/// A limit that nobody can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RlimitError {
    /// The resource is one that nobody knows.
    #[error("Unknown rlimit type")]
    Unknown,
    /// One of `soft` and `hard` without the other, or the first above the second.
    #[error("Invalid rlimit values of {0}: 'soft' and 'hard' are both set, 'soft' not above 'hard', or both absent")]
    Values(&'static str),
    /// Two limits for the same.
    #[error("More than one rlimit of {0}")]
    Twice(&'static str),
}

/// The limits of a message. Neither value is no limit.
pub fn limits(info: &RLimitInfo) -> Result<Vec<ResourceLimit>, RlimitError> {
    let mut limits: Vec<ResourceLimit> = Vec::new();
    for asked in &info.rlimits {
        let limit = limit(asked)?;
        if limits.iter().any(|other| other.resource == limit.resource) {
            return Err(RlimitError::Twice(asked.r#type().as_str_name()));
        }
        limits.push(limit);
    }
    Ok(limits)
}

fn limit(asked: &RLimit) -> Result<ResourceLimit, RlimitError> {
    let resource = resource(asked.r#type()).ok_or(RlimitError::Unknown)?;
    match (asked.soft, asked.hard) {
        (None, None) => Ok(ResourceLimit { resource, soft: None, hard: None }),
        (Some(soft), Some(hard)) if soft <= hard => {
            let infinite = |value: u64| Some(value).filter(|value| *value != u64::MAX);
            Ok(ResourceLimit { resource, soft: infinite(soft), hard: infinite(hard) })
        }
        _ => Err(RlimitError::Values(asked.r#type().as_str_name())),
    }
}

fn resource(kind: Type) -> Option<Resource> {
    Some(match kind {
        Type::Unknown => return None,
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: Type, soft: Option<u64>, hard: Option<u64>) -> RLimit {
        RLimit { r#type: Some(kind.into()), soft, hard }
    }

    fn read(rlimits: Vec<RLimit>) -> Result<Vec<ResourceLimit>, RlimitError> {
        limits(&RLimitInfo { rlimits })
    }

    #[test]
    fn both_values_or_neither() {
        let nofile = |soft, hard| ResourceLimit { resource: Resource::Nofile, soft, hard };
        let of = |soft, hard| read(vec![asked(Type::RlmtNofile, soft, hard)]);
        assert_eq!(of(Some(5), Some(5)), Ok(vec![nofile(Some(5), Some(5))]));
        assert_eq!(of(Some(5), Some(u64::MAX)), Ok(vec![nofile(Some(5), None)]));
        assert_eq!(of(None, None), Ok(vec![nofile(None, None)]));
        for (soft, hard) in [(Some(6), Some(5)), (Some(5), None), (None, Some(5))] {
            assert_eq!(of(soft, hard), Err(RlimitError::Values("RLMT_NOFILE")));
        }
        assert_eq!(read(vec![RLimit::default()]), Err(RlimitError::Unknown));
        let twice = vec![asked(Type::RlmtCpu, None, None), asked(Type::RlmtCpu, Some(1), Some(1))];
        assert_eq!(read(twice).unwrap_err().to_string(), "More than one rlimit of RLMT_CPU");
    }
}
