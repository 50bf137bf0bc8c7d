//! Version 2 on a tree of plain files, as no machine of ours has its controllers; version 1 on this machine, by root.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use harness::patience::PATIENCE;
use harness::wait::until;

use super::v1::V1;
use super::v2::V2;
use super::*;

const MIB: u64 = 1024 * 1024;

fn limits() -> Limits {
    let memory = MemoryLimits { bytes: 48 * MIB, limit: Some(64 * MIB), swap: false };
    Limits { cpu: Some(CpuLimits { cpus: 0.5, limit: Some(1.5) }), memory: Some(memory), pids: Some(100) }
}

/// A cgroup as a kernel would make it: its files are there and empty.
fn fill(directory: &Path, files: &[(&str, &str)]) {
    fs::create_dir_all(directory).unwrap();
    for (name, content) in files {
        fs::write(directory.join(name), content).unwrap();
    }
}

const V2_FILES: [(&str, &str); 13] = [
    ("cgroup.controllers", "cpuset cpu memory pids"),
    ("cgroup.subtree_control", ""),
    ("cgroup.procs", "12\n13\n"),
    ("cgroup.threads", "12\n13\n14\n"),
    ("cgroup.kill", ""),
    ("cpu.weight", ""),
    ("cpu.max", ""),
    (
        "cpu.stat",
        "usage_usec 30\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 4\nnr_throttled 1\nthrottled_usec 7000000\n",
    ),
    ("memory.low", ""),
    ("memory.max", ""),
    ("memory.current", "1024\n"),
    ("memory.events", "low 0\noom 3\noom_kill 2\n"),
    ("memory.stat", "anon 4096\nfile 8192\nfile_mapped 512\nunevictable 0\n"),
];

fn v2() -> (tempfile::TempDir, Hierarchies) {
    let mount = tempfile::tempdir().unwrap();
    for directory in ["", "mesos", "mesos/c1", "mesos/c1/leaf"] {
        fill(&mount.path().join(directory), &V2_FILES);
        fs::write(mount.path().join(directory).join("pids.max"), "").unwrap();
    }
    // The processes are in the leaf.
    ["cgroup.procs", "cgroup.threads"]
        .iter()
        .for_each(|file| fs::write(mount.path().join("mesos/c1").join(file), "").unwrap());
    let driver = Arc::new(V2 { mount: mount.path().to_owned() });
    let hierarchies = Hierarchies::of(driver, Path::new("mesos")).unwrap();
    (mount, hierarchies)
}

#[test]
fn version_2_writes_what_the_kernel_takes() {
    let (mount, hierarchies) = v2();
    let cgroup = hierarchies.cgroup("c1");
    cgroup.create(&limits()).unwrap();
    let says = |file: &str| fs::read_to_string(mount.path().join("mesos").join(file)).unwrap();
    for (file, expected) in [
        ("cgroup.subtree_control", "+cpu +memory +pids"),
        ("c1/cgroup.subtree_control", "+cpu +memory +pids"),
        ("c1/cpu.weight", "50"),
        ("c1/cpu.max", "150000 100000"),
        ("c1/memory.low", "50331648"),
        ("c1/memory.max", "67108864"),
        ("c1/pids.max", "100"),
    ] {
        assert_eq!(says(file), expected, "{file}");
    }
    assert_eq!(cgroup.birthplace(), Birthplace::Directory(mount.path().join("mesos/c1/leaf")));
    assert_eq!(hierarchies.children("").unwrap(), ["c1"]);
    cgroup.kill().unwrap();
    assert_eq!(says("c1/cgroup.kill"), "1");
}

#[test]
fn version_2_lifts_limits_and_never_kills_by_lowering_one() {
    let (mount, hierarchies) = v2();
    let cgroup = hierarchies.cgroup("c1");
    let says = |file: &str| fs::read_to_string(mount.path().join("mesos/c1").join(file)).unwrap();
    let (cpu, memory) = (limits().cpu.unwrap(), limits().memory.unwrap());
    let boundless = Limits {
        cpu: Some(CpuLimits { limit: None, ..cpu }),
        memory: Some(MemoryLimits { limit: None, ..memory }),
        pids: None,
    };
    cgroup.create(&boundless).unwrap();
    assert_eq!(["cpu.max", "memory.max", "pids.max"].map(says), ["max 100000", "max", "max"]);
    fs::write(mount.path().join("mesos/c1/memory.current"), (65 * MIB).to_string()).unwrap();
    cgroup.create(&limits()).unwrap();
    assert_eq!(says("memory.max"), (65 * MIB).to_string());
}

