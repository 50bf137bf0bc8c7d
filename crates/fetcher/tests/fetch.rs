//! From files and servers into sandboxes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use fetcher::{FetchError, Fetcher, Item, Want};
use mesos::v1::command_info::Uri;
use tempfile::TempDir;
use tokio::net::TcpListener;

struct Place {
    directory: TempDir,
    fetcher: Fetcher,
}

impl Place {
    fn new(capacity: u64) -> Place {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("source")).unwrap();
        let fetcher = Fetcher::new(&directory.path().join("cache"), capacity);
        Place { directory, fetcher }
    }

    fn source(&self, name: &str) -> PathBuf {
        self.directory.path().join("source").join(name)
    }

    async fn fetch(&self, sandbox: &str, uris: &[Uri]) -> Result<PathBuf, FetchError> {
        let sandbox = self.directory.path().join(sandbox);
        fs::create_dir_all(&sandbox).unwrap();
        let items = uris.iter().map(Item::of).collect::<Result<_, _>>()?;
        self.fetcher.fetch(Want { items, sandbox: sandbox.clone(), user: None }).await?;
        Ok(sandbox)
    }

    /// An archive of one file `inner/file`, made by the program that makes such archives, if there is one.
    fn archive(&self, name: &str, program: &str, arguments: &[&str]) -> Option<Uri> {
        fs::create_dir_all(self.source("inner")).unwrap();
        fs::write(self.source("inner/file"), "from an archive\n").unwrap();
        let made = Command::new(program).args(arguments).current_dir(self.source("")).output();
        let made = made.is_ok_and(|made| made.status.success()) && self.source(name).exists();
        made.then(|| uri(&self.source(name).display().to_string()))
    }
}

