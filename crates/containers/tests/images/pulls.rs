//! The store: pulls, leases, collection, damage.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use containers::image::{Digest, Reference};
use containers::store::{Claim, Store, StoreError, Want};
use containers::unpack::UnpackError;
use harness::archive::Archive;
use rustix::fs::{Mode, OFlags, mkdirat, openat};

use crate::world::{BOUNDS, World, bring, config, list, reference, unpack};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("an_image_that_is_brought_is_there_after_a_restart", an_image_that_is_brought_is_there_after_a_restart),
    ("a_layer_that_an_image_has_twice_is_mounted_once", a_layer_that_an_image_has_twice_is_mounted_once),
    ("an_overlay_of_the_layers_shows_what_the_image_means", an_overlay_of_the_layers_shows_what_the_image_means),
    ("a_layer_is_brought_once_however_many_wait", a_layer_is_brought_once_however_many_wait),
    ("what_is_not_what_was_announced_leaves_nothing", what_is_not_what_was_announced_leaves_nothing),
    ("a_pull_that_is_given_up_leaves_its_layers_to_the_next", a_pull_that_is_given_up_leaves_its_layers_to_the_next),
    ("collection_spares_what_containers_and_pulls_need", collection_spares_what_containers_and_pulls_need),
    ("a_name_that_moves_leaves_a_container_what_it_runs_from", a_name_that_moves_leaves_a_container_what_it_runs_from),
    ("leases_of_containers_that_are_gone_end", leases_of_containers_that_are_gone_end),
    ("collection_and_pulls_at_once_lose_nothing", collection_and_pulls_at_once_lose_nothing),
    ("damage_costs_a_pull_and_is_told", damage_costs_a_pull_and_is_told),
    ("a_lease_that_is_lost_or_damaged_is_made_anew", a_lease_that_is_lost_or_damaged_is_made_anew),
    ("a_layer_that_has_lost_its_files_is_brought_again", a_layer_that_has_lost_its_files_is_brought_again),
    ("a_layer_outlives_its_boot_once_it_is_settled", a_layer_outlives_its_boot_once_it_is_settled),
    ("a_store_is_opened_once", a_store_is_opened_once),
    ("a_full_disk_is_told_and_nothing_is_left", a_full_disk_is_told_and_nothing_is_left),
    ("the_deepest_tree_is_removed", the_deepest_tree_is_removed),
];

fn layer(content: &str) -> Vec<u8> {
    Archive::new().directory("bin/").file("bin/sh", content).tar()
}

fn an_image_that_is_brought_is_there_after_a_restart() {
    let world = World::new();
    let (base, own) = (layer("base"), layer("own"));
    let name = reference("app:1");
    {
        let store = world.store();
        assert_eq!(store.image(&name).unwrap(), None);
        bring(&store, "app:1", &[base.clone(), own]).unwrap();
    }
    let image = world.store().image(&name).unwrap().unwrap();
    assert_eq!((image.config.command, image.manifest), (vec!["/bin/sh".to_owned()], Digest::of(b"manifest")));
    let contents = image.layers.iter().map(|layer| fs::read_to_string(layer.join("bin/sh")).unwrap());
    assert_eq!(contents.collect::<Vec<_>>(), ["base", "own"]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&world.root()), mode(&image.layers[0])), (0o700, 0o755));
    assert!(world.unfinished().is_empty() && world.is_untouched());
    assert!(!world.root().join("layers").join(Digest::of(&base).hex()).join("archive").exists());
}

fn a_layer_that_an_image_has_twice_is_mounted_once() {
    let world = World::new();
    let store = world.store();
    bring(&store, "app", &["a", "b", "a", "c", "a"].map(layer)).unwrap();
    let image = store.image(&reference("app")).unwrap().unwrap();
    let contents = image.layers.iter().map(|layer| fs::read_to_string(layer.join("bin/sh")).unwrap());
    assert_eq!(contents.collect::<Vec<_>>(), ["b", "c", "a"]);
}

