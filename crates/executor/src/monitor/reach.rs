//! The addresses that checks may talk to, as the operator of the machine says, and not whoever wrote the check.
//!
//! In: the variable [`VARIABLE`] of the executor's own environment, which its agent passes on. Out: loopback, which is
//! the task's own, and the networks named there.

use std::str::FromStr;

use checks::spec::{Network, Reach};

/// `any`, or networks such as `10.0.0.0/8,fd00::/8`; loopback alone if it is empty or absent.
const VARIABLE: &str = "CYGNET_CHECK_NETWORKS";

/// A variable that names something else than networks.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{VARIABLE}: {0}")]
pub(crate) struct BadNetworks(#[source] <Network as FromStr>::Err);

/// Of this process.
pub(crate) fn reach() -> Result<Reach, BadNetworks> {
    parse(&std::env::var_os(VARIABLE).unwrap_or_default().to_string_lossy())
}

fn parse(text: &str) -> Result<Reach, BadNetworks> {
    let named = text.split(',').map(str::trim).filter(|network| !network.is_empty());
    match text.trim() {
        "any" => Ok(Reach::Anywhere),
        _ => {
            let networks = named.map(str::parse::<Network>).collect::<Result<_, _>>();
            networks.map(Reach::Only).map_err(BadNetworks)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_unless_the_operator_says_more() {
        assert_eq!(parse(""), Ok(Reach::loopback()));
        assert_eq!(parse("any"), Ok(Reach::Anywhere));
        let named = parse("10.0.0.0/8, fd00::/8").unwrap();
        assert!(named.allows("10.1.2.3".parse().unwrap()) && !named.allows("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_said() {
        let error = parse("10.0.0.0/8,everywhere").unwrap_err().to_string();
        assert!(error.starts_with("CYGNET_CHECK_NETWORKS: 'everywhere' is no network"), "{error}");
    }
}
