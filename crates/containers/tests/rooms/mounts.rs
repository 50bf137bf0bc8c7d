//! The content of a container: its layers, volumes, names and devices.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use containers::rootfs::{Base, Names, VolumeSource, Wanted};
use harness::patience::PATIENCE;
use harness::wait::until;
use processes::End;
use processes::rootfs::{Content, Propagation};

use crate::world::{Room, World};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("what_is_changed_is_kept_above_the_layers", what_is_changed_is_kept_above_the_layers),
    ("layers_may_be_many", layers_may_be_many),
    ("a_copied_image_does_as_well", a_copied_image_does_as_well),
    (
        "a_container_with_the_hosts_files_lets_go_of_what_the_host_unmounts",
        a_container_with_the_hosts_files_lets_go_of_what_the_host_unmounts,
    ),
    ("volumes_are_where_they_are_wanted", volumes_are_where_they_are_wanted),
    ("a_read_only_root_leaves_volumes_to_be_written", a_read_only_root_leaves_volumes_to_be_written),
    ("a_secret_is_a_file_in_memory", a_secret_is_a_file_in_memory),
    ("names_and_directories_are_made", names_and_directories_are_made),
    ("mounts_spread_as_wanted", mounts_spread_as_wanted),
    ("what_cannot_be_mounted_is_named", what_cannot_be_mounted_is_named),
    ("the_hosts_files_with_own_mounts", the_hosts_files_with_own_mounts),
];

fn what_is_changed_is_kept_above_the_layers() {
    let world = World::new();
    let room = world.room();
    assert_eq!(world.output(&room, "echo changed > /etc/passwd; rm -r /tmp; cat /etc/passwd"), "changed\n");
    assert_eq!(fs::read_to_string(room.directory.join("upper/etc/passwd")).unwrap(), "changed\n");
    assert!(
        world.path("layer/tmp").exists() && !fs::read_to_string(world.path("layer/etc/passwd")).unwrap().is_empty()
    );
}

/// With names that are too long, and with signs that the kernel gives a meaning to.
fn layers_may_be_many() {
    let world = World::new();
    let mut room = world.room();
    let odd = format!("a:b,c\\d {}", "x".repeat(200));
    let layers: Vec<_> = (0..100).map(|number| world.path(&format!("{odd}/{number}"))).collect();
    for (number, layer) in layers.iter().enumerate() {
        fs::create_dir_all(layer).unwrap();
        fs::write(layer.join("topmost"), number.to_string()).unwrap();
    }
    let upper = world.host_directory(&format!("{odd}/upper"));
    let work = world.host_directory(&format!("{odd}/work"));
    let layers = layers.into_iter().chain([world.path("layer")]).collect();
    room.wanted.base = Base::Image { layers, upper, work };
    assert_eq!(world.output(&room, "cat /topmost"), "0");
}

fn a_copied_image_does_as_well() {
    let world = World::new();
    let copied = world.path("copied");
    assert!(Command::new("cp").arg("-a").args([world.path("layer"), copied.clone()]).status().unwrap().success());
    let mut room = world.room();
    room.wanted.base = Base::Copy(copied.clone());
    room.wanted.read_only = true;
    assert_eq!(
        world.output(&room, "touch /x 2>/dev/null; ls /bin/sh; cat /etc/hosts"),
        "/bin/sh\n127.0.0.1 localhost\n"
    );
    assert!(!copied.join("x").exists() && copied.join("etc/hosts").exists());
}

fn volumes_are_where_they_are_wanted() {
    let world = World::new();
    let data = world.host_directory("data");
    fs::write(data.join("file"), "of the host").unwrap();
    let sandbox = world.host_directory("above");
    let shared = VolumeSource::Sandbox { sandbox: sandbox.clone(), path: "volumes/shared".into() };
    let memory = VolumeSource::Memory { size: Some(1 << 20), mode: 0o1777 };
    let room = world
        .room()
        .host("/data", &data, Propagation::Private, true)
        .host("/var/run/deep/data", &data, Propagation::Slave, false)
        .host("/one", &data.join("file"), Propagation::Private, false)
        .volume("inner", shared, false)
        .volume("/memory", memory, false);
    let script = "cat /data/file /one; touch /data/no 2>/dev/null; touch /run/deep/data/yes inner/shared; pwd; \
                  stat -f -c ' %T %S %b' /memory; dd if=/dev/zero of=/memory/x bs=1M count=2 2>/dev/null || echo full";
    let seen = world.output(&room, script);
    assert_eq!(seen, "of the hostof the host/mnt/mesos/sandbox\n tmpfs 4096 256\nfull\n");
    assert!(data.join("yes").exists() && !data.join("no").exists());
    assert!(sandbox.join("volumes/shared/shared").exists());
}