fn an_overlay_of_the_layers_shows_what_the_image_means() {
    let world = World::new();
    let store = world.store();
    let below = Archive::new().directory("d/").file("d/gone", "").file("d/stays", "below").directory("opaque/");
    let below = below.file("opaque/gone", "").file("gone", "").directory("made/").file("made/gone", "");
    let above = Archive::new().file("d/.wh.gone", "").directory("opaque/").file("opaque/.wh..wh..opq", "");
    let above = above.file("opaque/new", "above").file(".wh.gone", "").file(".wh.made", "").directory("made/");
    bring(&store, "app", &[below.tar(), above.file("made/new", "above").tar()]).unwrap();
    let layers = store.image(&reference("app")).unwrap().unwrap().layers;
    let options = format!("ro,lowerdir={}:{}", layers[1].display(), layers[0].display());
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root");
    let Some(_overlay) = Mount::of("overlay", &options, &root) else {
        return println!("SKIPPED an_overlay_of_the_layers_shows_what_the_image_means: no overlay can be mounted here");
    };
    for (name, content) in [("d/stays", "below"), ("opaque/new", "above"), ("made/new", "above")] {
        assert_eq!(fs::read_to_string(root.join(name)).unwrap(), content, "{name}");
    }
    let names = ["", "d", "opaque", "made"].map(|directory| list(&root.join(directory)).len());
    assert_eq!(names, [3, 1, 1, 1]);
}

fn a_layer_is_brought_once_however_many_wait() {
    let world = World::new();
    let log = world.directory.path().join("store.log");
    let script = format!("echo >> {}; exec \"$0\" \"$@\"", log.display());
    let command = ["/bin/sh".to_owned(), "-c".to_owned(), script].into_iter().chain(unpack()).collect();
    let store = Store::open(&world.root(), command, BOUNDS).unwrap();
    let layers: Vec<_> = ["a", "b"].map(layer).to_vec();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (store, layers) = (&store, &layers);
            scope.spawn(move || bring(store, &format!("app:{}", number % 3), layers).unwrap());
        }
    });
    assert_eq!(fs::read(&log).unwrap().len(), 2);
    assert!(world.unfinished().is_empty());
    assert!((0..3).all(|number| store.image(&reference(&format!("app:{number}"))).unwrap().is_some()));
}

fn what_is_not_what_was_announced_leaves_nothing() {
    let world = World::new();
    let store = world.store();
    let good = layer("good");
    let config = config(std::slice::from_ref(&good));
    let pull = store.pull(&reference("app"), Digest::of(b""), &config).unwrap();
    let claim = || match pull.claim(&pull.layers()[0]).unwrap() {
        Claim::Yours(layer) => layer,
        Claim::Here => panic!("nobody brought it"),
    };
    let other = layer("evil");
    for (comes, why) in [(&other[..], &Digest::of(&other).to_string()[..]), (&good[..600], "in the middle of an entry")]
    {
        let error = claim().unpack(&crate::world::file(comes), comes.len() as u64).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(&pull.layers()[0].to_string()), "{error}");
    }
    assert!(matches!(pull.finish(), Err(StoreError::Missing(missing)) if missing == Digest::of(&good)));
    drop(pull);
    assert!(world.unfinished().is_empty(), "{:?}", world.unfinished());
    assert!(list(&world.root().join("layers")).is_empty() && store.image(&reference("app")).unwrap().is_none());

    for wrong in [&b"{"[..], br#"{"rootfs": {"diff_ids": ["../../etc"]}}"#] {
        let error = store.pull(&reference("app"), Digest::of(b""), wrong).unwrap_err().to_string();
        assert!(error.contains("the image's configuration cannot be read"), "{error}");
    }
}

