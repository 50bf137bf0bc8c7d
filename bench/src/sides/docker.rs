//! `docker exec` as the daemon's API has it: what an executor that leaves its commands to Docker pays. The container holds
//! this machine's own `true` and a program that waits; the CPU is that of the daemon and whatever it starts.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::cpu;
use crate::load::Time;
use crate::measured::Measured;

const SOCKET: &str = "/var/run/docker.sock";
const IMAGE: &str = "cygnet-bench-true";
/// The command whose cost is measured.
const TRUE: &str = "/usr/bin/true";
const WAIT: &str = include_str!("../../c/wait.c");

/// The processes that work for `docker exec`; they wait for what they start.
const DAEMONS: [&str; 3] = ["dockerd", "containerd", "containerd-shim"];

/// A container that runs, and is removed when this is dropped.
pub(super) struct Container(String);

impl Container {
    /// Files go to `directory`.
    pub(super) fn start(directory: &Path) -> anyhow::Result<Container> {
        UnixStream::connect(SOCKET).context("no Docker daemon answers")?;
        let image = image(directory)?;
        ask("POST", &format!("/images/create?fromSrc=-&repo={IMAGE}"), "application/x-tar", &image)?;
        let host = json!({ "NetworkMode": "none" });
        let made = post("/containers/create", &json!({ "Image": IMAGE, "Cmd": ["/wait"], "HostConfig": host }))?;
        let container = Container(text(&made, "Id")?);
        post(&format!("/containers/{}/start", container.0), &Value::Null)?;
        Ok(container)
    }

    /// One after the other.
    pub(super) fn round(&self, time: Time) -> anyhow::Result<Measured> {
        self.work(time.warm_up)?;
        let (before, from) = (spent()?, Moment::now());
        let checks = self.work(time.counted)?;
        let cpu_us = spent()?.saturating_sub(before).as_secs_f64() * 1e6;
        Ok(Measured { checks, seconds: from.age().as_secs_f64(), cpu_us, ..Measured::default() })
    }

    fn work(&self, time: Duration) -> anyhow::Result<u64> {
        let (from, mut checks) = (Moment::now(), 0);
        while from.age() < time {
            let made = post(&format!("/containers/{}/exec", self.0), &json!({ "Cmd": [TRUE], "AttachStdout": true }))?;
            let exec = text(&made, "Id")?;
            // Ends when the program does.
            post(&format!("/exec/{exec}/start"), &json!({ "Detach": false }))?;
            let ended = ask("GET", &format!("/exec/{exec}/json"), "", &[])?;
            anyhow::ensure!(ended.get("ExitCode") == Some(&json!(0)), "docker exec failed: {ended}");
            checks += 1;
        }
        Ok(checks)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _gone_already = ask("DELETE", &format!("/containers/{}?force=true", self.0), "", &[]);
        let _used_by_somebody = ask("DELETE", &format!("/images/{IMAGE}"), "", &[]);
    }
}

/// A file system of two programs, and what one of them is linked to.
fn image(directory: &Path) -> anyhow::Result<Vec<u8>> {
    let (source, program) = (directory.join("wait.c"), directory.join("wait"));
    fs::write(&source, WAIT)?;
    let compiled = Command::new("cc").args(["-O2", "-static", "-o"]).args([&program, &source]).output();
    anyhow::ensure!(compiled.context("there is no C compiler (cc)")?.status.success(), "cc cannot link statically");
    let mut tar = Command::new("tar");
    tar.args(["-ch", "--transform=s,^/,,", "-P"]).arg(TRUE).args(libraries()?).arg("-C").arg(directory).arg("wait");
    Ok(tar.output().context("there is no tar")?.stdout)
}

/// The paths in what `ldd` prints.
fn libraries() -> anyhow::Result<Vec<String>> {
    let listed = Command::new("ldd").arg(TRUE).output().context("there is no ldd")?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    Ok(listed.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned).collect())
}

fn post(path: &str, body: &Value) -> anyhow::Result<Value> {
    ask("POST", path, "application/json", body.to_string().as_bytes())
}

/// A connection for each call. What comes back is JSON, or not of interest.
fn ask(method: &str, path: &str, kind: &str, body: &[u8]) -> anyhow::Result<Value> {
    let mut stream = UnixStream::connect(SOCKET)?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, rest) = answer.split_once("\r\n\r\n").context("Docker breaks off")?;
    let good = head.split(' ').nth(1).is_some_and(|status| status.starts_with('2') || status == "101");
    anyhow::ensure!(good, "Docker refuses {method} {path}: {}", rest.trim());
    // In one piece, perhaps with the length of the piece around it.
    let json = rest.find('{').zip(rest.rfind('}')).and_then(|(from, to)| rest.get(from..=to));
    Ok(json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default())
}

fn text(answer: &Value, field: &str) -> anyhow::Result<String> {
    Ok(answer
        .get(field)
        .and_then(Value::as_str)
        .with_context(|| format!("Docker gives no {field}: {answer}"))?
        .to_owned())
}

fn spent() -> anyhow::Result<Duration> {
    let processes = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let is_daemon = |pid: &String| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        DAEMONS.iter().any(|daemon| name.trim() == *daemon || name.starts_with("containerd-shim"))
    };
    // A process that ends meanwhile is reaped by its parent.
    let cpu = |pid: String| cpu::with_children(&pid).unwrap_or_default();
    Ok(processes.filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit())).filter(is_daemon).map(cpu).sum())
}
