//! Filters as the kernel would run them.

use mesos::v1::linux_info::SeccompInfo;
use processes::{CapabilitySet, Filter};
use serde_json::{Value, json};

use super::numbers::machine;
use super::profile::{Profile, Subject};
use super::simulator::run;
use super::*;
use crate::capabilities::{ALL, DOCKER_DEFAULT, number};

const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;
const KILL: u32 = 0x8000_0000;

const X86_64: u32 = 0xc000_003e;
const X86: u32 = 0x4000_0003;
const AARCH64: u32 = 0xc000_00b7;

fn subject(capabilities: CapabilitySet) -> Subject {
    Subject { capabilities, architecture: "amd64", kernel: (6, 1) }
}

fn compiled(profile: &Profile, capabilities: CapabilitySet) -> Filter {
    profile.compile(machine("x86_64").unwrap(), &subject(capabilities)).unwrap()
}

/// The answer to a call by its name, with this as its first argument.
fn answer(filter: &Filter, name: &str, first: u64) -> u32 {
    let numbers = &machine("x86_64").unwrap()[0].1;
    run(filter, X86_64, numbers[name], [first, 0, 0, 0, 0, 0])
}

fn profile(calls: Value) -> Profile {
    let text = json!({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": calls}).to_string();
    Profile::parse(text.as_bytes()).unwrap()
}

/// The instructions of a call that the kernel tries out when the filter is set: up to an answer, or to an argument, which
/// it does not know yet.
fn tried(filter: &Filter, audit: u32, number: u32) -> usize {
    let (mut word, mut next, mut count) = (0, 0, 0);
    loop {
        let instruction = filter.instructions()[next];
        let jump = |is_met: bool| usize::from(if is_met { instruction.jump_true } else { instruction.jump_false });
        (next, count) = (next + 1, count + 1);
        match (instruction.code, instruction.value) {
            (0x20, 0) => word = number,
            (0x20, 4) => word = audit,
            (0x15, value) => next += jump(word == value),
            (0x35, value) => next += jump(word >= value),
            (0x05, value) => next += value as usize,
            _ => return count,
        }
    }
}

#[test]
fn the_kernel_tries_out_the_numbers_of_the_machines_own_architecture_only() {
    let filter = compiled(&Profile::builtin(), DOCKER_DEFAULT);
    let most = |audit| (0..470).map(|number| tried(&filter, audit, number)).max();
    assert_eq!(most(X86), Some(4));
    assert!(most(X86_64) < Some(16), "{:?}", most(X86_64));
}

#[test]
fn the_default_is_dockers() {
    let filter = compiled(&Profile::builtin(), DOCKER_DEFAULT);
    for (name, first, expected) in [
        ("read", 0, ALLOW),
        ("execve", 0, ALLOW),
        ("ptrace", 0, ALLOW),
        ("chroot", 0, ALLOW),
        ("removexattrat", 0, ALLOW),
        ("mount", 0, EPERM),
        ("unshare", 0, EPERM),
        ("setns", 0, EPERM),
        ("keyctl", 0, EPERM),
        ("add_key", 0, EPERM),
        ("bpf", 0, EPERM),
        ("io_uring_setup", 0, EPERM),
        ("reboot", 0, EPERM),
        ("open_by_handle_at", 0, EPERM),
        ("clone3", 0, ENOSYS),
        ("file_getattr", 0, ENOSYS),
        ("clone", 0x0120_0011, ALLOW),
        ("clone", 0x0400_0000, EPERM),
        ("clone", 0x1000_0000, EPERM),
        ("personality", 0, ALLOW),
        ("personality", 0xffff_ffff, ALLOW),
        ("personality", 0x0004_0000, EPERM),
        ("socket", 1, ALLOW),
        ("socket", 16, ALLOW),
        ("socket", 38, EPERM),
        ("socket", 40, EPERM),
        ("socket", 46, ALLOW),
        ("socket", 0x1_0000_0026, EPERM),
    ] {
        assert_eq!(answer(&filter, name, first), expected, "{name} {first:#x}");
    }
    assert!(filter.instructions().len() < 220, "{}", filter.instructions().len());
}

#[test]
fn capabilities_open_what_they_are_for() {
    for (capability, name) in [
        ("SYS_ADMIN", "mount"),
        ("SYS_ADMIN", "clone3"),
        ("SYS_ADMIN", "bpf"),
        ("BPF", "bpf"),
        ("SYSLOG", "syslog"),
        ("SYS_BOOT", "reboot"),
        ("SYS_PTRACE", "kcmp"),
    ] {
        let with = compiled(&Profile::builtin(), [number(capability).unwrap()].into_iter().collect());
        assert_eq!(answer(&with, name, u64::MAX), ALLOW, "{capability}: {name}");
    }
    let privileged = compiled(&Profile::builtin(), ALL);
    assert_eq!([answer(&privileged, "clone", u64::MAX), answer(&privileged, "keyctl", 0)], [ALLOW, EPERM]);
}

#[test]
fn calls_of_other_architectures_are_judged_by_their_own_numbers() {
    let filter = compiled(&Profile::builtin(), DOCKER_DEFAULT);
    let of = |audit, number| run(&filter, audit, number, [0; 6]);
    assert_eq!([of(X86, 3), of(X86, 21), of(X86, 120), of(X86, 435)], [ALLOW, EPERM, ALLOW, ENOSYS]);
    assert_eq!([of(X86_64, 0x4000_0000), of(X86_64, 500), of(X86, 999)], [ENOSYS; 3], "nobody knows them");
    assert_eq!(of(AARCH64, 63), KILL);
    let subject = Subject { architecture: "arm64", ..subject(DOCKER_DEFAULT) };
    let filter = Profile::builtin().compile(machine("aarch64").unwrap(), &subject).unwrap();
    let of = |number| run(&filter, AARCH64, number, [0; 6]);
    assert_eq!([of(63), of(40), of(435), of(500)], [ALLOW, EPERM, ENOSYS, ENOSYS]);
}

#[test]
fn a_profile_that_allows_all_else_is_not_passed_by_another_abi() {
    let text = json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": null}],
        "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_KILL_PROCESS"}],
    });
    let filter = compiled(&Profile::parse(text.to_string().as_bytes()).unwrap(), DOCKER_DEFAULT);
    let of = |audit, number| run(&filter, audit, number, [0; 6]);
    assert_eq!([of(X86_64, 165), of(X86_64, 164), of(X86_64, 999)], [KILL, ALLOW, ALLOW]);
    assert_eq!([of(X86_64, 0x4000_0000 + 165), of(X86, 21), of(X86, 3)], [ENOSYS, KILL, KILL]);
}

