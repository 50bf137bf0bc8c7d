//! Certificates that are believed because they were given themselves, and the words for those that are not.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::SystemTime;

use checks::spec::{Probe, Tls, Verification};
use checks::{Kind, Outcome};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use crate::server::{answer, serve, status};
use crate::support::{found, now, outcome};
use crate::tls::{Authority, DAY, Vouched, https, server};

/// A certificate that signs itself. With openssl's defaults it says that it is an authority's.
fn self_signed(is_ca: IsCa, until: SystemTime) -> Vouched {
    let mut parameters = CertificateParams::new(["shop.example".to_owned()]).unwrap();
    (parameters.not_before, parameters.not_after) = ((now() - 9 * DAY).into(), until.into());
    parameters.is_ca = is_ca;
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    Vouched { pem: certificate.pem(), certificate: certificate.der().clone(), key }
}

fn by_openssl() -> Vouched {
    self_signed(IsCa::Ca(BasicConstraints::Unconstrained), now() + 9 * DAY)
}

fn asking(address: SocketAddr, verification: Verification, name: &str) -> Probe {
    https(address, Tls { verification, server_name: Some(name.to_owned()), ..Tls::default() })
}

/// The outcome at a server with the certificate `own` if `pem` is given.
async fn given(pem: &str, own: &Vouched, name: &str) -> Outcome {
    outcome(asking(server(own, None), Verification::Roots(pem.to_owned().into_bytes()), name)).await
}

#[tokio::test]
async fn a_certificate_that_is_given_itself_is_believed() {
    let authority = Authority::new();
    for own in [by_openssl(), self_signed(IsCa::NoCa, now() + 9 * DAY), authority.vouch("shop.example", 9)] {
        assert_eq!(given(&own.pem, &own, "shop.example").await, found(200));
        let misnamed = given(&own.pem, &own, "bank.example").await;
        assert!(misnamed.kind() == Kind::Tls && misnamed.cause().contains("not valid for name"), "{misnamed:?}");
    }
}

#[tokio::test]
async fn it_is_believed_only_while_it_is_valid() {
    let expired = self_signed(IsCa::Ca(BasicConstraints::Unconstrained), now() - DAY);
    let outcome = given(&expired.pem, &expired, "shop.example").await;
    assert!(outcome.kind() == Kind::Tls && outcome.cause().contains("certificate expired"), "{outcome:?}");
}

#[tokio::test]
async fn another_one_of_the_same_name_is_not_believed() {
    let (own, other) = (by_openssl(), by_openssl());
    let outcome = given(&other.pem, &own, "shop.example").await;
    let words = "TLS: the certificate is self-signed and not among those to trust: give it there itself (--ca, roots)";
    assert_eq!((outcome.kind(), outcome.cause().as_str()), (Kind::Tls, words));
}

#[tokio::test]
async fn who_is_not_believed_is_told_apart() {
    let authority = Authority::new();
    let system = |own: &Vouched| outcome(asking(server(own, None), Verification::SystemRoots, "shop.example"));
    for own in [by_openssl(), self_signed(IsCa::NoCa, now() + 9 * DAY)] {
        assert!(system(&own).await.cause().contains("the certificate is self-signed"));
    }
    let stranger = system(&authority.vouch("shop.example", 9)).await.cause();
    assert!(stranger.contains("by an authority that is not among those to trust"), "{stranger}");
}

/// Answers a greeting with this alert, fatal.
fn alert(number: u8) -> SocketAddr {
    serve(move |mut stream| {
        let _hello = stream.read(&mut [0; 4096]);
        let _peer_may_have_gone = stream.write_all(&[0x15, 3, 3, 0, 2, 2, number]);
    })
}

#[tokio::test]
async fn a_server_with_which_we_have_nothing_in_common_is_told_in_words() {
    for (address, words) in [
        (alert(40), "nothing in common (alert HandshakeFailure): RSA key exchange, for one, is not spoken here"),
        (alert(70), "the server speaks neither TLS 1.2 nor 1.3 (alert ProtocolVersion)"),
        (alert(116), "the server wants a certificate of ours (alert CertificateRequired)"),
        (alert(80), "the server broke off (alert InternalError)"),
        (answer(status("200 OK")), "the server does not speak TLS"),
    ] {
        let outcome = outcome(https(address, Tls::default())).await;
        assert!(outcome.kind() == Kind::Tls && outcome.cause().contains(words), "{outcome:?}");
    }
}
