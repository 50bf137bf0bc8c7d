//! The store from outside: order, atomicity, durability, exclusiveness.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;
use store::{Batch, IfLost, Store, StoreError};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.redb");
    runtime().block_on(async {
        let store = Store::open(&path, IfLost::BeginAnew).unwrap();
        store.commit(Batch::default().put("app/web", "1").put("app/db", "2").put("apple", "3")).await.unwrap();
        store.commit(Batch::default().delete("app/db")).await.unwrap();
    });
    let reopened = reopen(&path);
    runtime().block_on(async {
        assert_eq!(reopened.get("app/web").await.unwrap(), Some(b"1".to_vec()));
        assert_eq!(reopened.get("app/db").await.unwrap(), None);
        assert_eq!(reopened.list("app/").await.unwrap(), vec![("app/web".to_owned(), b"1".to_vec())]);
    });
}

fn reopen(path: &Path) -> Store {
    try_open(path).unwrap()
}

/// The file is freed by the store's thread, a moment after the last handle is gone.
fn try_open(path: &Path) -> Result<Store, StoreError> {
    for _ in 0..1_000_000 {
        match Store::open(path, IfLost::BeginAnew) {
            Err(StoreError::InUse { .. }) => std::thread::yield_now(),
            opened => return opened,
        }
    }
    panic!("the store was never freed");
}

#[test]
fn a_second_opener_is_told_which_file_is_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.redb");
    let _first = Store::open(&path, IfLost::BeginAnew).unwrap();
    let error = Store::open(&path, IfLost::BeginAnew).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("test.redb"));
}

#[test]
fn a_file_that_is_no_store_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.redb");
    std::fs::write(&path, "this is not a database at all, not even by accident").unwrap();
    assert!(matches!(Store::open(&path, IfLost::BeginAnew), Err(StoreError::Open { .. })));
}

#[test]
fn many_commits_at_once_all_arrive() {
    runtime().block_on(async {
        let store = Store::in_memory().unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..500 {
            let store = store.clone();
            tasks.spawn(async move { store.commit(Batch::default().put(format!("n/{number:04}"), "x")).await });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap().unwrap();
        }
        assert_eq!(store.list("n/").await.unwrap().len(), 500);
        assert_eq!(store.size_bytes().await.unwrap(), 500 * ("n/0000x".len() as u64));
    });
}

proptest! {
    #[test]
    fn behaves_as_an_ordered_map(steps in proptest::collection::vec(
        proptest::collection::vec(("[a-c]{1,3}", proptest::option::of("[x-z]{0,2}")), 1..4), 0..30)
    ) {
        runtime().block_on(async {
            let store = Store::in_memory().unwrap();
            let mut model = BTreeMap::new();
            for changes in steps {
                let mut batch = Batch::default();
                for (key, value) in changes {
                    batch = match &value {
                        Some(value) => batch.put(key.as_str(), value.as_bytes()),
                        None => batch.delete(key.as_str()),
                    };
                    match value { Some(value) => model.insert(key, value.into_bytes()), None => model.remove(&key) };
                }
                store.commit(batch).await.unwrap();
            }
            for prefix in ["", "a", "ab", "zz"] {
                let expected: Vec<_> = model.iter().filter(|(key, _)| key.starts_with(prefix))
                    .map(|(key, value)| (key.clone(), value.clone())).collect();
                assert_eq!(store.list(prefix).await.unwrap(), expected);
            }
        });
    }
}

#[test]
fn a_damaged_store_is_refused_by_name_or_whole() {
    let directory = tempfile::tempdir().unwrap();
    let (path, damaged) = (directory.path().join("test.redb"), directory.path().join("damaged.redb"));
    let value = vec![b'x'; 5000];
    runtime().block_on(async {
        let store = Store::open(&path, IfLost::BeginAnew).unwrap();
        for number in 0..50 {
            store.commit(Batch::default().put(format!("app/{number}"), value.clone())).await.unwrap();
        }
    });
    drop(reopen(&path));
    let free = reopen(&path);
    let whole = std::fs::read(&path).unwrap();
    drop(free);
    let cuts = [1, 9, 512, 4096, 8192, whole.len() / 2, whole.len() - 4096, whole.len() - 1];
    let holes = (0..whole.len()).step_by(whole.len() / 40).map(|at| {
        let mut bytes = whole.clone();
        bytes.iter_mut().skip(at).take(4096).for_each(|byte| *byte = 0);
        bytes
    });
    for bytes in cuts.into_iter().map(|length| whole[..length].to_vec()).chain(holes) {
        std::fs::write(&damaged, &bytes).unwrap();
        match try_open(&damaged) {
            Ok(store) => {
                let all = runtime().block_on(store.list("app/")).unwrap();
                assert!(all.len() == 50 && all.iter().all(|(_, kept)| *kept == value), "what is opened is whole");
            }
            Err(error) => assert!(error.to_string().contains("damaged.redb"), "{error}"),
        }
    }
}

#[test]
fn only_the_owner_may_read_a_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.redb");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _store = Store::open(&path, IfLost::BeginAnew).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

fn commit(store: &Store, key: &str) {
    runtime().block_on(store.commit(Batch::default().put(key, "1"))).unwrap();
}

#[test]
fn a_store_that_is_gone_or_empty_although_there_was_one_is_refused_by_name_where_nobody_else_knows_what_it_knew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.redb");
    commit(&Store::open(&path, IfLost::Refuse).unwrap(), "app/web");
    drop(reopen(&path));
    let damages: [fn(&Path); 2] =
        [|path| std::fs::write(path, "").unwrap(), |path| std::fs::remove_file(path).unwrap()];
    for damage in damages {
        drop(reopen(&path));
        let _free = reopen(&path);
        damage(&path);
        let error = Store::open(&path, IfLost::Refuse).unwrap_err();
        assert!(matches!(error, StoreError::Lost { .. }), "{error}");
        assert!(error.to_string().contains("test.redb.seen"), "{error}");
    }
    std::fs::remove_file(directory.path().join("test.redb.seen")).unwrap();
    Store::open(&path, IfLost::Refuse).unwrap();
}