fn a_read_only_root_leaves_volumes_to_be_written() {
    let world = World::new();
    let mut room = world.room().volume("/scratch", VolumeSource::Memory { size: None, mode: 0o755 }, false);
    room.wanted.read_only = true;
    let script = "touch /x 2>/dev/null || echo no; touch /scratch/x /mnt/mesos/sandbox/x /dev/shm/x && echo yes";
    assert_eq!(world.output(&room, script), "no\nyes\n");
}

fn a_secret_is_a_file_in_memory() {
    let world = World::new();
    let secret = world.path("secret");
    fs::write(&secret, "hunter2").unwrap();
    let mut room = world.room();
    room.wanted.owner = (1234, 5678);
    let room = room.volume("/run/secrets/password", VolumeSource::Secret(Content::Of(secret.clone())), true);
    let script = "cat /run/secrets/password; stat -c ' %a %u %g' /run/secrets/password; \
                  stat -f -c %T /run/secrets/password; echo x 2>/dev/null > /run/secrets/password || echo no; \
                  grep ' /run/secrets/password ' /proc/self/mountinfo | cut -d' ' -f6";
    let seen = world.output(&room, script);
    assert_eq!(seen, "hunter2 400 1234 5678\ntmpfs\nno\nro,nosuid,nodev,noexec,relatime\n");
    assert_eq!(fs::read(room.directory.join("upper/run/secrets/password")).unwrap(), b"");
    let spec = fs::read_to_string(room.directory.join("shim/spec.json")).unwrap();
    assert!(!spec.contains("hunter2"));
}

fn names_and_directories_are_made() {
    let world = World::new();
    let mut room = world.room();
    room.wanted = Wanted {
        names: Names {
            hosts: Some("10.0.0.2 inside\n".to_owned()),
            resolv_conf: Some("nameserver 10.0.0.1\n".to_owned()),
            hostname: Some("inside\n".to_owned()),
        },
        working_directory: Some("/srv/app".into()),
        owner: (77, 88),
        ..room.wanted
    };
    let script = "cat /etc/hosts /etc/resolv.conf /etc/hostname; hostname; pwd; stat -c '%u %g %a' .; umask; \
                  ip -o link | cut -d' ' -f2,3";
    let seen = world.output(&room, script);
    let names = "10.0.0.2 inside\nnameserver 10.0.0.1\ninside\ninside\n/srv/app\n77 88 755\n0022\n";
    assert_eq!(seen, format!("{names}lo: <LOOPBACK,UP,LOWER_UP>\n"));
}

/// In a mount namespace whose mounts spread, as systemd leaves them.
fn mounts_spread_as_wanted() {
    let world = World::new();
    let data = world.host_directory("data");
    let mount = |arguments: &[&str]| assert!(Command::new("mount").args(arguments).status().unwrap().success());
    let at = |path: &str| data.join(path).display().to_string();
    let top = data.display().to_string();
    mount(&["-t", "tmpfs", "tmpfs", &top]);
    mount(&["--make-shared", &top]);
    let unmounted = Unmounted(&data);
    for name in ["private", "slave", "shared"] {
        fs::create_dir(data.join(name)).unwrap();
    }
    let rooms = [Propagation::Private, Propagation::Slave, Propagation::Shared]
        .map(|propagation| world.room().host("/data", &data, propagation, false));
    let wait = "echo ready; until [ -e /data/go ]; do sleep 0.01; done; grep -c ' /data/slave ' /proc/self/mountinfo; \
                mount -t tmpfs tmpfs /data/shared && sleep 1000";
    let running = rooms.each_ref().map(|room| world.start(room, wait));
    running.iter().for_each(|running| running.until_said("ready"));
    mount(&["-t", "tmpfs", "tmpfs", &at("slave")]);
    fs::write(data.join("go"), "").unwrap();
    for (running, found) in running.iter().zip(["0", "1", "1"]) {
        until("its word on mounts", PATIENCE, || (running.stdout().lines().count() == 2).then_some(()));
        assert_eq!(running.stdout().lines().last(), Some(found));
    }
    let shared = format!(" {} ", at("shared"));
    let seen = || fs::read_to_string("/proc/self/mountinfo").unwrap().matches(&shared).count();
    until("a mount that came from inside", PATIENCE, || (seen() == 1).then_some(()));
    drop(running);
    drop(unmounted);
}

