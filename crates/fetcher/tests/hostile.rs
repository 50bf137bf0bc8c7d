//! Sandboxes and sources of tasks that mean ill, fetched for by root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use fetcher::{FetchError, Fetcher, Item, Want};
use mesos::v1::command_info::Uri;
use processes::Credentials;
use rustix::fs::{FileType, Mode};
use tempfile::TempDir;

/// Whom the tasks run as: a number nobody else has.
const USER: u32 = 54321;

/// The longest that anything here may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

struct Place {
    directory: TempDir,
    fetcher: Fetcher,
}

impl Place {
    /// Nothing, and a word about it, where this process may not become somebody else.
    fn new(test: &str) -> Option<Place> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED {test}: only root can become another user");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(directory.path().join("sandbox")).unwrap();
        chown(directory.path().join("sandbox"), Some(USER), Some(USER)).unwrap();
        let fetcher = Fetcher::new(&directory.path().join("cache"), 1 << 20);
        Some(Place { directory, fetcher })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    async fn fetch(&self, uris: &[Uri]) -> Result<(), FetchError> {
        let items = uris.iter().map(Item::of).collect::<Result<_, _>>()?;
        let user = Some(Credentials { uid: USER, gid: USER, groups: vec![USER] });
        self.fetcher.fetch(Want { items, sandbox: self.path("sandbox"), user }).await
    }
}

fn uri(path: &Path, name: &str) -> Uri {
    Uri { value: path.display().to_string(), output_file: Some(name.to_owned()), ..Uri::default() }
}

#[tokio::test]
async fn links_in_a_sandbox_lead_nobody_out_of_it() {
    let Some(place) = Place::new("links_in_a_sandbox_lead_nobody_out_of_it") else { return };
    fs::create_dir(place.path("outside")).unwrap();
    fs::set_permissions(place.path("outside"), Permissions::from_mode(0o777)).unwrap();
    fs::write(place.path("outside/precious"), "precious").unwrap();
    fs::write(place.path("source"), "bad").unwrap();
    symlink(place.path("outside"), place.path("sandbox/door")).unwrap();
    symlink(place.path("outside/precious"), place.path("sandbox/leaf")).unwrap();
    for cache in [false, true] {
        let through = |name: &str| Uri { cache: Some(cache), ..uri(&place.path("source"), name) };
        assert!(place.fetch(&[through("door/precious")]).await.is_err());
        assert!(place.fetch(&[through("door/new/file")]).await.is_err());
        place.fetch(&[through("leaf")]).await.unwrap();
        assert!(fs::symlink_metadata(place.path("sandbox/leaf")).unwrap().is_file(), "the link itself is replaced");
    }
    assert_eq!(fs::read_to_string(place.path("outside/precious")).unwrap(), "precious");
    assert_eq!(fs::read_dir(place.path("outside")).unwrap().count(), 1);
}

#[tokio::test]
async fn what_only_root_may_read_is_fetched_for_nobody_else() {
    let Some(place) = Place::new("what_only_root_may_read_is_fetched_for_nobody_else") else { return };
    fs::write(place.path("secret"), "secret").unwrap();
    fs::set_permissions(place.path("secret"), Permissions::from_mode(0o600)).unwrap();
    for cache in [false, true] {
        let secret = Uri { cache: Some(cache), ..uri(&place.path("secret"), "mine") };
        let refused = place.fetch(&[secret]).await.unwrap_err().to_string();
        assert!(refused.contains("Permission denied"), "{refused}");
        assert!(!place.path("sandbox/mine").exists());
    }
}

#[tokio::test]
async fn what_is_fetched_is_its_users_and_lends_nobody_rights() {
    let Some(place) = Place::new("what_is_fetched_is_its_users_and_lends_nobody_rights") else { return };
    let tool = place.path("tool");
    fs::write(&tool, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&tool, Permissions::from_mode(0o6755)).unwrap();
    let archive = place.path("a.tar");
    let tar = Command::new("tar").arg("-cf").arg(&archive).arg("-C").arg(place.directory.path()).arg("tool").status();
    if !tar.is_ok_and(|status| status.success()) {
        return eprintln!("SKIPPED what_is_fetched_is_its_users_and_lends_nobody_rights: there is no tar here");
    }
    for cache in [false, true] {
        let _nothing = fs::remove_file(place.path("sandbox/tool"));
        let copy = Uri { cache: Some(cache), ..uri(&tool, "bin/tool") };
        let packed = Uri { cache: Some(cache), ..uri(&archive, "a.tar") };
        place.fetch(&[copy, packed]).await.unwrap();
        for name in ["sandbox/bin/tool", "sandbox/tool"] {
            let found = fs::metadata(place.path(name)).unwrap();
            assert_eq!((found.uid(), found.gid(), found.mode() & 0o7777), (USER, USER, 0o755), "{name}");
        }
    }
    assert_eq!(fs::metadata(place.path("cache")).unwrap().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn what_never_ends_or_never_comes_is_no_file() {
    let Some(place) = Place::new("what_never_ends_or_never_comes_is_no_file") else { return };
    fs::create_dir(place.path("tree")).unwrap();
    for pipe in ["pipe", "tree/pipe"] {
        rustix::fs::mknodat(rustix::fs::CWD, place.path(pipe), FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
    }
    for source in [PathBuf::from("/dev/zero"), place.path("pipe"), place.path("tree")] {
        for cache in [false, true] {
            let endless = Uri { cache: Some(cache), ..uri(&source, "mine") };
            let refused = tokio::time::timeout(PATIENCE, place.fetch(&[endless])).await;
            let refused = refused.expect("nobody waits for it").unwrap_err().to_string();
            let named = if cache && source.is_dir() {
                "a directory cannot be cached"
            } else {
                "neither a file nor a directory"
            };
            assert!(refused.contains(named), "{refused}");
        }
    }
}
