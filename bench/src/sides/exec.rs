//! `docker exec` as the daemon's API has it: what an executor that leaves its commands to Docker pays. The container is
//! one of busybox; the CPU is that of the daemon and whatever it starts.

use std::time::Duration;

use anyhow::Context;
use harness::archive::Archive;
use harness::busybox;
use harness::docker::Docker;
use harness::images::{Image, tar};
use harness::machine::on_a_machine;
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::cpu;
use crate::load::{TRUE, Time};
use crate::measured::Measured;

const IMAGE: &str = "cygnet-bench-true:1";

/// A daemon of our own, in a network of its own, with a container.
pub(super) struct Daemon(Docker);

/// A container in which commands are run; it is removed when this is dropped.
pub(crate) struct Exec<'a> {
    docker: &'a Docker,
    container: String,
}

impl Daemon {
    pub(super) fn start() -> anyhow::Result<Daemon> {
        if let Some(lacking) = busybox::lacking() {
            anyhow::bail!("{lacking}");
        }
        let docker = on_a_machine(|| Docker::start("docker exec")).flatten();
        let docker = docker.context("Docker is not installed, or does not start (Debian: docker.io)")?;
        let image = Image::busybox(Archive::new(), &json!({ "Cmd": ["sleep", "100000"] }));
        docker.load(&tar(&image.docker(&[IMAGE])).tar());
        Ok(Daemon(docker))
    }

    /// One after the other.
    pub(super) fn round(&self, time: Time) -> anyhow::Result<Measured> {
        let exec = Exec::start(&self.0, IMAGE)?;
        exec.work(time.warm_up)?;
        let (before, from) = (spent(&self.0), Moment::now());
        let checks = exec.work(time.counted)?;
        let cpu_us = spent(&self.0).saturating_sub(before).as_secs_f64() * 1e6;
        Ok(Measured { checks, seconds: from.age().as_secs_f64(), cpu_us, ..Measured::default() })
    }
}

impl<'a> Exec<'a> {
    /// A container of an image whose command waits.
    pub(crate) fn start(docker: &'a Docker, image: &str) -> anyhow::Result<Exec<'a>> {
        let host = json!({ "NetworkMode": "none" });
        let made = ask(docker, "POST", "/containers/create", &json!({ "Image": image, "HostConfig": host }))?;
        let exec = Exec { docker, container: id(&made)? };
        ask(docker, "POST", &format!("/containers/{}/start", exec.container), &Value::Null)?;
        Ok(exec)
    }

    pub(crate) fn docker(&self) -> &'a Docker {
        self.docker
    }

    /// Runs commands for a time, one after the other; their number.
    pub(crate) fn work(&self, time: Duration) -> anyhow::Result<u64> {
        let (from, mut checks) = (Moment::now(), 0);
        while from.age() < time {
            let command = json!({ "Cmd": [TRUE], "AttachStdout": true });
            let made = ask(self.docker, "POST", &format!("/containers/{}/exec", self.container), &command)?;
            let exec = id(&made)?;
            // Ends when the program does.
            ask(self.docker, "POST", &format!("/exec/{exec}/start"), &json!({ "Detach": false }))?;
            let ended = ask(self.docker, "GET", &format!("/exec/{exec}/json"), &Value::Null)?;
            anyhow::ensure!(ended["ExitCode"] == 0, "docker exec failed: {ended}");
            checks += 1;
        }
        Ok(checks)
    }
}

impl Drop for Exec<'_> {
    fn drop(&mut self) {
        let _gone_already =
            self.docker.call("DELETE", &format!("/containers/{}?force=true", self.container), &Value::Null);
    }
}

/// The CPU of a daemon and what works for it, with all they have started and waited for. One that ends meanwhile is its
/// parent's.
pub(crate) fn spent(docker: &Docker) -> Duration {
    docker.processes().iter().map(|pid| cpu::with_children(&pid.to_string()).unwrap_or_default()).sum()
}

/// The answer as JSON; nothing if it is none, as that of a command that says nothing.
fn ask(docker: &Docker, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    let answer = docker.call(method, path, body).context("Docker breaks off")?;
    anyhow::ensure!((200..300).contains(&answer.status), "Docker refuses {method} {path}: {}", answer.text().trim());
    Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
}

fn id(answer: &Value) -> anyhow::Result<String> {
    Ok(answer["Id"].as_str().with_context(|| format!("Docker gives no id: {answer}"))?.to_owned())
}
