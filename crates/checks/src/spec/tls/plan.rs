//! TLS settings, ready for use: the verifier, our own certificate, and when that of a server ends too soon.
//!
//! In: a check's own [`Tls`]. Out: a rustls configuration that no other settings share. Every attempt shakes hands
//! anew: nothing of one is resumed by another.

use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::trust::Trusted;
use super::verifier::AcceptAny;
use super::{ClientIdentity, Tls, Verification};
use crate::outcome::Failure;
use crate::spec::SpecError;

/// The name of HTTP/2 in TLS.
pub(crate) const HTTP2: &[u8] = b"h2";

/// Settings that can be used for any number of handshakes.
#[derive(Clone, Debug)]
pub(crate) struct TlsPlan {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    expires_within: Option<Duration>,
    verifies: bool,
}

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));

/// The plan of most checks: every certificate is accepted, none is shown.
static PLAIN: OnceLock<Arc<TlsPlan>> = OnceLock::new();

/// Read once: the operator's, not the check's.
static SYSTEM_ROOTS: LazyLock<Arc<Trusted>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    found.errors.iter().for_each(|error| tracing::warn!(%error, "a certificate authority cannot be read"));
    Arc::new(Trusted::parsable(found.certs))
});

impl TlsPlan {
    pub(crate) fn of(settings: &Tls, protocol: Option<&[u8]>) -> Result<Arc<TlsPlan>, SpecError> {
        let is_plain = *settings == Tls::default() && protocol.is_none();
        if let Some(plan) = PLAIN.get().filter(|_| is_plain) {
            return Ok(Arc::clone(plan));
        }
        let name =
            |name: &String| ServerName::try_from(name.clone()).map_err(|_| wrong("server_name", "is no host name"));
        let server_name = settings.server_name.as_ref().map(name).transpose()?;
        let config = Arc::new(config(settings, protocol)?);
        let plan = Arc::new(TlsPlan {
            config,
            server_name,
            expires_within: settings.expires_within,
            verifies: settings.verification != Verification::None,
        });
        Ok(if is_plain { Arc::clone(PLAIN.get_or_init(|| plan)) } else { plan })
    }

    pub(crate) fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// True if it matters which certificate is shown.
    pub(crate) fn is_demanding(&self) -> bool {
        self.verifies || self.expires_within.is_some()
    }

    /// The name to ask for, unless the check has one of its own.
    pub(crate) fn server_name(&self, host: impl FnOnce() -> ServerName<'static>) -> ServerName<'static> {
        self.server_name.clone().unwrap_or_else(host)
    }

    /// A failure if the server's certificate ends sooner than it may.
    pub(crate) fn object(&self, certificate: Option<&[u8]>, now: SystemTime) -> Option<Failure> {
        let limit = self.expires_within?;
        let within = match ends_at(certificate?) {
            Some(end) => end.saturating_sub(now.duration_since(UNIX_EPOCH).unwrap_or_default()),
            None => return Some(Failure::Tls { cause: "the certificate cannot be read".to_owned() }),
        };
        (within < limit).then_some(Failure::CertificateExpires { within })
    }
}

/// Since 1970.
fn ends_at(certificate: &[u8]) -> Option<Duration> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let seconds = certificate.validity().not_after.timestamp();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn wrong(field: &'static str, problem: impl Into<String>) -> SpecError {
    let field = match field {
        "server_name" => "probe.tls.server_name",
        "roots" => "probe.tls.verification.roots",
        _ => "probe.tls.identity",
    };
    SpecError { field, problem: problem.into() }
}

fn config(settings: &Tls, protocol: Option<&[u8]>) -> Result<ClientConfig, SpecError> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| wrong("identity", error.to_string()))?;
    let builder = verified(builder, &settings.verification)?;
    let mut config = match &settings.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (certificates, key) = read_identity(identity)?;
            builder.with_client_auth_cert(certificates, key).map_err(|error| wrong("identity", error.to_string()))?
        }
    };
    config.resumption = Resumption::disabled();
    config.alpn_protocols = protocol.map(<[u8]>::to_vec).into_iter().collect();
    Ok(config)
}

type Unauthenticated = ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>;

fn verified(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    verification: &Verification,
) -> Result<Unauthenticated, SpecError> {
    let trusted = match verification {
        Verification::None => {
            let verifier = Arc::new(AcceptAny::new(Arc::clone(&PROVIDER)));
            return Ok(builder.dangerous().with_custom_certificate_verifier(verifier));
        }
        Verification::SystemRoots => Arc::clone(&SYSTEM_ROOTS),
        Verification::Roots(pem) => Arc::new(read_roots(pem)?),
    };
    let trust = trusted.verifier(Arc::clone(&PROVIDER)).map_err(|error| wrong("roots", error.to_string()))?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(trust)))
}

fn read_roots(pem: &[u8]) -> Result<Trusted, SpecError> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| wrong("roots", format!("is no PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(wrong("roots", "has no certificate"));
    }
    Trusted::all(certificates).map_err(|error| wrong("roots", error.to_string()))
}

fn read_identity(
    identity: &ClientIdentity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), SpecError> {
    let no_pem = |error: rustls::pki_types::pem::Error| wrong("identity", format!("is no PEM: {error}"));
    let certificates = CertificateDer::pem_slice_iter(&identity.certificates).collect::<Result<Vec<_>, _>>();
    let key = PrivateKeyDer::from_pem_slice(&identity.key).map_err(no_pem)?;
    Ok((certificates.map_err(no_pem)?, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn expiring(within: Duration) -> Arc<TlsPlan> {
        TlsPlan::of(&Tls { expires_within: Some(within), ..Tls::default() }, None).unwrap()
    }

    #[test]
    fn an_end_that_is_near_is_an_objection() {
        let own = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let der: &[u8] = own.cert.der();
        let end = ends_at(der).unwrap();
        let object = |days_before: u32, limit_days: u32| {
            expiring(limit_days * DAY).object(Some(der), UNIX_EPOCH + (end - days_before * DAY))
        };
        assert_eq!(object(31, 30), None);
        assert_eq!(object(29, 30), Some(Failure::CertificateExpires { within: 29 * DAY }));
        let after = expiring(DAY).object(Some(der), UNIX_EPOCH + end + DAY);
        assert_eq!(after, Some(Failure::CertificateExpires { within: Duration::ZERO }));
        assert!(matches!(expiring(DAY).object(Some(b"no certificate"), UNIX_EPOCH), Some(Failure::Tls { .. })));
        let careless = TlsPlan::of(&Tls::default(), None).unwrap();
        assert_eq!(careless.object(Some(der), UNIX_EPOCH + end + DAY), None);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let field = |settings: Tls| TlsPlan::of(&settings, None).unwrap_err().field;
        let roots = |pem: &[u8]| Tls { verification: Verification::Roots(pem.to_vec()), ..Tls::default() };
        assert_eq!(field(roots(b"")), "probe.tls.verification.roots");
        let identity = Some(ClientIdentity { certificates: b"x".to_vec(), key: b"y".to_vec() });
        assert_eq!(field(Tls { identity, ..Tls::default() }), "probe.tls.identity");
        let server_name = Some("a b".to_owned());
        assert_eq!(field(Tls { server_name, ..Tls::default() }), "probe.tls.server_name");
    }

    #[test]
    fn only_the_defaults_are_shared() {
        let plain = || TlsPlan::of(&Tls::default(), None).unwrap();
        assert!(Arc::ptr_eq(&plain(), &plain()));
        let other = TlsPlan::of(&Tls::default(), Some(HTTP2)).unwrap();
        assert!(!Arc::ptr_eq(&plain(), &other));
    }
}
