//! Certificates for servers and clients. Made once for all rows; files below a directory of its own.
//!
//! Servers have `trusted` (of the authority, for localhost and 127.0.0.1), `self-signed`, `expired` and `other-name`
//! (for shop.example only). `mutual` is `trusted` and asks clients for a certificate of the authority. In checks,
//! `{ca}`, `{cert}` and `{key}` are files: the authority's certificate, and a client's.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;

/// All there are.
pub(crate) struct Certificates {
    directory: TempDir,
    servers: HashMap<&'static str, Arc<ServerConfig>>,
}

impl Certificates {
    pub(crate) fn make() -> Certificates {
        let directory = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let write = |name: &str, text: String| fs::write(directory.path().join(name), text).unwrap();
        write("ca", authority.pem());
        let client_key = KeyPair::generate().unwrap();
        write("cert", params_of(&["client"]).signed_by(&client_key, &authority).unwrap().pem());
        write("key", client_key.serialize_pem());
        let servers = servers(&authority);
        Certificates { directory, servers }
    }

    /// The configuration of a server with that certificate.
    pub(crate) fn server(&self, name: &str) -> Arc<ServerConfig> {
        Arc::clone(self.servers.get(name).unwrap_or_else(|| panic!("there is no certificate '{name}'")))
    }

    /// Puts the paths of the files into arguments.
    pub(crate) fn fill(&self, arguments: &str) -> String {
        let path = |name: &str| self.directory.path().join(name).display().to_string();
        ["ca", "cert", "key"]
            .iter()
            .fold(arguments.to_owned(), |text, name| text.replace(&format!("{{{name}}}"), &path(name)))
    }
}

fn servers(authority: &CertifiedIssuer<'_, KeyPair>) -> HashMap<&'static str, Arc<ServerConfig>> {
    let own = ["localhost", "127.0.0.1"];
    let mut expired = params_of(&own);
    expired.not_after = date_time_ymd(2020, 1, 1);
    let signed = |params: CertificateParams| {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, authority).unwrap().der().clone(), key)
    };
    let alone = KeyPair::generate().unwrap();
    let self_signed = (params_of(&own).self_signed(&alone).unwrap().der().clone(), alone);
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    HashMap::from([
        ("trusted", config(signed(params_of(&own)), None)),
        ("expired", config(signed(expired), None)),
        ("other-name", config(signed(params_of(&["shop.example"])), None)),
        ("self-signed", config(self_signed, None)),
        ("mutual", config(signed(params_of(&own)), Some(roots))),
    ])
}

fn params_of(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

fn config(certified: (CertificateDer<'static>, KeyPair), clients: Option<RootCertStore>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = match clients {
        None => builder.unwrap().with_no_client_auth(),
        Some(roots) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.unwrap().with_client_cert_verifier(verifier.unwrap())
        }
    };
    let (certificate, key) = certified;
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}