#[test]
fn arguments_are_compared_in_all_their_bits() {
    const VALUES: [u64; 9] =
        [0, 1, 5, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0005, 0x5_0000_0001, u64::MAX - 1, u64::MAX];
    type Holds = fn(u64, u64) -> bool;
    let operators: [(&str, Holds); 7] = [
        ("SCMP_CMP_EQ", |argument, value| argument == value),
        ("SCMP_CMP_NE", |argument, value| argument != value),
        ("SCMP_CMP_LT", |argument, value| argument < value),
        ("SCMP_CMP_LE", |argument, value| argument <= value),
        ("SCMP_CMP_GT", |argument, value| argument > value),
        ("SCMP_CMP_GE", |argument, value| argument >= value),
        ("SCMP_CMP_MASKED_EQ", |argument, value| argument & value == 1),
    ];
    for (operator, holds) in operators {
        for value in VALUES {
            let condition = json!({"index": 5, "value": value, "valueTwo": 1, "op": operator});
            let other = json!({"index": 1, "value": 7, "op": "SCMP_CMP_EQ"});
            let rule = json!({"names": ["fsync"], "action": "SCMP_ACT_ALLOW", "args": [condition, other]});
            let filter = compiled(&profile(json!([rule])), DOCKER_DEFAULT);
            for argument in VALUES {
                let answer = |second| run(&filter, X86_64, 74, [0, second, 0, 0, 0, argument]);
                let expected = if holds(argument, value) { ALLOW } else { EPERM };
                assert_eq!([answer(7), answer(8)], [expected, EPERM], "{argument:#x} {operator} {value:#x}");
            }
        }
    }
}

