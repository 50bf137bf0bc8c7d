//! TLS settings: whom to believe, who we are, when certificates end; and that no check has those of another.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use checks::spec::{ClientIdentity, HttpProbe, HttpVersion, Probe, Scheme, Tls, Verification};
use checks::{Failure, Kind, Outcome};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::server::{request, serve, status};
use crate::support::{engine, found, http, ms, now, outcome, outcome_within, spec, watch};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An authority, and what it vouches for.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

pub(crate) struct Vouched {
    pub(crate) pem: String,
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, "an authority");
        Authority(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    pub(crate) fn vouch(&self, name: &str, days: u32) -> Vouched {
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        let now = now();
        parameters.not_before = (now - DAY).into();
        parameters.not_after = (now + DAY * days).into();
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        Vouched { pem: certificate.pem(), certificate: certificate.der().clone(), key }
    }
}

fn config(vouched: &Vouched, clients: Option<&Authority>) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(vouched.key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = match clients {
        None => builder.unwrap().with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.0.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.unwrap().with_client_cert_verifier(verifier)
        }
    };
    Arc::new(builder.with_single_cert(vec![vouched.certificate.clone()], key).unwrap())
}

pub(crate) fn server(vouched: &Vouched, clients: Option<&Authority>) -> SocketAddr {
    let config = config(vouched, clients);
    serve(move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        request(&mut stream);
        let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes()).and_then(|()| stream.flush());
    })
}

pub(crate) fn https(address: SocketAddr, tls: Tls) -> Probe {
    Probe::Http(HttpProbe { scheme: Scheme::Https, tls, ..http(address) })
}

#[tokio::test]
async fn an_authority_of_ones_own() {
    let authority = Authority::new();
    let address = server(&authority.vouch("shop.example", 90), None);
    let believing = |pem: Vec<u8>, name: &str| {
        let verification = Verification::Roots(pem);
        https(address, Tls { verification, server_name: Some(name.to_owned()), ..Tls::default() })
    };
    assert_eq!(outcome(believing(authority.pem(), "shop.example")).await, found(200));
    let misnamed = outcome(believing(authority.pem(), "bank.example")).await;
    assert!(misnamed.kind() == Kind::Tls && misnamed.cause().contains("not valid for name"), "{misnamed:?}");
    let stranger = outcome(believing(Authority::new().pem(), "shop.example")).await;
    assert!(stranger.kind() == Kind::Tls, "{stranger:?}");
    let system = Tls { verification: Verification::SystemRoots, ..Tls::default() };
    assert_eq!(outcome(https(address, system)).await.kind(), Kind::Tls, "the system does not know it");
    assert_eq!(outcome(https(address, Tls::default())).await, found(200), "whoever does not ask believes");
}

#[tokio::test]
async fn the_name_to_verify_is_the_host_that_is_asked() {
    let authority = Authority::new();
    let address = server(&authority.vouch("shop.example", 90), None);
    let tls = Tls { verification: Verification::Roots(authority.pem()), ..Tls::default() };
    let host = Some(format!("shop.example:{}", address.port()));
    let probe = HttpProbe { scheme: Scheme::Https, host, tls, ..http(address) };
    assert_eq!(outcome(Probe::Http(probe)).await, found(200));
}

