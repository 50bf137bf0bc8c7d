//! A registry of one image that lets nobody in but by a token, which it gives to who knows the password: Docker Hub in small.
//!
//! In: requests of one connection each. Out: the image. Owns a thread that accepts, and ends with it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::net::{Shutdown, shutdown};

use crate::images::{Image, MANIFEST, digest};
use crate::registry::{PASSWORD, USER};

/// The token.
const TOKEN: &str = "Bearer open";

/// The registry; it ends when this is dropped.
#[derive(Debug)]
pub struct TokenRegistry {
    listener: TcpListener,
    thread: Option<JoinHandle<()>>,
    /// The place where it listens, also the first part of the names of its images.
    pub address: SocketAddr,
}

/// Bodies and their types, by their paths.
type Documents = BTreeMap<String, (&'static str, Vec<u8>)>;

impl TokenRegistry {
    /// A registry of this image, by its repository and tag.
    pub fn start(repository: &str, tag: &str, image: &Image) -> TokenRegistry {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let blobs =
            image.blobs().map(|blob| (format!("blobs/{}", digest(blob)), ("application/octet-stream", blob.clone())));
        let manifest = (format!("manifests/{tag}"), (MANIFEST, image.manifest()));
        let documents = blobs.chain([manifest]).map(|(path, document)| (format!("/v2/{repository}/{path}"), document));
        let (accepting, documents) = (listener.try_clone().expect("a second handle"), documents.collect());
        let thread = thread::spawn(move || {
            while let Ok((connection, _)) = accepting.accept() {
                // Who leaves early asks again, or has failed already.
                let _left = serve(&connection, address, &documents);
            }
        });
        TokenRegistry { listener, thread: Some(thread), address }
    }
}

impl Drop for TokenRegistry {
    fn drop(&mut self) {
        let _accepts_no_more = shutdown(&self.listener, Shutdown::Both);
        let _panicked = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(mut connection: &TcpStream, address: SocketAddr, documents: &Documents) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut proof = String::new();
    for line in lines {
        let line = line?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => value.clone_into(&mut proof),
            Some(_) => {}
            None => break,
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, header, body) = answer(path, &proof, address, documents);
    let length = body.len();
    connection.write_all(
        format!("HTTP/1.1 {status}\r\n{header}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n").as_bytes(),
    )?;
    connection.write_all(&body)
}

fn answer(path: &str, proof: &str, address: SocketAddr, documents: &Documents) -> (&'static str, String, Vec<u8>) {
    let json = "content-type: application/json".to_owned();
    let refused =
        |header| ("401 Unauthorized", header, br#"{"errors": [{"message": "authentication required"}]}"#.to_vec());
    let password = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    match documents.get(path) {
        _ if path.starts_with("/token?") && proof == password => ("200 OK", json, br#"{"token": "open"}"#.to_vec()),
        _ if path.starts_with("/token?") => refused(json),
        _ if proof != TOKEN => {
            refused(format!(r#"www-authenticate: Bearer realm="http://{address}/token",service="here""#))
        }
        Some((kind, body)) => ("200 OK", format!("content-type: {kind}"), body.clone()),
        None => ("404 Not Found", json, br#"{"errors": [{"message": "manifest unknown"}]}"#.to_vec()),
    }
}
