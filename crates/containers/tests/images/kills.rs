//! Kills at any moment: of the process that has the store, and of the child that unpacks.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use containers::store::{Store, StoreError, Want};
use containers::unpack::UnpackError;
use harness::archive::Archive;
use harness::patience::PATIENCE;
use harness::process::signal;
use harness::wait::until;
use rustix::process::Signal;

use crate::world::{BOUNDS, World, bring, bring_as, config, list, reference, unfinished, unpack};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("a_store_that_is_killed_anywhere_is_whole_again", a_store_that_is_killed_anywhere_is_whole_again),
    ("a_child_that_is_killed_leaves_nothing", a_child_that_is_killed_leaves_nothing),
];

const FILES: usize = 40;

fn layer(number: usize) -> Archive {
    let content = "content ".repeat(500);
    let add = |archive: Archive, file: usize| archive.file(&format!("{number}/{file}"), &content);
    (0..FILES).fold(Archive::new(), add)
}

/// The process that is killed: brings images, leases them, collects them, for ever.
pub(crate) fn work(arguments: &[String]) -> ExitCode {
    let store = Store::open(Path::new(&arguments[0]), unpack(), BOUNDS).unwrap();
    println!("ready");
    for round in 0.. {
        let number = round % 3;
        let name = format!("app:{number}");
        let layers = [layer(number), layer(3)];
        let config = config(&layers.clone().map(Archive::tar));
        bring_as(&store, &name, &config, &layers.map(Archive::gzip)).unwrap();
        store.lease(&format!("container {number}"), &reference(&name)).unwrap().unwrap();
        if round % 2 == 0 {
            store.release(&format!("container {}", (number + 1) % 3)).unwrap();
        }
        store.collect(Want::Everything, &[]).unwrap();
    }
    ExitCode::SUCCESS
}

/// Starts the process that is killed.
pub(crate) fn start(root: &Path) -> Child {
    use std::io::{BufRead, BufReader};
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program).arg("work").arg(root).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    child
}

fn a_store_that_is_killed_anywhere_is_whole_again() {
    let world = World::new();
    let mut random = fastrand::Rng::with_seed(3);
    for round in 0..30 {
        let mut child = start(&world.root());
        // The moment is the point: every one is as good.
        #[expect(clippy::disallowed_methods, reason = "kills at random times")]
        std::thread::sleep(Duration::from_millis(random.u64(0..120)));
        child.kill().unwrap();
        child.wait().unwrap();
        let leased = leases(&world.root());
        let store = world.store();
        assert!(world.unfinished().is_empty(), "round {round}: {:?}", world.unfinished());
        check(&world, &store);
        // A lease that is on disk has its image.
        for container in store.leases().unwrap() {
            let number = container.rsplit(' ').next().unwrap();
            assert!(store.image(&reference(&format!("app:{number}"))).unwrap().is_some(), "round {round}: {container}");
        }
        assert_eq!(leases(&world.root()), leased, "round {round}: a sweep ends no lease");
    }
    let store = world.store();
    store.release_all_but(&BTreeSet::new()).unwrap();
    store.collect(Want::Everything, &[]).unwrap();
    for directory in ["images", "configs", "layers", "leases", "staging/pulls"] {
        assert!(list(&world.root().join(directory)).is_empty(), "{directory}");
    }
}

fn leases(root: &Path) -> BTreeSet<std::path::PathBuf> {
    match root.join("leases").is_dir() {
        true => list(&root.join("leases")).into_iter().filter(|path| path.extension().is_none()).collect(),
        false => BTreeSet::new(),
    }
}

/// Each layer is whole, and each name means a whole image.
fn check(world: &World, store: &Store) {
    for layer in list(&world.root().join("layers")) {
        let directories = list(&layer.join("rootfs"));
        assert_eq!(directories.len(), 1, "{}", layer.display());
        assert_eq!(list(&directories[0]).len(), FILES, "{}", layer.display());
        let sizes = list(&directories[0]).into_iter().map(|file| fs::metadata(file).unwrap().len());
        assert!(sizes.into_iter().all(|size| size == 4000), "{}", layer.display());
        assert!(layer.join("layer.json").is_file() && !layer.join("archive").exists());
    }
    for number in 0..3 {
        let _all_or_nothing = store.image(&reference(&format!("app:{number}"))).unwrap();
    }
}

fn a_child_that_is_killed_leaves_nothing() {
    let world = World::new();
    let pid = world.directory.path().join("store.pid");
    // The child waits in the middle of its work: its archive is a pipe that nobody writes to any more.
    let script = format!("echo $$ > {0}.new; mv {0}.new {0}; exec \"$0\" \"$@\" < {0}.pipe", pid.display());
    let pipe = format!("{}.pipe", pid.display());
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let command = ["/bin/sh".to_owned(), "-c".to_owned(), script].into_iter().chain(unpack()).collect();
    let store = Store::open(&world.root(), command, BOUNDS).unwrap();
    let archive = Archive::new().file("first", "x").file("second", "y").tar();
    std::thread::scope(|scope| {
        let bringing = scope.spawn(|| bring(&store, "app", std::slice::from_ref(&archive)));
        let mut writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        std::io::Write::write_all(&mut writer, &archive[..1536]).unwrap();
        let first = || {
            list(&world.root().join("staging")).iter().any(|layer| layer.join("rootfs/first").is_file()).then_some(())
        };
        until("the first file is there", PATIENCE, first);
        let child = fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
        signal(child, Signal::KILL);
        let error = bringing.join().unwrap().unwrap_err();
        assert!(matches!(error, StoreError::Unpack { source: UnpackError::Killed, .. }), "{error}");
    });
    assert!(unfinished(&world.root()).is_empty(), "{:?}", world.unfinished());
    drop(store);
    bring(&world.store(), "app", &[Archive::new().file("a", "").tar()]).unwrap();
}