fn a_pull_that_is_given_up_leaves_its_layers_to_the_next() {
    let world = World::new();
    let store = world.store();
    let layers = ["a", "b"].map(layer).to_vec();
    let wrong = [layers[0].clone(), layers[1][1..].to_vec()];
    let config = config(&layers);
    let pull = store.pull(&reference("app"), Digest::of(b""), &config).unwrap();
    for (diff_id, bytes) in pull.layers().iter().zip(&wrong) {
        let Claim::Yours(layer) = pull.claim(diff_id).unwrap() else { panic!("it is not here") };
        let _second_fails = layer.unpack(&crate::world::file(bytes), bytes.len() as u64);
    }
    drop(pull);
    drop(store);
    let store = world.store();
    let pull = store.pull(&reference("app"), Digest::of(b""), &config).unwrap();
    let here = pull.layers().iter().map(|layer| matches!(pull.claim(layer).unwrap(), Claim::Here));
    assert_eq!(here.collect::<Vec<_>>(), [true, false]);
    drop(pull);
    let collected = store.collect(Want::Everything, &[]).unwrap();
    assert_eq!((collected.layers, collected.images.len(), collected.bytes), (1, 0, 1));
    assert!(list(&world.root().join("configs")).is_empty());
}

fn collection_spares_what_containers_and_pulls_need() {
    let world = World::new();
    let store = world.store();
    let layers = ["base", "leased", "excluded", "unused", "pulled"].map(layer);
    for (name, own) in [("leased", 1), ("excluded", 2), ("unused", 3), ("pulled", 4)] {
        bring(&store, name, &[layers[0].clone(), layers[own].clone()]).unwrap();
    }
    let leased = store.lease("container/../1", &reference("leased")).unwrap().unwrap();
    assert!(store.lease("container", &reference("unknown")).unwrap().is_none());
    let pull = store.pull(&reference("other"), Digest::of(b""), &config(&[layers[4].clone()])).unwrap();
    let (total, available) = store.space().unwrap();
    assert!(total > available && available > 0);
    assert_eq!(store.collect(Want::Bytes(0), &[]).unwrap().layers, 0);

    let excluded: Vec<Reference> = vec![reference("excluded")];
    let collected = store.collect(Want::Everything, &excluded).unwrap();
    let names = ["docker.io/library/unused:latest", "docker.io/library/pulled:latest"];
    assert_eq!(collected.images.iter().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(names));
    assert_eq!((collected.layers, collected.bytes), (1, 6), "the pull's layer stays");
    assert!(matches!(pull.claim(&Digest::of(&layers[4])).unwrap(), Claim::Here));
    assert!(leased.layers.iter().all(|layer| layer.join("bin/sh").is_file()));
    drop(pull);

    store.release("container/../1").unwrap();
    store.release("container/../1").unwrap();
    let collected = store.collect(Want::Everything, &[]).unwrap();
    assert_eq!((collected.images.len(), collected.layers), (2, 4));
    for directory in ["images", "configs", "layers", "leases"] {
        assert!(list(&world.root().join(directory)).is_empty(), "{directory}");
    }
    assert!(world.unfinished().is_empty() && world.is_untouched());
}

fn a_name_that_moves_leaves_a_container_what_it_runs_from() {
    let world = World::new();
    let store = world.store();
    let mut images = Vec::new();
    for content in ["first", "second", "second"] {
        bring(&store, "app", &[layer(content)]).unwrap();
        images.push(store.lease("c", &reference("app")).unwrap().unwrap());
    }
    store.collect(Want::Everything, &[]).unwrap();
    assert!(images.iter().all(|image| image.layers[0].join("bin/sh").is_file()));
    assert_eq!(list(&world.root().join("leases")).len(), 2);
    store.release("c").unwrap();
    assert_eq!(store.collect(Want::Everything, &[]).unwrap().layers, 2);
}

fn leases_of_containers_that_are_gone_end() {
    let world = World::new();
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    {
        let store = world.store();
        bring(&store, "app", &[layer("a")]).unwrap();
        for container in ["one", "two", "two.nested"] {
            store.lease(container, &reference("app")).unwrap().unwrap();
        }
    }
    let store = world.store();
    assert_eq!(store.leases().unwrap(), ids(&["one", "two", "two.nested"]));
    store.release_all_but(&ids(&["two", "three"])).unwrap();
    assert_eq!(store.leases().unwrap(), ids(&["two"]));
    assert_eq!(store.collect(Want::Everything, &[]).unwrap().layers, 0);
}

