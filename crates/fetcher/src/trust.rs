//! TLS with the certificates that this machine trusts, for everything that is fetched.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::error::Reason;

/// Read once in a process, when it is first needed.
static TLS: OnceCell<Arc<ClientConfig>> = OnceCell::const_new();

/// The configuration of connections to servers that this machine trusts. Reading its certificates takes a while: that is
/// not done on the thread that others share.
pub async fn trusted() -> Result<Arc<ClientConfig>, Reason> {
    let read = || async { spawn_blocking(read).await.map_err(failed)? };
    TLS.get_or_try_init(read).await.cloned()
}

fn read() -> Result<Arc<ClientConfig>, Reason> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(Arc::new(builder.map_err(failed)?.with_root_certificates(roots).with_no_client_auth()))
}

fn failed(error: impl std::fmt::Display) -> Reason {
    Reason::Http(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_certificates_are_read_once_for_all_downloads() {
        assert!(Arc::ptr_eq(&trusted().await.unwrap(), &trusted().await.unwrap()));
    }
}