#[tokio::test]
async fn a_server_may_want_to_know_who_we_are() {
    let authority = Authority::new();
    let address = server(&authority.vouch("shop.example", 90), Some(&authority));
    let stranger = outcome(https(address, Tls::default())).await;
    assert!(matches!(stranger, Outcome::Failure(Failure::Alert { .. } | Failure::Connection { .. })), "{stranger:?}");
    let own = authority.vouch("checker", 90);
    let (certificates, key) = (own.pem.into_bytes(), own.key.serialize_pem().into_bytes());
    let identity = Some(ClientIdentity { certificates, key });
    assert_eq!(outcome(https(address, Tls { identity, ..Tls::default() })).await, found(200));
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_an_outcome_of_its_own() {
    let authority = Authority::new();
    let address = server(&authority.vouch("shop.example", 20), None);
    let within = |days: u32| https(address, Tls { expires_within: Some(DAY * days), ..Tls::default() });
    assert_eq!(outcome(within(19)).await, found(200));
    let soon = outcome(within(21)).await;
    assert_eq!(
        (soon.kind(), soon.cause().as_str()),
        (Kind::CertificateExpires, "the certificate expires within 20 days")
    );
}

#[tokio::test]
async fn settings_do_not_leak_from_check_to_check() {
    let authority = Authority::new();
    let address = server(&authority.vouch("shop.example", 90), None);
    let engine = engine();
    let roots = |pem| Tls {
        verification: Verification::Roots(pem),
        server_name: Some("shop.example".to_owned()),
        ..Tls::default()
    };
    let mut careless = watch(&engine, spec(https(address, Tls::default())));
    let mut right = watch(&engine, spec(https(address, roots(authority.pem()))));
    let mut wrong = watch(&engine, spec(https(address, roots(Authority::new().pem()))));
    for _ in 0..5 {
        assert_eq!(careless.next().await.outcome, found(200));
        assert_eq!(right.next().await.outcome, found(200));
        assert_eq!(wrong.next().await.outcome.kind(), Kind::Tls);
    }
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_an_invalid_check() {
    let address = "127.0.0.1:443".parse().unwrap();
    let verification = Verification::Roots(b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n".to_vec());
    let invalid = outcome(https(address, Tls { verification, ..Tls::default() })).await;
    assert!(invalid.cause().starts_with("invalid check: 'probe.tls.verification.roots' is no PEM"), "{invalid:?}");
}

/// More than rustls holds before hands are shaken, unless it is told otherwise.
const LARGE: usize = 100_000;

/// A server that only listens, for a while; everything it hears.
fn listener() -> (SocketAddr, std::sync::mpsc::Receiver<Vec<u8>>) {
    let (tell, heard) = std::sync::mpsc::channel();
    let address = serve(move |mut stream| {
        let mut all = Vec::new();
        let _reset_in_the_end = stream.read_to_end(&mut all);
        let _test_is_over = tell.send(all);
    });
    (address, heard)
}

#[tokio::test]
async fn nothing_that_belongs_into_tls_is_sent_before_hands_are_shaken() {
    for version in [HttpVersion::Http1, HttpVersion::Http2] {
        let (address, heard) = listener();
        let headers = vec![("Authorization".to_owned(), "Bearer secret".to_owned())];
        let probe = HttpProbe {
            scheme: Scheme::Https,
            version,
            method: "POST".to_owned(),
            headers,
            body: vec![b'~'; LARGE],
            ..http(address)
        };
        let outcome = outcome_within(ms(300), Probe::Http(probe)).await;
        assert_eq!(outcome.kind(), Kind::Timeout, "{outcome:?}");
        let heard = heard.recv().unwrap();
        assert!(heard.starts_with(&[0x16, 0x03]), "a handshake begins");
        assert!(!heard.windows(6).any(|window| window == b"secret" || window == b"~~~~~~"), "{} bytes", heard.len());
    }
}

#[tokio::test]
async fn a_request_of_any_size_arrives_inside_tls() {
    let authority = Authority::new();
    let config = config(&authority.vouch("shop.example", 90), None);
    let address = serve(move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        let (mut missing, mut buffer) = (LARGE, [0; 16 * 1024]);
        while missing > 0 {
            let length = stream.read(&mut buffer).unwrap();
            missing -= buffer[..length].iter().filter(|byte| **byte == b'~').count();
        }
        let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes()).and_then(|()| stream.flush());
    });
    let probe =
        HttpProbe { scheme: Scheme::Https, method: "POST".to_owned(), body: vec![b'~'; LARGE], ..http(address) };
    assert_eq!(outcome(Probe::Http(probe)).await, found(200));
}