#[test]
fn version_2_tells_what_was_used() {
    let (mount, hierarchies) = v2();
    let cgroup = hierarchies.cgroup("c1");
    cgroup.create(&limits()).unwrap();
    let used = cgroup.statistics(1.5).unwrap();
    assert_eq!((used.timestamp, used.processes, used.threads), (1.5, Some(2), Some(3)));
    assert_eq!((used.cpus_user_time_secs, used.cpus_system_time_secs), (Some(2.0), Some(0.5)));
    assert_eq!((used.cpus_nr_throttled, used.cpus_throttled_time_secs), (Some(1), Some(7.0)));
    assert_eq!((used.mem_rss_bytes, used.mem_cache_bytes, used.mem_total_bytes), (Some(4096), Some(8192), Some(1024)));
    assert_eq!(used.mem_limit_bytes, Some(64 * MIB));
    assert_eq!(cgroup.oom_kills().unwrap(), 2);
    assert_eq!(cgroup.memory_report().unwrap().most_bytes, 1024);
    fs::write(mount.path().join("mesos/c1/cpu.stat"), "nothing\n").unwrap();
    let error = cgroup.statistics(0.0).unwrap_err().to_string();
    assert!(error.ends_with("mesos/c1/cpu.stat has no number 'user_usec'"), "{error}");
}

/// The hierarchies of this machine, if it has version 1 and this process may use it; else the reason is said.
fn v1(name: &str) -> Option<Hierarchies> {
    let root = PathBuf::from(format!("cygnet-test-{}", std::process::id()));
    match Hierarchies::find(Path::new(MOUNTS), &root.join(name)) {
        Ok(hierarchies) if hierarchies.version() == 1 => Some(hierarchies),
        other => {
            println!("skipped {name}: needs root and control groups of version 1: {other:?}");
            None
        }
    }
}

/// A shell in the cgroup, which runs this script.
fn born_in(cgroup: &Cgroup, script: &str) -> Child {
    let Birthplace::Tasks(tasks) = cgroup.birthplace() else { panic!("version 1 has files") };
    let enter: String = tasks.iter().map(|file| format!("echo $$ > {}\n", file.display())).collect();
    let script = format!("{enter}{script}");
    Command::new("/bin/sh").args(["-c", &script]).stdin(Stdio::null()).spawn().unwrap()
}

fn removed(cgroup: &Cgroup) {
    cgroup.remove().unwrap();
    assert!(cgroup.driver.directories(&cgroup.name).iter().all(|directory| !directory.exists()));
    for directory in cgroup.driver.directories(cgroup.name.parent().unwrap()) {
        let _others_are_below = fs::remove_dir(&directory).and_then(|()| fs::remove_dir(directory.parent().unwrap()));
    }
}

#[test]
fn version_1_holds_processes_and_removes_what_it_made() {
    let Some(hierarchies) = v1("holds") else { return };
    let cgroup = hierarchies.cgroup("c");
    cgroup.create(&limits()).unwrap();
    let nested = cgroup.nested("n");
    nested.create(&limits()).unwrap();
    let mut children = [born_in(&cgroup, "sleep 1000"), born_in(&nested, "sleep 1000 & sleep 1000 & wait")];
    let four = || (cgroup.statistics(0.0).unwrap().processes >= Some(4)).then_some(());
    until("both shells have started theirs", PATIENCE, four);
    assert!(matches!(cgroup.remove(), Err(CgroupError::Busy { .. })));
    let used = cgroup.statistics(0.0).unwrap();
    assert_eq!((used.mem_limit_bytes, used.mem_soft_limit_bytes), (Some(64 * MIB), Some(48 * MIB)));
    assert!(used.mem_total_bytes > Some(0) && used.threads >= Some(4), "{used:?}");
    cgroup.kill().unwrap();
    children.iter_mut().for_each(|child| assert!(!child.wait().unwrap().success()));
    until("the orphans are reaped", PATIENCE, || cgroup.remove().ok());
    removed(&cgroup);
}

