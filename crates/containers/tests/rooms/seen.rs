//! The view of a program in a container, beside its view under runc with the same settings.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::world::World;

pub(crate) const TESTS: &[(&str, fn())] =
    &[("a_program_sees_what_it_sees_under_runc", a_program_sees_what_it_sees_under_runc)];

/// Everything in one go, each part below a heading.
const LOOK: &str = r##"
echo '# mounts'; while read a b c root at flags rest; do echo "$at $flags ${rest#*- }"; done < /proc/self/mountinfo
echo '# devices'; for x in /dev/*; do echo "$(stat -c '%N %A %u %g %t:%T' $x)"; done
echo '# descriptors'; ls /proc/self/fd
echo '# directory'; pwd; umask
echo '# namespaces'; for x in cgroup ipc mnt net pid time user uts; do echo "$x $(readlink /proc/self/ns/$x)"; done
echo '# status'; grep -E '^(Groups|Cap|NoNewPrivs|Seccomp|Sig(Blk|Ign|Cgt)|Uid|Gid|Umask)' /proc/self/status
echo '# limits'; cat /proc/self/limits
echo '# hostname'; hostname
echo '# masked'; for x in /proc/acpi /proc/kcore /proc/keys /proc/timer_list /sys/firmware; do echo "$x $(cat $x 2>/dev/null | wc -c) $(ls $x 2>/dev/null | wc -l)"; done
echo '# written'; for x in /proc/sys/kernel/domainname /proc/sysrq-trigger /sys/kernel/mm/transparent_hugepage/enabled; do (: >> $x) 2>/dev/null && echo $x; done
echo '# environment'; env | grep -v -E '^(SHLVL|PWD|OLDPWD|_|CYGNET.*)='
"##;

/// The differences that may be, and the reason for each.
const DIFFERENCES: [(&str, &str); 8] = [
    ("mounts /", "an image here has layers, and there one directory; no device in it can be opened"),
    ("mounts /dev", "no device that is made in it can be opened: there control groups see to that"),
    ("mounts /dev/*", "each device is a mount, so that it can be opened but not changed"),
    ("mounts /etc/hosts", "ours is in memory, and theirs a file of the host"),
    (
        "mounts /proc/*",
        "files are masked by a null device of their own, as that of the container may have been exchanged",
    ),
    ("devices '/dev/core':", "/proc/kcore is masked"),
    ("environment HOME=/root", "the environment of a program is complete in its plan"),
    ("mounts /sys/firmware", "one empty directory masks all others, which there have a file system each"),
];

fn a_program_sees_what_it_sees_under_runc() {
    if Command::new("runc").arg("--version").output().is_err() {
        println!("SKIPPED a_program_sees_what_it_sees_under_runc: needs runc (Debian: runc)");
        return;
    }
    let world = World::new();
    let ours = parts(&world.output(&world.room(), LOOK));
    let theirs = parts(&under_runc(&world));
    let mut wrong = Vec::new();
    let keys: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    for key in keys {
        let (our, their) = (ours.get(key), theirs.get(key));
        if our != their && !DIFFERENCES.iter().any(|(known, _)| is_meant(known, key)) {
            wrong.push(format!("{key}:\n  here {our:?}\n  runc {their:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_meant(known: &str, key: &str) -> bool {
    known.strip_suffix('*').map_or(known == key, |start| key.starts_with(start))
}

/// The value of each line by its heading and its first word.
fn parts(text: &str) -> BTreeMap<String, String> {
    let host: Vec<String> = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"]
        .iter()
        .map(|kind| fs::read_link(format!("/proc/self/ns/{kind}")).unwrap().display().to_string())
        .collect();
    let mut heading = "";
    let mut found = BTreeMap::new();
    for line in text.lines() {
        if let Some(new) = line.strip_prefix("# ") {
            heading = new;
            continue;
        }
        let (key, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let value = match heading {
            "namespaces" => if host.iter().any(|own| own == value) { "the host's" } else { "its own" }.to_owned(),
            "status" => without_reserved(value),
            _ => value.to_owned(),
        };
        found.insert(format!("{heading} {key}"), value);
    }
    found
}

/// Real-time signals are as this process was given them.
fn without_reserved(value: &str) -> String {
    u64::from_str_radix(value, 16).map_or_else(|_| value.to_owned(), |set| format!("{:x}", set & !(1 << 31)))
}

fn under_runc(world: &World) -> String {
    let bundle = world.host_directory("bundle");
    assert!(
        Command::new("cp").arg("-a").args([world.path("layer"), bundle.join("rootfs")]).status().unwrap().success()
    );
    let sandbox = world.host_directory("bundle/sandbox");
    let hosts = bundle.join("hosts");
    fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
    fs::write(bundle.join("config.json"), config(&sandbox, &hosts).to_string()).unwrap();
    let name = format!("cygnet-test-{}", std::process::id());
    let output = Command::new("runc")
        .args(["--root", bundle.join("state").to_str().unwrap(), "run", "--bundle", bundle.to_str().unwrap(), &name])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Docker's configuration, with the capabilities that root has here, since nobody confines this program.
fn config(sandbox: &Path, hosts: &Path) -> Value {
    let spec = Command::new("runc").arg("spec").current_dir(sandbox).output().unwrap();
    assert!(spec.status.success());
    let file = sandbox.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fs::remove_file(file).unwrap();
    let mount = |at: &str, kind: &str, options: &str| {
        let options: Vec<&str> = options.split(',').collect();
        json!({ "destination": at, "type": kind, "source": kind, "options": options })
    };
    config["mounts"] = json!([
        mount("/proc", "proc", "nosuid,noexec,nodev"),
        mount("/dev", "tmpfs", "nosuid,mode=755,size=65536k"),
        mount("/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"),
        mount("/sys", "sysfs", "nosuid,noexec,nodev,ro"),
        mount("/sys/fs/cgroup", "tmpfs", "nosuid,noexec,nodev,ro,mode=755"),
        mount("/dev/mqueue", "mqueue", "nosuid,noexec,nodev"),
        mount("/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=67108864"),
        { "destination": "/etc/hosts", "type": "bind", "source": hosts, "options": ["rbind", "rprivate"] },
        { "destination": "/mnt/mesos/sandbox", "type": "bind", "source": sandbox,
          "options": ["rbind", "rslave", "nosuid", "nodev"] },
    ]);
    let capabilities = capabilities();
    config["process"]["capabilities"] =
        json!({ "bounding": capabilities, "effective": capabilities, "permitted": capabilities });
    config["process"]["noNewPrivileges"] = json!(false);
    config["process"]["terminal"] = json!(false);
    config["process"]["cwd"] = json!("/mnt/mesos/sandbox");
    config["process"]["args"] = json!(["/bin/sh", "-c", LOOK]);
    config["process"]["env"] = json!(["PATH=/bin"]);
    config["process"]["rlimits"] = json!([]);
    config["root"]["readonly"] = json!(false);
    config["hostname"] = json!("inside");
    let kinds = ["pid", "network", "ipc", "uts", "mount"].map(|kind| json!({ "type": kind }));
    config["linux"] = json!({
        "namespaces": kinds,
        "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/key-users", "/proc/keys",
            "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
            "/sys/devices/virtual/powercap", "/sys/firmware"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    });
    config
}

/// Their names, of those that this process has.
fn capabilities() -> Vec<String> {
    let shown = Command::new("capsh").arg("--print").output();
    let text = shown.map(|shown| String::from_utf8_lossy(&shown.stdout).into_owned()).unwrap_or_default();
    let set = text.lines().find_map(|line| line.strip_prefix("Bounding set =")).unwrap_or_default();
    set.split(',').map(|name| name.trim().to_uppercase()).filter(|name| !name.is_empty()).collect()
}
