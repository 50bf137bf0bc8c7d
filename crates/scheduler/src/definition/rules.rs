//! Rules that hold for several parts of apps and of pods, each with Marathon's words.

use std::collections::BTreeSet;

use super::seconds::Seconds;
use super::validate::Faults;

/// The name of a port, a container or an endpoint.
pub(super) const NAME: &str = "must fully match regular expression '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'";

/// True if it may be the name of a port, or of a part of a path.
pub(super) fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(legal) && !text.starts_with('-') && !text.ends_with('-')
}

pub(super) fn unique<T: Ord>(mut values: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    values.all(|value| seen.insert(value))
}

/// Adds what is given although it is not supported.
pub(super) fn unsupported<const N: usize>(fields: [(&str, bool); N], at: &str, faults: &mut Faults) {
    for (name, _) in fields.into_iter().filter(|(_, given)| *given) {
        faults.add(format!("{at}/{name}"), format!("{name} is not supported yet"));
    }
}

/// Adds the fault of a check that asks in no way or in several.
pub(super) fn one_way(given: [bool; 3], at: &str, faults: &mut Faults) {
    let ways = given.into_iter().filter(|given| *given).count();
    faults.require(ways == 1, at, "Only one of http, tcp, or command may be specified");
}

/// Adds the fault of a check whose attempts could run into each other.
pub(super) fn shorter(timeout: Seconds, interval: Seconds, at: &str, faults: &mut Faults) {
    let error = format!("got {}, expected less than {}", timeout.as_f64(), interval.as_f64());
    faults.require(timeout.duration() < interval.duration(), format!("{at}/timeoutSeconds"), error);
}
