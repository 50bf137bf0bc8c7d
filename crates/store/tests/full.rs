//! A store on a disk that is full, and then is not.

use std::path::{Path, PathBuf};
use std::process::Command;

use store::{Batch, IfLost, Store, StoreError};

/// A disk of a mebibyte, while this lives.
struct SmallDisk {
    directory: tempfile::TempDir,
}

impl SmallDisk {
    /// None where nothing may be mounted.
    fn mount() -> Option<SmallDisk> {
        let directory = tempfile::tempdir().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(directory.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(SmallDisk { directory })
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    fn fill(&self) {
        let filled = std::fs::write(self.ballast(), vec![0; 2 << 20]);
        assert!(filled.is_err(), "it is a small disk");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_costs_commits_and_nothing_else() {
    let Some(disk) = SmallDisk::mount() else {
        println!("SKIPPED a_full_disk_costs_commits_and_nothing_else: nothing may be mounted here");
        return;
    };
    let store = Store::open(disk.path().join("test.redb"), IfLost::BeginAnew).unwrap();
    store.commit(Batch::default().put("before", "1")).await.unwrap();
    disk.fill();
    let large = || Batch::default().put("large", vec![7; 300_000]).put("small", "2");
    for _ in 0..3 {
        let refused = store.commit(large()).await;
        assert!(matches!(refused, Err(StoreError::Io { .. } | StoreError::Open { .. })), "{refused:?}");
        assert_eq!(store.get("before").await.unwrap(), Some(b"1".to_vec()), "what was there can be read");
        assert_eq!(store.get("small").await.unwrap(), None, "nothing of the batch is there");
    }
    let given_up = store.commit_patiently(large(), std::future::ready(())).await;
    assert!(given_up.is_err(), "it was to give up at once");
    let clear = async { std::fs::remove_file(disk.ballast()).unwrap() };
    let (committed, ()) = tokio::join!(store.commit_patiently(large(), std::future::pending()), clear);
    committed.unwrap();
    assert_eq!(store.get("small").await.unwrap(), Some(b"2".to_vec()));
    assert_eq!(store.list("").await.unwrap().len(), 3);
}