#[test]
fn the_first_rule_that_holds_decides_and_one_without_conditions_comes_last() {
    let on = |action: &str, value: u64| {
        let condition = json!({"index": 0, "value": value, "op": "SCMP_CMP_EQ"});
        json!({"name": "fsync", "action": action, "args": [condition]})
    };
    let filter = compiled(
        &profile(json!([
            {"names": ["fsync", "no_such_call"], "action": "SCMP_ACT_LOG"},
            on("SCMP_ACT_TRAP", 1),
            on("SCMP_ACT_KILL", 1),
            on("SCMP_ACT_TRACE", 2),
            {"names": ["fsync"], "action": "SCMP_ACT_ALLOW"},
        ])),
        DOCKER_DEFAULT,
    );
    assert_eq!([1, 2, 3].map(|first| answer(&filter, "fsync", first)), [0x0003_0000, 0x7ff0_0001, 0x7ffc_0000]);
    let twice = json!([{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]);
    let either = json!([{"names": ["fsync"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "args": twice}]);
    let filter = compiled(&profile(either), DOCKER_DEFAULT);
    assert_eq!([1, 2, 3].map(|first| answer(&filter, "fsync", first)), [ENOSYS, ENOSYS, EPERM]);
}

#[test]
fn rules_are_for_containers_and_machines() {
    let allowed = |extra: Value| {
        let mut rule = json!({"names": ["fsync"], "action": "SCMP_ACT_ALLOW"});
        rule.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let calls = json!([rule, {"names": ["msync"], "action": "SCMP_ACT_ALLOW"}, {"names": ["getcpu"], "action": "SCMP_ACT_ALLOW"}]);
        answer(&compiled(&profile(calls), DOCKER_DEFAULT), "fsync", 0) == ALLOW
    };
    for (extra, expected) in [
        (json!({}), true),
        (json!({"includes": {}, "excludes": null}), true),
        (json!({"includes": {"caps": ["CAP_CHOWN", "CAP_KILL"]}}), true),
        (json!({"includes": {"caps": ["CAP_CHOWN", "CAP_BPF"]}}), false),
        (json!({"excludes": {"caps": ["CAP_CHOWN", "CAP_BPF"]}}), false),
        (json!({"excludes": {"caps": ["CAP_BPF"]}}), true),
        (json!({"includes": {"arches": ["arm64", "amd64"]}}), true),
        (json!({"includes": {"arches": ["arm64"]}}), false),
        (json!({"excludes": {"arches": ["amd64"]}}), false),
        (json!({"includes": {"minKernel": "4.8"}}), true),
        (json!({"includes": {"minKernel": "6.2"}}), false),
        (json!({"excludes": {"minKernel": "6.1"}}), false),
    ] {
        assert_eq!(allowed(extra.clone()), expected, "{extra}");
    }
}

#[test]
fn a_profile_with_a_fault_says_which() {
    let call = |fields: Value| json!({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [fields]}).to_string();
    let argument = |index: u32, op: &str| {
        let args = json!([{"index": index, "value": 0, "op": op}]);
        call(json!({"names": ["fsync"], "action": "SCMP_ACT_ALLOW", "args": args}))
    };
    let allow = |extra: Value| {
        let mut fields = json!({"names": ["fsync"], "action": "SCMP_ACT_ALLOW"});
        fields.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        call(fields)
    };
    for (text, words) in [
        (String::new(), "EOF while parsing a value"),
        ("{}".to_owned(), "missing field `defaultAction`"),
        (format!("{{\"syscalls\": {}", "[".repeat(100_000)), "invalid type: sequence"),
        (" ".repeat(1024 * 1024 + 1), "larger than 1048576 bytes"),
        (json!({"defaultAction": "SCMP_ACT_NOTIFY"}).to_string(), "unsupported action 'SCMP_ACT_NOTIFY'"),
        (call(json!({"names": [], "name": "a", "action": "x"})), "unsupported action 'x'"),
        (call(json!({"names": ["a"], "name": "a", "action": "SCMP_ACT_LOG"})), "'name' and 'names' are both given"),
        (argument(6, "SCMP_CMP_EQ"), "system calls have no argument 6"),
        (argument(0, "=="), "unsupported operator '=='"),
        (allow(json!({"errnoRet": 4096})), "no error has the number 4096"),
        (allow(json!({"includes": {"caps": ["CAP_X"]}})), "unknown capability 'CAP_X'"),
        (allow(json!({"includes": {"minKernel": "new"}})), "'new' is no version of a kernel"),
        (
            json!({"defaultAction": "SCMP_ACT_LOG", "architectures": ["a"], "archMap": [{"architecture": "a"}]})
                .to_string(),
            "'architectures' and 'archMap' are both given",
        ),
    ] {
        let error = Profile::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let conditions = |value: u32| [0, 1].map(|index| json!({"index": index, "value": value, "op": "SCMP_CMP_GT"}));
    let call =
        |(name, number): (&&str, &u32)| json!({"name": name, "action": "SCMP_ACT_TRAP", "args": conditions(*number)});
    let all: Vec<_> = machine("x86_64").unwrap()[0].1.iter().map(call).collect();
    let error = profile(json!(all)).compile(machine("x86_64").unwrap(), &subject(ALL)).unwrap_err();
    assert!(matches!(error, ProfileError::TooManyInstructions(4097..)), "{error}");
}

#[test]
fn profiles_have_names_and_are_compiled_once() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("strict", r#"{"defaultAction": "SCMP_ACT_KILL"}"#);
    write("wrong", "{");
    std::fs::create_dir(directory.path().join("sub")).unwrap();
    let mut profiles = Profiles::new(Some(directory.path().to_owned()), None);
    let named = |name: &str| Some(SeccompInfo { profile_name: Some(name.to_owned()), unconfined: None });
    let mut filter = |info: Option<SeccompInfo>| {
        let found = profiles.filter(info.as_ref(), DOCKER_DEFAULT);
        found.map_err(|error| error.to_string().replace(&directory.path().display().to_string(), "DIR"))
    };
    let [first, second] = [(); 2].map(|()| filter(named("strict")).unwrap().unwrap());
    assert!(std::ptr::eq(first.instructions(), second.instructions()));
    write("strict", r#"{"defaultAction": "SCMP_ACT_TRAP"}"#);
    assert_ne!(filter(named("strict")).unwrap().unwrap(), first, "a file that has changed is read again");
    assert!(filter(None).unwrap().is_some_and(|filter| filter.instructions().len() > 100), "the built-in one");
    let unconfined = |profile_name| Some(SeccompInfo { profile_name, unconfined: Some(true) });
    assert_eq!(filter(unconfined(None)), Ok(None));
    for (info, words) in [
        (unconfined(Some("strict".to_owned())), "Invalid Seccomp configuration: 'profile_name' given even though"),
        (Some(SeccompInfo::default()), "Missing Seccomp profile name"),
        (named("wrong"), "Seccomp profile DIR/wrong: EOF while parsing"),
        (named("absent"), "cannot read the Seccomp profile DIR/absent: No such file"),
        (named("sub"), "cannot read the Seccomp profile DIR/sub: invalid"),
        (named("../strict"), "Seccomp profile '../strict': the name of a profile is that of a file"),
        (named(".."), "Seccomp profile '..'"),
        (named("strict/"), "Seccomp profile 'strict/'"),
    ] {
        let error = filter(info).unwrap_err();
        assert!(error.starts_with(words), "{error}");
    }
    let error = Profiles::new(None, None).filter(named("strict").as_ref(), ALL).unwrap_err();
    assert_eq!(error.to_string(), "Seccomp profile 'strict': the agent has no --seccomp_config_dir");
}
