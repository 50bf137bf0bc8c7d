//! Plans of containers, as data.

use super::*;

fn wanted() -> Wanted {
    let layers = vec!["/l/2".into(), "/l/1".into()];
    let base = Base::Image { layers, upper: "/c/upper".into(), work: "/c/work".into() };
    Wanted { owner: (1000, 100), ..Wanted::new(base, "/c/sandbox".into(), SANDBOX.into()) }
}

fn host(path: &str, at: &str) -> Volume {
    let source = VolumeSource::Host { path: path.into(), propagation: Propagation::Slave };
    Volume { at: at.into(), source, read_only: false }
}

fn sandbox(path: &str, at: &str) -> Volume {
    let source = VolumeSource::Sandbox { sandbox: "/c/sandbox".into(), path: path.into() };
    Volume { at: at.into(), source, read_only: true }
}

fn paths(rootfs: &Rootfs) -> Vec<&str> {
    rootfs.entries.iter().map(|entry| entry.path.to_str().unwrap()).collect()
}

fn kind<'a>(rootfs: &'a Rootfs, path: &str) -> &'a Kind {
    &rootfs.entries.iter().find(|entry| entry.path == Path::new(path)).unwrap().kind
}

fn with(volume: Volume) -> Result<Rootfs, PlanError> {
    Wanted { volumes: vec![volume], ..wanted() }.plan()
}

#[test]
fn what_is_asked_for_comes_after_the_kernels_and_before_what_is_hidden() {
    let names = Names { hosts: Some("127.0.0.1 localhost".to_owned()), ..Names::default() };
    let volumes = vec![host("/data/deep", "/data/a/b"), host("/data", "/data")];
    let plan = Wanted { volumes, names, working_directory: Some("/app".into()), ..wanted() }.plan().unwrap();
    let paths = paths(&plan);
    let at = |path: &str| paths.iter().position(|other| *other == path).unwrap();
    let order = ["/proc", "/dev", "/dev/null", "/data", "/etc/hosts", "/data/a/b", "/app", "/proc/kcore", "/proc/sys"];
    assert!(order.is_sorted_by_key(|path| at(path)), "{paths:?}");
    assert_eq!(
        plan.root,
        Root::Overlay { lower: vec!["/l/2".into(), "/l/1".into()], upper: "/c/upper".into(), work: "/c/work".into() }
    );
}

#[test]
fn the_sandbox_is_where_the_agent_wants_it_and_volumes_may_lie_in_it() {
    let plan = with(sandbox("./shared", "inner//x/")).unwrap();
    assert!(matches!(kind(&plan, SANDBOX), Kind::Bind { from, .. } if from == Path::new("/c/sandbox")));
    let Kind::Bind { from, within, flags, .. } = kind(&plan, "/mnt/mesos/sandbox/inner/x") else { panic!("{plan:?}") };
    assert_eq!((from.as_path(), within.as_deref()), (Path::new("./shared"), Some(Path::new("/c/sandbox"))));
    assert!(flags.read_only && flags.nosuid && flags.nodev);
}

#[test]
fn wishes_that_cannot_be_granted_are_named() {
    let rows: [(Volume, &str); 7] = [
        (host("/x", "/"), "The path '/' cannot be a place in a container: it is the root"),
        (host("/x", "/a/../../etc"), "The path '/a/../../etc' cannot be a place in a container: it has '..' in it"),
        (host("/x", "/a\0b"), "The path '/a\0b' cannot be a place in a container: it has a byte that is zero"),
        (host("x", "/a"), "The path 'x' of a volume is to be a path of the host, and so has to begin with '/'"),
        (sandbox("../other", "/a"), "The path '../other' of a volume is to be in the sandbox"),
        (sandbox("/etc", "/a"), "The path '/etc' of a volume is to be in the sandbox"),
        (host("/x", "/mnt/mesos/./sandbox"), "Two volumes of the container have the path '/mnt/mesos/sandbox'"),
    ];
    for (volume, words) in rows {
        assert_eq!(with(volume).unwrap_err().to_string(), words);
    }
    let source = VolumeSource::Memory { size: Some(0), mode: 0o777 };
    let unlimited = with(Volume { at: "/m".into(), source, read_only: false });
    assert_eq!(unlimited, Err(PlanError::Size(0)));
}

