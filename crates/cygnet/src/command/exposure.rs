//! The warning for who listens to the whole world.

use std::net::IpAddr;

/// Warns where others than this machine can connect and nobody is asked who they are.
pub(crate) fn warn(listen: IpAddr, is_guarded: bool) {
    if is_open(listen, is_guarded) {
        tracing::warn!(
            address = %listen,
            "whoever can connect to this address may run programs on this machine, and nobody is asked who they are: \
             let only trusted networks reach it"
        );
    }
}

fn is_open(listen: IpAddr, is_guarded: bool) -> bool {
    !listen.to_canonical().is_loopback() && !is_guarded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_others_can_reach_unasked_is_open() {
        for (address, is_guarded, open) in [
            ("127.0.0.1", false, false),
            ("::1", false, false),
            ("0.0.0.0", false, true),
            ("::", false, true),
            ("10.0.0.1", true, false),
        ] {
            assert_eq!(is_open(address.parse().unwrap(), is_guarded), open, "{address}");
        }
    }
}