fn collection_and_pulls_at_once_lose_nothing() {
    let world = World::new();
    let store = world.store();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                let layers = [layer("base"), layer(&format!("{thread}"))];
                for round in 0..10 {
                    let (name, container) = (format!("app{thread}"), format!("{thread}-{round}"));
                    bring(store, &name, &layers).unwrap();
                    // Collected between its pull and its lease: that is no loss, it is pulled again.
                    let Some(image) = store.lease(&container, &reference(&name)).unwrap() else { continue };
                    store.collect(Want::Everything, &[]).unwrap();
                    assert!(image.layers.iter().all(|layer| layer.join("bin/sh").is_file()));
                    store.release(&container).unwrap();
                    store.collect(Want::Everything, &[]).unwrap();
                }
            });
        }
    });
    store.collect(Want::Everything, &[]).unwrap();
    assert!(list(&world.root().join("layers")).is_empty() && world.unfinished().is_empty());
}

fn damage_costs_a_pull_and_is_told() {
    let world = World::new();
    let store = world.store();
    let layers = [layer("a")];
    let only = |directory: &str| list(&world.root().join(directory)).remove(0);
    let empty = |path: &Path| fs::write(path, "").unwrap();
    for directory in ["images", "configs"] {
        bring(&store, "app", &layers).unwrap();
        empty(&only(directory));
        assert!(store.image(&reference("app")).unwrap().is_none(), "{directory}");
        bring(&store, "app", &layers).unwrap();
        assert!(store.image(&reference("app")).unwrap().is_some(), "{directory}");
    }
    fs::remove_dir_all(only("layers")).unwrap();
    assert!(store.lease("c", &reference("app")).unwrap().is_none());
    bring(&store, "app", &layers).unwrap();

    empty(&only("layers").join("layer.json"));
    store.lease("c", &reference("app")).unwrap().unwrap();
    empty(&only("leases"));
    assert!(store.leases().unwrap().is_empty());
    let error = store.collect(Want::Everything, &[]).unwrap_err().to_string();
    assert!(error.contains(only("leases").to_str().unwrap()) && error.contains("is damaged"), "{error}");
    store.release_all_but(&BTreeSet::from(["c".to_owned()])).unwrap();
    assert!(store.collect(Want::Everything, &[]).is_err(), "the container may still run");
    store.release_all_but(&BTreeSet::new()).unwrap();
    empty(&only("images"));
    let collected = store.collect(Want::Everything, &[]).unwrap();
    assert_eq!((collected.layers, collected.bytes, list(&world.root().join("images")).len()), (1, 0, 0));
}

fn a_lease_that_is_lost_or_damaged_is_made_anew() {
    let world = World::new();
    let store = world.store();
    bring(&store, "app", &[layer("a")]).unwrap();
    let image = store.lease("c", &reference("app")).unwrap().unwrap();
    let lease = list(&world.root().join("leases")).remove(0);
    let whole = fs::read(&lease).unwrap();
    for damage in [|lease: &Path| fs::write(lease, "").unwrap(), |lease: &Path| fs::remove_file(lease).unwrap()] {
        damage(&lease);
        store.renew("c", &reference("app"), &image.layers).unwrap();
        assert_eq!(fs::read(&lease).unwrap(), whole);
        assert_eq!(store.collect(Want::Everything, &[]).unwrap().layers, 0);
    }
    // The name may mean something else by now: the layers stay all the same.
    fs::remove_file(&lease).unwrap();
    bring(&store, "app", &[layer("b")]).unwrap();
    store.renew("c", &reference("app"), &image.layers).unwrap();
    store.collect(Want::Everything, &[]).unwrap();
    assert!(image.layers[0].join("bin/sh").is_file());
}

fn a_layer_that_has_lost_its_files_is_brought_again() {
    let world = World::new();
    bring(&world.store(), "app", &[layer("a")]).unwrap();
    let lost = list(&world.root().join("layers")).remove(0);
    fs::remove_dir_all(lost.join("rootfs")).unwrap();
    let store = world.store();
    assert!(store.image(&reference("app")).unwrap().is_none());
    bring(&store, "app", &[layer("a")]).unwrap();
    assert!(store.image(&reference("app")).unwrap().unwrap().layers[0].join("bin/sh").is_file());
}

