//! The calls of the Engine API, of Docker 20.10 and newer and of podman.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::container::{Container, Image};
use super::error::DockerError;
use super::logs::{Logs, Position};
use super::names::Labels;
use super::pull::{self, Pull};
use super::secrets::hide;
use super::wire::{Answer, Call, encoded};
use crate::registry::{Login, Progress};

/// The time for questions.
const QUICK: Duration = Duration::from_secs(5);
/// The time for what makes, starts or removes a container: a disk that is busy takes its time.
const SLOW: Duration = Duration::from_secs(120);
/// The time in which a pull must go on.
const STALL: Duration = Duration::from_secs(60);

/// The way to a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    socket: PathBuf,
    stall: Duration,
}

/// The daemon about itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Daemon {
    /// Its version.
    pub server_version: String,
    /// True if containers go on when Docker's daemon ends.
    pub live_restore_enabled: bool,
    /// Named by podman alone, whose containers go on in any case.
    pub buildah_version: Option<String>,
}

impl Daemon {
    /// True if containers go on when it ends.
    pub fn is_outlived(&self) -> bool {
        self.live_restore_enabled || self.buildah_version.is_some()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    #[serde(default)]
    labels: Option<Labels>,
}

impl Engine {
    /// The daemon with this socket.
    pub fn new(socket: impl Into<PathBuf>) -> Engine {
        Engine { socket: socket.into(), stall: STALL }
    }

    /// The same with another bound on the silence of a pull.
    pub fn with_stall(self, stall: Duration) -> Engine {
        Engine { stall, ..self }
    }

    /// The daemon's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Asks the daemon about itself.
    pub async fn daemon(&self) -> Result<Daemon, DockerError> {
        self.get("/info").await?.accepted().await?.document().await
    }

    /// The image of this name, if the daemon has it.
    pub async fn image(&self, name: &str) -> Result<Option<Image>, DockerError> {
        let answer = self.get(&format!("/images/{}/json", encoded(name))).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        answer.accepted().await?.document().await.map(Some)
    }

    /// Has the daemon pull an image, as this login if it has one; how far that is, is written to `progress`.
    pub async fn pull(
        &self,
        name: &str,
        login: Option<&Login>,
        progress: &watch::Sender<Progress>,
    ) -> Result<(), DockerError> {
        let (name, tag) = with_tag(name);
        let target = format!("/images/create?fromImage={}&tag={}", encoded(name), encoded(tag));
        let login = login.map(pull::header);
        let call = Call { login, ..Call::new(Method::POST, target, self.stall) };
        Pull::new(call.send(&self.socket).await?.accepted().await?, progress).finish().await
    }

    /// Makes a container of this name. Nothing, if there is one of this name.
    pub async fn create(&self, name: &str, body: Value) -> Result<Option<String>, DockerError> {
        let target = format!("/containers/create?name={}", encoded(name));
        let call = Call { body: Some(body), ..Call::new(Method::POST, target, SLOW) };
        let answer = call.send(&self.socket).await?;
        if answer.status() == StatusCode::CONFLICT {
            return Ok(None);
        }
        let created: Created = answer.accepted().await?.document().await?;
        Ok(Some(created.id))
    }

    /// Starts a container; one that runs already goes on.
    pub async fn start(&self, id: &str) -> Result<(), DockerError> {
        self.post(format!("/containers/{}/start", encoded(id)), SLOW).await?.accepted().await.map(drop)
    }

    /// The container of this name or id, if there is one, as the daemon tells it, without the values of these variables.
    pub async fn inspect(&self, id: &str, secrets: &BTreeSet<String>) -> Result<Option<Value>, DockerError> {
        let answer = self.get(&format!("/containers/{}/json", encoded(id))).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let mut told = answer.accepted().await?.document().await?;
        hide(&mut told, secrets);
        Ok(Some(told))
    }

    /// The answer of [`Engine::inspect`], as it is understood here.
    pub fn understood(&self, told: &Value) -> Result<Container, DockerError> {
        Container::of(told).map_err(|error| self.nonsense(error.to_string()))
    }

    /// The daemon has said something that cannot be.
    pub fn nonsense(&self, problem: String) -> DockerError {
        DockerError::Nonsense { socket: self.socket.clone(), problem }
    }

    /// Sends a signal, by its number, to the first process of a container.
    pub async fn kill(&self, id: &str, signal: i32) -> Result<(), DockerError> {
        self.post(format!("/containers/{}/kill?signal={signal}", encoded(id)), QUICK).await?.accepted().await.map(drop)
    }

    /// Kills and removes a container with its volumes of no name. That it is gone already is fine.
    pub async fn remove(&self, id: &str) -> Result<(), DockerError> {
        let call = Call::new(Method::DELETE, format!("/containers/{}?force=1&v=1", encoded(id)), SLOW);
        let answer = call.send(&self.socket).await?;
        match answer.status() {
            // The second: somebody else removes it at this moment.
            StatusCode::NOT_FOUND | StatusCode::CONFLICT => Ok(()),
            _ => answer.accepted().await.map(drop),
        }
    }

    /// The containers that have this label, whatever its value, with all their labels.
    pub async fn list(&self, label: &str) -> Result<Vec<(String, Labels)>, DockerError> {
        let filters = encoded(&json!({ "label": [label] }).to_string());
        let answer = self.get(&format!("/containers/json?all=1&filters={filters}")).await?;
        let listed: Vec<Listed> = answer.accepted().await?.document().await?;
        Ok(listed.into_iter().map(|container| (container.id, container.labels.unwrap_or_default())).collect())
    }

    /// The output of a container, from this position on.
    pub async fn logs(&self, id: &str, from: Position) -> Result<Logs, DockerError> {
        let (since, id) = (from.since(), encoded(id));
        let target = format!("/containers/{id}/logs?follow=1&stdout=1&stderr=1&timestamps=1&since={since}");
        let answer = self.get(&target).await?.accepted().await?;
        Ok(Logs::new(answer.patient(), from))
    }

    async fn get(&self, target: &str) -> Result<Answer, DockerError> {
        Call::new(Method::GET, target, QUICK).send(&self.socket).await
    }

    async fn post(&self, target: String, patience: Duration) -> Result<Answer, DockerError> {
        Call::new(Method::POST, target, patience).send(&self.socket).await
    }
}

/// A name and its tag or digest. Without one, the API would take all there are.
fn with_tag(name: &str) -> (&str, &str) {
    if let Some(parts) = name.split_once('@') {
        return parts;
    }
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (name, "latest"),
    }
}

#[cfg(test)]
mod tests;