#[test]
fn a_secret_is_its_users_alone() {
    let source = VolumeSource::Secret(Content::Of("/secrets/password".into()));
    let plan = with(Volume { at: "/run/password".into(), source, read_only: false }).unwrap();
    let flags = Flags { read_only: true, nosuid: true, nodev: true, noexec: true };
    let content = Content::Of("/secrets/password".into());
    assert_eq!(kind(&plan, "/run/password"), &Kind::File { content, mode: 0o400, owner: (1000, 100), flags });
}

#[test]
fn a_volume_takes_precedence_over_a_file_with_names() {
    let names = Names { hosts: Some("127.0.0.1 localhost".to_owned()), ..Names::default() };
    let plan = Wanted { volumes: vec![host("/my/hosts", "/etc/hosts")], names, ..wanted() }.plan().unwrap();
    assert!(matches!(kind(&plan, "/etc/hosts"), Kind::Bind { .. }));
    assert_eq!(paths(&plan).iter().filter(|path| **path == "/etc/hosts").count(), 1);
}

#[test]
fn a_volume_in_memory_has_a_size_and_an_owner() {
    let source = VolumeSource::Memory { size: Some(4096), mode: 0o1777 };
    let plan = with(Volume { at: "/tmp".into(), source, read_only: false }).unwrap();
    let Kind::FileSystem { options, .. } = kind(&plan, "/tmp") else { panic!("{plan:?}") };
    let text: Vec<String> = options.iter().map(|(key, value)| format!("{key}={}", value.as_deref().unwrap())).collect();
    assert_eq!(text.join(","), "size=4096,mode=1777,uid=1000,gid=100");
}

#[test]
fn controllers_of_version_1_are_found_by_each_of_their_names() {
    let groups = vec![("cpu,cpuacct".to_owned(), "/cg/cpu/x".into()), ("memory".to_owned(), "/cg/memory/x".into())];
    let plan = Wanted { cgroups: Cgroups::Version1(groups), ..wanted() }.plan().unwrap();
    assert!(matches!(kind(&plan, "/sys/fs/cgroup/cpu,cpuacct"), Kind::Bind { flags, .. } if flags.read_only));
    assert_eq!(kind(&plan, "/sys/fs/cgroup/cpuacct"), &Kind::Link("cpu,cpuacct".into()));
    assert!(!paths(&plan).contains(&"/sys/fs/cgroup/memory/memory"));
}

#[test]
fn a_privileged_container_hides_nothing_and_may_write_to_the_kernels() {
    let plan = Wanted { privileged: true, ..wanted() }.plan().unwrap();
    assert!(!paths(&plan).contains(&"/proc/kcore"));
    assert!(matches!(kind(&plan, "/sys"), Kind::FileSystem { flags, .. } if !flags.read_only));
}

#[test]
fn without_an_image_there_are_the_hosts_files_and_what_is_mounted_on_them() {
    let base = Wanted { base: Base::Host, read_only: true, ..wanted() };
    let plan = Wanted { volumes: vec![host("/srv/a", "/mnt")], ..base.clone() }.plan().unwrap();
    assert_eq!(plan.root, Root::Tree("/".into()));
    assert_eq!(paths(&plan), ["/proc", "/mnt"]);
    assert!(!plan.read_only, "it is the host's");
    let inside = Wanted { volumes: vec![host("/srv/a", "data")], ..base }.plan();
    assert_eq!(inside, Err(PlanError::NoImage("data".into())));
}

#[test]
fn where_layers_can_be_laid_over_each_other_nothing_is_left_of_the_trial() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED where_layers_can_be_laid_over_each_other_nothing_is_left_of_the_trial: needs root");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let tried = overlay_works(directory.path());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "{tried:?}");
    assert!(overlay_works(Path::new("/proc")).is_err());
    let changed = || std::fs::metadata(directory.path()).unwrap().modified().unwrap();
    let before = changed();
    if tried.is_ok() {
        overlay_works(directory.path()).unwrap();
        assert_eq!(changed(), before, "it is not tried again");
    }
}