fn a_layer_outlives_its_boot_once_it_is_settled() {
    let world = World::new();
    let facts = || list(&world.root().join("layers")).remove(0).join("layer.json");
    for settled in [false, true] {
        let store = world.store();
        bring(&store, "app", &[layer("a")]).unwrap();
        if settled {
            store.settle().unwrap();
            store.settle().unwrap();
        }
        drop(store);
        assert!(world.store().image(&reference("app")).unwrap().is_some(), "this boot");
        let text = fs::read_to_string(facts()).unwrap();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        fs::write(facts(), text.replace(boot.trim(), "another")).unwrap();
        assert_eq!(world.store().image(&reference("app")).unwrap().is_some(), settled, "the next boot");
    }
}

fn a_store_is_opened_once() {
    let world = World::new();
    let mut other = crate::kills::start(&world.root());
    let error = Store::open(&world.root(), unpack(), BOUNDS).unwrap_err().to_string();
    assert!(error.contains("in use by another process"), "{error}");
    other.kill().unwrap();
    other.wait().unwrap();
    world.store();
}

/// A mount, for as long as this lives.
struct Mount(std::path::PathBuf);

impl Mount {
    fn of(kind: &str, options: &str, path: &Path) -> Option<Mount> {
        fs::create_dir(path).unwrap();
        let mount = Command::new("mount").args(["-t", kind, "-o", options, kind]).arg(path).status();
        mount.is_ok_and(|status| status.success()).then(|| Mount(path.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().unwrap();
    }
}

/// The time within which space must be free again.
const FREED: Duration = Duration::from_secs(10);

fn a_full_disk_is_told_and_nothing_is_left() {
    let world = World::new();
    let Some(_disk) = Mount::of("tmpfs", "size=1m", &world.root()) else {
        return println!("SKIPPED a_full_disk_is_told_and_nothing_is_left: nothing may be mounted here");
    };
    let store = world.store();
    let disk = || rustix::fs::statvfs(world.root()).unwrap();
    let large = Archive::new().file("small", "x").file("large", &"x".repeat(3_000_000));
    let (compressed, plain) = (large.clone().gzip(), large.tar());
    let pull = store.pull(&reference("large"), Digest::of(b""), &config(std::slice::from_ref(&plain))).unwrap();
    for full in [false, true] {
        let Claim::Yours(layer) = pull.claim(&pull.layers()[0]).unwrap() else { panic!("it does not fit") };
        if full {
            let mut archive = layer.archive().unwrap();
            assert_eq!(archive.write_all(&plain).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        } else {
            let error = layer.unpack(&crate::world::file(&compressed), compressed.len() as u64).unwrap_err();
            let StoreError::Unpack { source: UnpackError::Full { name }, .. } = &error else { panic!("{error}") };
            assert_eq!(name, "large");
        }
    }
    drop(pull);
    assert!(world.unfinished().is_empty(), "{:?}", world.unfinished());
    // The kernel frees what a process had open a moment after that has ended.
    harness::wait::until("half of the space", FREED, || (disk().f_bfree >= disk().f_blocks / 2).then_some(()));
    bring(&store, "small", &[layer("small")]).unwrap();
    assert!(store.collect(Want::Everything, &[]).unwrap().layers == 1);
    drop(store);
}

/// Deeper than names can say, and than there are descriptors.
fn the_deepest_tree_is_removed() {
    let world = World::new();
    let store = world.store();
    bring(&store, "deep", &[layer("a")]).unwrap();
    let root = store.image(&reference("deep")).unwrap().unwrap().layers.remove(0);
    let mut at = fs::File::open(&root).unwrap();
    for _ in 0..5000 {
        mkdirat(&at, "deep", Mode::RWXU).unwrap();
        at = openat(&at, "deep", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap().into();
    }
    assert_eq!(store.collect(Want::Everything, &[]).unwrap().layers, 1);
    assert!(world.unfinished().is_empty());
}
