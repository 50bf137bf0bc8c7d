//! The certificates that a verifying check trusts: authorities, and certificates that were given themselves.
//!
//! In: certificates in DER. Out: a verifier for rustls. What it objects to it says in words that help.
//!
//! A server's certificate may itself be among those that were given, as one that signed itself usually is. By the rules of
//! webpki it may then still be no server's: what `openssl req -x509` makes is an authority's, and what an authority has
//! issued leads to one that is not there. Whoever gave it meant it; its time and its names are looked at all the same.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

/// The certificates that are believed.
#[derive(Debug)]
pub(super) struct Trusted {
    roots: Arc<RootCertStore>,
    certificates: HashSet<CertificateDer<'static>>,
}

/// Holds a server's certificate against them.
#[derive(Debug)]
pub(super) struct Trust {
    by_authorities: Arc<WebPkiServerVerifier>,
    trusted: Arc<Trusted>,
}

/// The fault of a certificate, where webpki has only a name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Objection {
    #[error("the certificate is self-signed and not among those to trust: give it there itself (--ca, roots)")]
    SelfSigned,
    #[error(
        "the certificate is by an authority that is not among those to trust, or certificates in between are missing"
    )]
    Stranger,
    #[error(
        "the certificate is an authority's (CA:TRUE), not a server's: give it itself as one to trust (--ca, roots)"
    )]
    Authority,
    #[error("the certificate is of an old version, which names no hosts: servers need version 3")]
    Version,
}

impl Trusted {
    /// Certificates that cannot be used are left out, as those of an operating system may be.
    pub(super) fn parsable(certificates: Vec<CertificateDer<'static>>) -> Trusted {
        let mut roots = RootCertStore::empty();
        let (_added, _ignored) = roots.add_parsable_certificates(certificates.iter().cloned());
        Trusted { roots: Arc::new(roots), certificates: certificates.into_iter().collect() }
    }

    /// All of them; or why one cannot be used.
    pub(super) fn all(certificates: Vec<CertificateDer<'static>>) -> Result<Trusted, Error> {
        let mut roots = RootCertStore::empty();
        certificates.iter().try_for_each(|certificate| roots.add(certificate.clone()))?;
        Ok(Trusted { roots: Arc::new(roots), certificates: certificates.into_iter().collect() })
    }

    pub(super) fn verifier(self: Arc<Self>, provider: Arc<CryptoProvider>) -> Result<Trust, VerifierBuilderError> {
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::clone(&self.roots), provider);
        Ok(Trust { by_authorities: builder.build()?, trusted: self })
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.by_authorities.verify_server_cert(own, intermediates, name, stapled, now);
        match verified {
            Err(Error::InvalidCertificate(error)) if is_about_its_origin(&error) => {
                if !self.trusted.certificates.contains(own) {
                    return Err(object(own, error));
                }
                is_valid_at(own, now)?;
                verify_server_name(&ParsedCertificate::try_from(own)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authorities.verify_tls12_signature(message, own, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authorities.verify_tls13_signature(message, own, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authorities.supported_verify_schemes()
    }
}

/// True if the error does not matter for a certificate that was given itself: it is about who has signed it, or that it
/// may sign others.
fn is_about_its_origin(error: &CertificateError) -> bool {
    matches!(error, CertificateError::UnknownIssuer | CertificateError::BadSignature | CertificateError::Other(_))
}

fn is_valid_at(own: &CertificateDer<'_>, time: UnixTime) -> Result<(), CertificateError> {
    let (_, own) = X509Certificate::from_der(own).map_err(|_| CertificateError::BadEncoding)?;
    let since_1970 =
        |seconds: i64| UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
    let not_before = since_1970(own.validity().not_before.timestamp());
    let not_after = since_1970(own.validity().not_after.timestamp());
    match time {
        time if time < not_before => Err(CertificateError::NotValidYetContext { time, not_before }),
        time if time > not_after => Err(CertificateError::ExpiredContext { time, not_after }),
        _ => Ok(()),
    }
}

/// The error in words that help, where the certificate shows what it is about.
fn object(own: &CertificateDer<'_>, error: CertificateError) -> Error {
    let Ok((_, own)) = X509Certificate::from_der(own) else { return error.into() };
    let objection = match error {
        _ if own.version() != X509Version::V3 => Objection::Version,
        _ if own.issuer() == own.subject() => Objection::SelfSigned,
        CertificateError::UnknownIssuer => Objection::Stranger,
        _ if own.is_ca() => Objection::Authority,
        error => return error.into(),
    };
    CertificateError::Other(OtherError(Arc::new(objection))).into()
}