#[tokio::test]
async fn version_1_tells_that_memory_ran_out() {
    let Some(hierarchies) = v1("oom") else { return };
    let cgroup = hierarchies.cgroup("c");
    cgroup.create(&limits()).unwrap();
    let mut watch = OomWatch::new(&cgroup).unwrap();
    // The child only is killed; its parent lives on.
    let mut child = born_in(&cgroup, "head -c 200m /dev/zero | tail -c 200m > /dev/null; exit 37");
    watch.killed().await.unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(37));
    assert_eq!(cgroup.oom_kills().unwrap(), 1);
    let report = cgroup.memory_report().unwrap();
    assert!(report.most_bytes > 60 * MIB && report.statistics.contains("total_rss"), "{report:?}");
    removed(&cgroup);
}

#[test]
fn the_shape_of_version_1_is_found_where_it_is_mounted() {
    let path = |name: &str| PathBuf::from("/sys/fs/cgroup").join(name);
    let shared = path("cpu,cpuacct");
    let driver = V1 { cpu: shared.clone(), cpuacct: shared, memory: path("memory"), pids: None };
    let hierarchies = Hierarchies { driver: Arc::new(driver), root: PathBuf::from("mesos") };
    let tasks = ["cpu,cpuacct", "memory"].map(|name| path(name).join("mesos/c/tasks"));
    assert_eq!(hierarchies.cgroup("c").birthplace(), Birthplace::Tasks(tasks.to_vec()));
}

/// On a tree of plain files: machines differ in the controllers they have.
#[test]
fn what_version_1_kills_makes_no_others_and_is_not_frozen() {
    let mounts = tempfile::tempdir().unwrap();
    let path = |name: &str| mounts.path().join(name);
    let driver = V1 { cpu: path("cpu"), cpuacct: path("cpu"), memory: path("memory"), pids: Some(path("pids")) };
    let mut children = ["c", "c/mesos/n"].map(|name| {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        fill(&path("memory").join(name), &[("cgroup.procs", &format!("{}\n", child.id()))]);
        fill(&path("pids").join(name), &[("pids.max", "max")]);
        child
    });
    driver.kill(Path::new("c")).unwrap();
    children.iter_mut().for_each(|child| assert_eq!(child.wait().unwrap().signal(), Some(9)));
    assert_eq!(fs::read_to_string(path("pids/c/pids.max")).unwrap(), "0");
    fs::remove_dir_all(path("pids/c")).unwrap();
    driver.kill(Path::new("c")).unwrap();
}

#[test]
fn version_1_leaves_nothing_of_an_agent_whose_last_container_is_gone() {
    let Some(hierarchies) = v1("destroys") else { return };
    let (cgroup, other) = (hierarchies.cgroup("executors/c"), hierarchies.cgroup("executors/other"));
    [&cgroup, &other].iter().for_each(|cgroup| cgroup.create(&limits()).unwrap());
    assert_eq!(hierarchies.children("executors").unwrap(), ["c", "other"]);
    let mut child = born_in(&cgroup, "sleep 1000 & wait");
    let both = || (cgroup.statistics(0.0).unwrap().processes >= Some(2)).then_some(());
    until("both are in it", PATIENCE, both);
    let reaped = std::thread::spawn(move || child.wait().unwrap());
    until("what is left is killed and gone", PATIENCE, || hierarchies.destroy(&cgroup).ok());
    assert!(!reaped.join().unwrap().success());
    assert!(other.exists() && !cgroup.exists());
    hierarchies.destroy(&other).unwrap();
    assert!(!hierarchies.cgroup("").exists());
    removed(&hierarchies.cgroup(""));
}

#[test]
fn agents_beside_each_other_have_cgroups_of_their_own() {
    let of = |work_dir: &str| of_agent(Path::new("mesos"), Path::new(work_dir));
    assert_eq!(of("/var/lib/cygnet"), Path::new("mesos/agent-e324edda7ba2ff47"));
    assert_ne!(of("/var/lib/cygnet"), of("/var/lib/cygnet2"));
}
