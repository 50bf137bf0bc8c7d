//! The same settings under runc: what a program sees of them is the same, line by line.

use std::fs;
use std::path::Path;
use std::process::Command;

use containers::capabilities::{self, DOCKER_DEFAULT};
use containers::seccomp::Profiles;
use mesos::v1::linux_info::SeccompInfo;
use processes::{Capabilities, CapabilitySet, Confinement, Resource, ResourceLimit};
use serde_json::{Value, json};

use crate::support::{can_run, output};

const BUSYBOX: &str = "/bin/busybox";
const RUNC: &str = "/usr/sbin/runc";

const SEEN: &str = "busybox grep -E '^(Umask|Uid|Gid|Groups|NoNewPrivs|Cap|Seccomp|Sig(Blk|Ign)|Speculation)' \
                    /proc/self/status; busybox cat /proc/self/limits /proc/self/oom_score_adj; busybox ls /proc/self/fd; \
                    busybox mkdir /x 2>&1 && busybox rmdir /x; busybox sleep 0 && echo works";

/// A profile that both read.
const PROFILE: &str = r#"{
    "defaultAction": "SCMP_ACT_ALLOW",
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"],
    "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22}]
}"#;

struct Case {
    user: u32,
    capabilities: Capabilities,
    no_new_privileges: bool,
    has_filter: bool,
}

fn cases() -> Vec<Case> {
    let all_users = Capabilities { bounding: DOCKER_DEFAULT, ..Capabilities::default() };
    let root = Capabilities { permitted: DOCKER_DEFAULT, effective: DOCKER_DEFAULT, ..all_users };
    let few: CapabilitySet = [5, 10].into_iter().collect();
    let ambient = Capabilities { permitted: few, effective: few, inheritable: few, ambient: few, ..all_users };
    let case = |user, capabilities| Case { user, capabilities, no_new_privileges: false, has_filter: true };
    vec![
        case(0, root),
        case(12345, all_users),
        case(12345, ambient),
        Case { no_new_privileges: true, ..case(0, root) },
        Case { no_new_privileges: true, ..case(12345, ambient) },
        Case { has_filter: false, ..case(0, Capabilities::default()) },
    ]
}

impl Case {
    fn confinement(&self, profiles: &mut Profiles) -> Confinement {
        let info = SeccompInfo { profile_name: Some("profile".to_owned()), unconfined: None };
        let filter = profiles.filter(Some(&info), self.capabilities.bounding).unwrap();
        let limit = |resource, soft, hard| ResourceLimit { resource, soft: Some(soft), hard: Some(hard) };
        Confinement {
            capabilities: Some(self.capabilities),
            no_new_privileges: self.no_new_privileges,
            seccomp: filter.filter(|_| self.has_filter),
            limits: vec![limit(Resource::Nofile, 100, 200), limit(Resource::Core, 0, 0)],
            umask: Some(0o27),
            oom_score_adjustment: Some(500),
            label: None,
        }
    }

    /// The same in runc's words.
    fn config(&self, name: &str) -> Value {
        let names = |set: CapabilitySet| -> Vec<String> {
            set.numbers().filter_map(capabilities::name).map(|name| format!("CAP_{name}")).collect()
        };
        let Capabilities { bounding, permitted, effective, inheritable, ambient, .. } = self.capabilities;
        let namespaces = ["pid", "mount", "ipc", "uts"].map(|kind| json!({"type": kind}));
        let mut config = json!({
            "ociVersion": "1.0.2",
            "root": {"path": "rootfs"},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
            "process": {
                "args": ["/bin/busybox", "sh", "-c", SEEN],
                "env": ["PATH=/bin"],
                "cwd": "/",
                "user": {"uid": self.user, "gid": self.user, "additionalGids": [self.user], "umask": 0o27},
                "noNewPrivileges": self.no_new_privileges,
                "oomScoreAdj": 500,
                "rlimits": [
                    {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
                    {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
                ],
                "capabilities": {
                    "bounding": names(bounding),
                    "permitted": names(permitted),
                    "effective": names(effective),
                    "inheritable": names(inheritable),
                    "ambient": names(ambient),
                },
            },
            "linux": {
                "cgroupsPath": format!("/{name}"),
                "namespaces": namespaces,
            },
        });
        if self.has_filter {
            config["linux"]["seccomp"] = serde_json::from_str(PROFILE).unwrap();
        }
        config
    }
}

fn run_with_runc(directory: &Path, name: &str, config: &Value) -> String {
    fs::write(directory.join("config.json"), config.to_string()).unwrap();
    let mut runc = Command::new(RUNC);
    let out = runc.arg("--root").arg(directory.join("state")).args(["run", "--bundle"]).arg(directory).arg(name);
    let out = out.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()
}

#[test]
fn a_program_sees_what_it_sees_under_runc() {
    if !can_run("a_program_sees_what_it_sees_under_runc", &[BUSYBOX, RUNC]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for below in ["bin", "proc"] {
        fs::create_dir_all(directory.path().join("rootfs").join(below)).unwrap();
    }
    fs::copy(BUSYBOX, directory.path().join("rootfs/bin/busybox")).unwrap();
    fs::write(directory.path().join("profile"), PROFILE).unwrap();
    let mut profiles = Profiles::new(Some(directory.path().to_owned()), None);
    for (index, case) in cases().into_iter().enumerate() {
        let name = format!("cygnet-test-{}-{index}", std::process::id());
        let theirs = run_with_runc(directory.path(), &name, &case.config(&name));
        let ours = output(&[BUSYBOX, "sh", "-c", SEEN], case.user, case.confinement(&mut profiles));
        assert!(ours.contains("works"), "{ours}");
        assert_eq!(ours, theirs, "case {index}");
    }
}