fn uri(value: &str) -> Uri {
    Uri { value: value.to_owned(), ..Uri::default() }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Serves `/file` and what leads to it, and counts how often the file was asked for.
async fn server() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let file = |State(asked): State<Arc<AtomicUsize>>| async move {
        asked.fetch_add(1, Ordering::SeqCst);
        "over HTTP\n"
    };
    let router = Router::new()
        .route("/file", get(file))
        .route("/moved", get(|| async { Redirect::temporary("/file") }))
        .route("/deep/up", get(|| async { Redirect::temporary("../file?x#part") }))
        .route("/port", get(|| async { Redirect::temporary("http://127.0.0.1:99999/") }))
        .route("/round", get(|| async { Redirect::temporary("/round") }))
        .route("/teapot", get(|| async { StatusCode::IM_A_TEAPOT }))
        .with_state(asked.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (format!("http://{address}"), asked)
}

#[tokio::test]
async fn files_are_copied_with_their_mode_and_made_executable_when_asked() {
    let place = Place::new(0);
    fs::write(place.source("tool"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(place.source("tool"), fs::Permissions::from_mode(0o640)).unwrap();
    let path = place.source("tool").display().to_string();
    let program = Uri { executable: Some(true), output_file: Some("bin/run".to_owned()), ..uri(&path) };
    let sandbox = place.fetch("sandbox", &[uri(&format!("file://{path}")), program]).await.unwrap();
    let mode = |name: &str| fs::metadata(sandbox.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("tool"), mode("bin/run")), (0o640, 0o751));
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let place = Place::new(0);
    let missing = place.fetch("sandbox", &[uri("/nowhere/at/all")]).await.unwrap_err().to_string();
    assert!(missing.starts_with("Failed to fetch '/nowhere/at/all': No such file"), "{missing}");
    assert_eq!(place.fetcher.statistics().await.failed, 1);
}

#[tokio::test]
async fn downloads_follow_redirects_and_name_what_the_server_said() {
    let place = Place::new(0);
    let (server, _) = server().await;
    let fetch = async |path: &str| place.fetch("sandbox", &[uri(&format!("{server}{path}"))]).await;
    let sandbox = fetch("/moved").await.unwrap();
    assert_eq!(read(&sandbox.join("moved")), "over HTTP\n");
    assert_eq!(read(&fetch("/deep/up").await.unwrap().join("up")), "over HTTP\n");
    let port = fetch("/port").await.unwrap_err().to_string();
    assert!(port.ends_with("a redirect to nowhere: there is no port 99999; ports are 1 to 65535"), "{port}");
    let teapot = fetch("/teapot").await.unwrap_err().to_string();
    assert!(teapot.ends_with("Unexpected HTTP response code: 418"), "{teapot}");
    let round = fetch("/round").await.unwrap_err().to_string();
    assert!(round.contains("redirects"), "{round}");
    let closed = place.fetch("sandbox", &[uri("http://127.0.0.1:1/x")]).await.unwrap_err().to_string();
    assert!(closed.contains("cannot connect to 127.0.0.1:1"), "{closed}");
}

#[tokio::test]
async fn every_archive_mesos_unpacks_is_unpacked() {
    let place = Place::new(0);
    let archives = [
        ("a.tar", "tar", &["-cf", "a.tar", "inner"][..]),
        ("a.tar.gz", "tar", &["-czf", "a.tar.gz", "inner"]),
        ("a.tgz", "tar", &["-czf", "a.tgz", "inner"]),
        ("a.tar.bz2", "tar", &["-cjf", "a.tar.bz2", "inner"]),
        ("a.tbz2", "tar", &["-cjf", "a.tbz2", "inner"]),
        ("a.tar.xz", "tar", &["-cJf", "a.tar.xz", "inner"]),
        ("a.txz", "tar", &["-cJf", "a.txz", "inner"]),
        ("a.zip", "python3", &["-m", "zipfile", "-c", "a.zip", "inner"]),
    ];
    for (name, program, arguments) in archives {
        let Some(archive) = place.archive(name, program, arguments) else {
            eprintln!("SKIPPED every_archive_mesos_unpacks_is_unpacked: {program} cannot make {name} here");
            continue;
        };
        for cache in [false, true] {
            let archive = Uri { cache: Some(cache), ..archive.clone() };
            let sandbox = place.fetch(&format!("{name}-{cache}"), &[archive]).await.unwrap();
            assert_eq!(read(&sandbox.join("inner/file")), "from an archive\n", "{name}");
            assert_eq!(sandbox.join(name).exists(), !cache, "only without the cache the archive is kept");
        }
        let whole = Uri { extract: Some(false), ..archive };
        let sandbox = place.fetch(&format!("{name}-whole"), &[whole]).await.unwrap();
        assert!(sandbox.join(name).exists() && !sandbox.join("inner").exists());
    }
    let Some(gzip) = place.archive("file.gz", "sh", &["-c", "gzip -c inner/file > file.gz"]) else { return };
    let sandbox = place.fetch("gzip", &[gzip]).await.unwrap();
    assert_eq!(read(&sandbox.join("file")), "from an archive\n");
}

#[tokio::test]
async fn a_broken_archive_is_said_to_be_broken_and_nothing_leaves_the_sandbox() {
    let place = Place::new(0);
    fs::write(place.source("bad.tgz"), "this is no archive").unwrap();
    let path = place.source("bad.tgz").display().to_string();
    let bad = place.fetch("sandbox", &[uri(&path)]).await.unwrap_err().to_string();
    assert!(bad.contains("bad.tgz") && bad.contains("cannot extract it: tar exited with status"), "{bad}");
    let make = "import tarfile, io\nt = tarfile.open('up.tar', 'w')\ni = tarfile.TarInfo('../outside')\ni.size = 1\n\
                t.addfile(i, io.BytesIO(b'x'))\nt.close()";
    if place.archive("up.tar", "python3", &["-c", make]).is_none() {
        return eprintln!("SKIPPED a_broken_archive_..._leaves_the_sandbox: there is no python3 here");
    }
    let path = place.source("up.tar").display().to_string();
    let _whatever_tar_thinks_of_it = place.fetch("sandbox", &[uri(&path)]).await;
    assert!(!place.directory.path().join("outside").exists());
}

#[tokio::test]
async fn what_is_cached_is_fetched_once_for_all() {
    let place = Place::new(1000);
    let (server, asked) = server().await;
    let cached = Uri { cache: Some(true), ..uri(&format!("{server}/file")) };
    let wants = ["a", "b", "c", "d"].map(|sandbox| place.fetch(sandbox, std::slice::from_ref(&cached)));
    let [a, b, c, d] = wants;
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    for sandbox in [a, b, c, d] {
        assert_eq!(read(&sandbox.unwrap().join("file")), "over HTTP\n");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(place.fetcher.statistics().await.cache_used, 10);
}

#[tokio::test]
async fn the_cache_is_bounded() {
    let place = Place::new(15);
    for name in ["x", "y", "z"] {
        fs::write(place.source(name), "0123456789").unwrap();
        let cached = Uri { cache: Some(true), ..uri(&place.source(name).display().to_string()) };
        let sandbox = place.fetch(name, &[cached]).await.unwrap();
        assert_eq!(read(&sandbox.join(name)), "0123456789");
    }
    assert_eq!(place.fetcher.statistics().await.cache_used, 10);
    assert_eq!(fs::read_dir(place.directory.path().join("cache")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_certificate_nobody_trusts_is_not_trusted() {
    use rustls::pki_types::PrivatePkcs8KeyDer;
    let place = Place::new(0);
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move { acceptor.accept(listener.accept().await.unwrap().0).await.map(drop) });
    let refused = place.fetch("sandbox", &[uri(&format!("https://localhost:{port}/file"))]).await.unwrap_err();
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
}

/// Of `over HTTP\n`, which the server serves.
const SHA256: &str = "sha256:f5a83efc5bc710cd20978d8e96949d8a67d0b8146f71eaf49098b161517d33f5";
const SHA512: &str = "sha512:b21ee054869c4cfd5a9ca6d718013e21852485cc222d907e7ff9be6b6db049571dccda9149cc4e238b4ec73d1903acea5a47bb7da59bc498178c986454e3dd97";

fn sure(value: &str, checksum: &str) -> Uri {
    Uri { checksum: Some(checksum.to_owned()), ..uri(value) }
}

#[tokio::test]
async fn what_adds_up_to_its_checksum_is_taken() {
    let (server, _) = server().await;
    let place = Place::new(1 << 20);
    let file = format!("{server}/file");
    for checksum in [SHA256, SHA512, &SHA256.to_ascii_uppercase().replace("SHA", "sha")] {
        let sandbox = place.fetch("box", &[sure(&file, checksum)]).await.unwrap();
        assert_eq!(read(&sandbox.join("file")), "over HTTP\n");
    }
}

#[tokio::test]
async fn what_does_not_is_refused_and_does_not_stay() {
    let (server, _) = server().await;
    let place = Place::new(1 << 20);
    fs::write(place.source("file"), "something else\n").unwrap();
    for value in [format!("{server}/file"), place.source("file").display().to_string()] {
        for cache in [false, true] {
            let wrong = Uri { cache: Some(cache), ..sure(&value, &format!("sha256:{}", "0".repeat(64))) };
            let error = place.fetch("box", &[wrong]).await.unwrap_err().to_string();
            assert!(error.contains("its checksum is sha256:") && error.contains("was asked for"), "{error}");
            assert!(error.contains("correct 'checksum'"), "what to do: {error}");
            assert!(!place.directory.path().join("box/file").exists(), "{value}");
        }
    }
    let directory = sure(place.source("").display().to_string().trim_end_matches('/'), SHA256);
    let error = place.fetch("box", &[directory]).await.unwrap_err().to_string();
    assert!(error.contains("a directory has no checksum"), "{error}");
}

#[tokio::test]
async fn a_new_version_at_the_old_address_is_not_served_from_the_cache() {
    let place = Place::new(1 << 20);
    let path = place.source("tool").display().to_string();
    fs::write(&path, "old\n").unwrap();
    let old = Uri { cache: Some(true), ..uri(&path) };
    place.fetch("one", std::slice::from_ref(&old)).await.unwrap();
    fs::write(&path, "over HTTP\n").unwrap();
    let sandbox = place.fetch("two", &[Uri { checksum: Some(SHA256.to_owned()), ..old }]).await.unwrap();
    assert_eq!(read(&sandbox.join("tool")), "over HTTP\n");
}

#[tokio::test]
async fn a_copy_in_the_cache_is_verified_whenever_it_is_used() {
    let (server, asked) = server().await;
    let place = Place::new(1 << 20);
    let cached = Uri { cache: Some(true), ..sure(&format!("{server}/file"), SHA512) };
    place.fetch("one", std::slice::from_ref(&cached)).await.unwrap();
    place.fetch("two", std::slice::from_ref(&cached)).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1, "from the cache");
    for copy in fs::read_dir(place.directory.path().join("cache")).unwrap() {
        fs::write(copy.unwrap().path(), "spoilt").unwrap();
    }
    let sandbox = place.fetch("three", &[cached]).await.unwrap();
    assert_eq!((read(&sandbox.join("file")).as_str(), asked.load(Ordering::SeqCst)), ("over HTTP\n", 2));
}

#[tokio::test]
async fn a_download_has_a_bound_and_its_error_names_it() {
    let (server, _) = server().await;
    let place = Place::new(1 << 20);
    let place = Place { fetcher: place.fetcher.with_bound(9), ..place };
    for cache in [false, true] {
        let large = Uri { cache: Some(cache), ..uri(&format!("{server}/file")) };
        let error = place.fetch("box", &[large]).await.unwrap_err().to_string();
        assert!(error.contains("more than 9 bytes") && error.contains("--fetcher-download-megabytes"), "{error}");
    }
}

#[tokio::test]
async fn files_of_this_machine_have_the_same_bound_and_a_directory_has_it_as_a_whole() {
    let place = Place::new(1 << 20);
    let place = Place { fetcher: place.fetcher.with_bound(9), ..place };
    fs::create_dir(place.source("tree")).unwrap();
    for half in ["tree/one", "tree/two", "half"] {
        fs::write(place.source(half), "12345").unwrap();
    }
    fs::write(place.source("large"), "1234567890").unwrap();
    let local = |name: &str, cache| Uri { cache: Some(cache), ..uri(&place.source(name).display().to_string()) };
    for (name, cache) in [("large", false), ("large", true), ("tree", false)] {
        let error = place.fetch("box", &[local(name, cache)]).await.unwrap_err().to_string();
        assert!(error.contains("more than 9 bytes"), "{error}");
    }
    place.fetch("box", &[local("half", false), local("half", true)]).await.unwrap();
}
