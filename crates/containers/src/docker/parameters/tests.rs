use super::*;

fn applied(parameters: &[(&str, &str)]) -> Result<(Value, Value), String> {
    let mut body = Body::default();
    for (key, value) in parameters {
        apply(&mut body, key, value).map_err(|error| error.to_string())?;
    }
    Ok((Value::Object(body.config), Value::Object(body.host)))
}

#[test]
fn every_option_has_its_place() {
    let config = |parameter| applied(&[parameter]).unwrap().0;
    let host = |parameter| applied(&[parameter]).unwrap().1;
    for (parameter, expected) in [
        (("user", "web:web"), json!({"User": "web:web"})),
        (("w", "/srv"), json!({"WorkingDir": "/srv"})),
        (("e", "A=b=c"), json!({"Env": ["A=b=c"]})),
        (("entrypoint", "/run.sh"), json!({"Entrypoint": ["/run.sh"]})),
        (("expose", "53/udp"), json!({"ExposedPorts": {"53/udp": {}}})),
        (("label", "a=b"), json!({"Labels": {"a": "b"}})),
        (("stop-signal", "SIGQUIT"), json!({"StopSignal": "SIGQUIT"})),
    ] {
        assert_eq!(config(parameter), expected);
    }
    for (parameter, expected) in [
        (("cap-add", "NET_ADMIN"), json!({"CapAdd": ["NET_ADMIN"]})),
        (("ulimit", "nofile=1024"), json!({"Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 1024}]})),
        (("ulimit", "core=0:-1"), json!({"Ulimits": [{"Name": "core", "Soft": 0, "Hard": -1}]})),
        (("tmpfs", "/run:size=1m"), json!({"Tmpfs": {"/run": "size=1m"}})),
        (("read-only", "true"), json!({"ReadonlyRootfs": true})),
        (("security-opt", "no-new-privileges"), json!({"SecurityOpt": ["no-new-privileges"]})),
        (("shm-size", "64m"), json!({"ShmSize": 64 << 20})),
        (("memory-swap", "-1"), json!({"MemorySwap": -1})),
        (("sysctl", "net.core.somaxconn=9"), json!({"Sysctls": {"net.core.somaxconn": "9"}})),
        (("init", ""), json!({"Init": true})),
        (("net", "blue"), json!({"NetworkMode": "blue"})),
        (("log-driver", "syslog"), json!({"LogConfig": {"Type": "syslog", "Config": {}}})),
        (
            ("device", "/dev/fuse"),
            json!({"Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}]}),
        ),
    ] {
        assert_eq!(host(parameter), expected);
    }
}

#[test]
fn options_that_are_repeated_add_up() {
    let (config, host) = applied(&[("dns", "1.1.1.1"), ("dns", "8.8.8.8"), ("env", "A=1"), ("env", "B=2")]).unwrap();
    assert_eq!((&host["Dns"], &config["Env"]), (&json!(["1.1.1.1", "8.8.8.8"]), &json!(["A=1", "B=2"])));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let refused = |key, value| applied(&[(key, value)]).unwrap_err();
    assert_eq!(refused("name", "x"), "Parameter in DockerInfo must not be 'name'");
    for (key, why) in [("restart", "framework"), ("rm", "executor"), ("publish", "port"), ("gpus", "no such option")] {
        let error = refused(key, "x");
        assert!(error.contains(&format!("'{key}'")) && error.contains(why), "{error}");
    }
    for (key, value) in [
        ("ulimit", "nofile"),
        ("device", "/dev/a:/dev/b:xyz"),
        ("read-only", "perhaps"),
        ("shm-size", "much"),
        ("memory", "99999999999g"),
        ("label", "cygnet.state=/elsewhere"),
        ("env", "HOME"),
        ("security-opt", "seccomp=/profile.json"),
        ("security-opt", "seccomp:{}"),
        ("pids-limit", ""),
    ] {
        let error = refused(key, value);
        assert!(error.contains(&format!("'{key}'")) && error.contains(value), "{error}");
    }
}