/// Otherwise the file system would be busy for as long as the task runs.
fn a_container_with_the_hosts_files_lets_go_of_what_the_host_unmounts() {
    let world = World::new();
    let data = world.host_directory("data");
    let mount = |arguments: &[&str]| assert!(Command::new("mount").args(arguments).status().unwrap().success());
    let top = data.display().to_string();
    mount(&["-t", "tmpfs", "tmpfs", &top]);
    let _unmounted = Unmounted(&data);
    mount(&["--make-shared", &top]);
    let inner = data.join("inner");
    fs::create_dir(&inner).unwrap();
    mount(&["-t", "tmpfs", "tmpfs", &inner.display().to_string()]);
    let mut room = world.room();
    room.wanted = Wanted {
        base: Base::Host,
        sandbox_at: room.wanted.sandbox.clone(),
        names: Names::default(),
        working_directory: Some("/".into()),
        ..room.wanted
    };
    let running = world.start(&room, "echo ready; exec sleep 1000");
    running.until_said("ready");
    let mounts = format!("/proc/{}/mountinfo", running.app().pid);
    let has = || fs::read_to_string(&mounts).unwrap().contains(&format!(" {} ", inner.display()));
    assert!(has());
    assert!(Command::new("umount").arg(&inner).status().unwrap().success());
    until("an unmount inside", PATIENCE, || (!has()).then_some(()));
}

/// A directory that nothing is mounted on in the end.
struct Unmounted<'a>(&'a Path);

impl Drop for Unmounted<'_> {
    fn drop(&mut self) {
        let _all = Command::new("umount").arg("-R").arg(self.0).status();
    }
}

fn what_cannot_be_mounted_is_named() {
    let world = World::new();
    let file = world.path("layer/etc/passwd");
    let gone = world.path("gone");
    let mut without_layer = world.room();
    without_layer.wanted.base = Base::Image {
        layers: vec![gone.clone()],
        upper: without_layer.directory.join("upper"),
        work: without_layer.directory.join("work"),
    };
    let root = format!("1 layers and '{}'", without_layer.directory.join("upper").display());
    let large = world.path("large");
    fs::File::create(&large).unwrap().set_len(1 << 30).unwrap();
    let secret = |path: &Path| VolumeSource::Secret(Content::Of(path.to_owned()));
    let (gone, large, file) = (gone.as_path(), large.as_path(), file.as_path());
    let rows: [(Room, String); 5] = [
        (
            world.room().host("/data", gone, Propagation::Private, false),
            format!(
                "Cannot open '{}', which the container is to have at '/data': No such file or directory",
                gone.display()
            ),
        ),
        (
            world.room().host("/etc/passwd/x", file, Propagation::Private, false),
            format!("Cannot put the host's '{}' at the container's '/etc/passwd/x': Not a directory", file.display()),
        ),
        (
            world.room().volume("/secret", secret(large), true),
            format!(
                "Cannot open '{}', which the container is to have at '/secret': it is larger than",
                large.display()
            ),
        ),
        (
            without_layer,
            format!("Cannot make the container's root file system of {root}: {}: No such file", gone.display()),
        ),
        (
            Room { network: processes::Network::At(gone.to_owned()), ..world.room() },
            format!("Cannot open the network namespace '{}': No such file or directory", gone.display()),
        ),
    ];
    for (room, words) in rows {
        let Err(End::NotStarted(why)) = world.try_start(&room, &["/bin/true"]) else { panic!("not: {words}") };
        assert!(why.starts_with(&words), "{why}\nis not\n{words}");
        // The shim says that nothing began, and then ends itself.
        world.until_nothing_is_left();
    }
}

fn the_hosts_files_with_own_mounts() {
    let world = World::new();
    let (data, place) = (world.host_directory("data"), world.host_directory("place"));
    fs::write(data.join("file"), "mine\n").unwrap();
    let mut room = world.room().host(place.to_str().unwrap(), &data, Propagation::Slave, true);
    room.wanted.base = Base::Host;
    room.wanted.working_directory = Some(place.clone());
    let script = "cat file; cat /proc/1/comm; touch x 2>/dev/null || echo no";
    assert_eq!(world.output(&room, script), "mine\npause\nno\n");
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
    let nowhere = place.join("nowhere");
    let mut missing = world.room().host(nowhere.to_str().unwrap(), &data, Propagation::Slave, true);
    missing.wanted.base = Base::Host;
    let Err(End::NotStarted(why)) = world.try_start(&missing, &["/bin/true"]) else { panic!("it was started") };
    assert!(why.contains("No such file or directory") && !nowhere.exists(), "{why}");
    assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::metadata(&place).unwrap().uid(), 0);
}
