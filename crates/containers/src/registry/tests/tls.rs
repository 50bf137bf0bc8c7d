//! Registries that speak TLS, and those that should.

use std::sync::Arc;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

struct Secure {
    address: String,
    /// The way of those who trust its certificate.
    trusted: Arc<ClientConfig>,
}

/// Answers everything in the same way, over TLS.
async fn secure(answer: &'static [u8]) -> Secure {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let server = server.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let trusted = Arc::new(client.with_root_certificates(roots).with_no_client_auth());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let acceptor = TlsAcceptor::from(Arc::new(server));
    tokio::spawn(async move {
        loop {
            let stream = acceptor.accept(listener.accept().await.unwrap().0).await;
            if let Ok(mut stream) = stream {
                let _it_may_have_left = stream.write_all(answer).await;
            }
        }
    });
    Secure { address, trusted }
}

/// The words of a pull over TLS, which nothing on this machine has by itself.
async fn failed(address: &str, trusted: Option<Arc<ClientConfig>>) -> String {
    let image = format!("{address}/a").parse().unwrap();
    let wire = Wire { stall: PATIENCE, document: PATIENCE, trusted };
    let terms = Terms { wire, here: Platform::here(), most_bytes: 0, pace: once().pace };
    let repository = Repository::new(&image, &format!("https://{address}"), None, terms, Meter::new().0);
    repository.unwrap().describe().await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_registry_is_trusted_if_this_machine_knows_who_signed_for_it() {
    let registry = secure(b"HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n").await;
    let error = failed(&registry.address, Some(registry.trusted)).await;
    assert!(error.contains("there is no such image"), "{error}");
    let error = failed(&registry.address, None).await;
    let expected =
        format!("no safe connection to {}: invalid peer certificate: UnknownIssuer; add the", registry.address);
    assert!(error.contains(&expected), "{error}");
}

#[tokio::test]
async fn a_registry_without_tls_is_not_spoken_to_as_if_it_had() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await
    });
    let error = failed(&address, None).await;
    assert!(error.contains(&format!("no safe connection to {address}")), "{error}");
    assert!(error.contains("'insecure_registry' if it speaks plain HTTP"), "{error}");
}

#[tokio::test]
async fn from_tls_nothing_leads_to_plain_http() {
    let registry = secure(b"HTTP/1.1 302 X\r\nlocation: http://localhost:1/\r\ncontent-length: 0\r\n\r\n").await;
    let error = failed(&registry.address, Some(registry.trusted)).await;
    assert!(error.contains("it sends us to 'http://localhost:1/', which is less safe than where we are"), "{error}");
}
