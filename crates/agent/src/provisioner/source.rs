//! The place that images come from: registries, or a directory of archives.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use containers::archive;
use containers::image::{Reference, ReferenceError};
use containers::registry::{DockerConfig, Login, Meter, Registries};
use containers::store::Store;
use tokio::task::spawn_blocking;
use urls::{Scheme, Url};

use super::download;
use super::error::BringError;
use crate::error::AgentError;
use crate::options::{ContainerOptions, DOCKER_HUB};

/// The place that images come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Archives(PathBuf),
    Registries(Arc<Registries>, Home),
}

/// The registry of images whose names have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Home {
    DockerHub,
    Other(String),
}

/// An image to be brought, and who asks for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) image: Reference,
    pub(crate) login: Option<Login>,
}

impl Source {
    /// The place that an operator names.
    pub(crate) fn of(options: &ContainerOptions) -> Result<Source, AgentError> {
        let registry = options.docker_registry.as_str();
        if registry.starts_with('/') || Path::new(registry).is_dir() {
            let directory = std::path::absolute(registry).map_err(|error| wrong("docker_registry", &error))?;
            return Ok(Source::Archives(directory));
        }
        let url = Url::absolute(registry)
            .map_err(|error| wrong("docker_registry", &format!("{error}; and there is no directory of this name")))?;
        let config = options.docker_config.as_deref().map(DockerConfig::of_flag).transpose();
        let config = config.map_err(|error| wrong("docker_config", &error))?.unwrap_or_default();
        let home = Home::of(registry);
        let mut insecure = options.insecure_registries.clone();
        if let (Home::Other(host), Scheme::Http) = (&home, url.scheme) {
            insecure.push(host.clone());
        }
        Ok(Source::Registries(Arc::new(Registries { config, insecure, ..Registries::default() }), home))
    }

    /// The image that a task's author means by this name.
    pub(super) fn image(&self, name: &str) -> Result<Reference, ReferenceError> {
        match self {
            Source::Registries(_, Home::Other(host)) if !names_registry(name) => format!("{host}/{name}").parse(),
            _ => name.parse(),
        }
    }

    /// The login for an image: by its app's own credentials, else by the agent's.
    pub(super) fn login(&self, image: &Reference, own: Option<&DockerConfig>) -> Option<Login> {
        match self {
            Source::Archives(_) => None,
            Source::Registries(registries, _) => registries.login(image, own),
        }
    }

    /// The words for an image on its way.
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Source::Archives(_) => "Loading",
            Source::Registries(..) => "Pulling",
        }
    }

    /// Brings an image into the store.
    pub(super) async fn bring(&self, store: Store, wanted: Wanted, meter: Meter) -> Result<(), BringError> {
        match self {
            Source::Archives(directory) => load(store, directory, wanted.image).await,
            Source::Registries(registries, _) => download::pull(store, registries, wanted, meter).await,
        }
    }
}

impl Home {
    fn of(url: &str) -> Home {
        if url.trim_end_matches('/') == DOCKER_HUB {
            return Home::DockerHub;
        }
        let place = url.split_once("://").map_or(url, |(_, place)| place);
        Home::Other(place.split_once('/').map_or(place, |(host, _)| host).to_owned())
    }
}

async fn load(store: Store, directory: &Path, image: Reference) -> Result<(), BringError> {
    let directory = directory.to_owned();
    spawn_blocking(move || archive::load(&store, &directory, &image)).await??;
    Ok(())
}

/// The first part of a name is a host if it could be no part of a repository.
fn names_registry(name: &str) -> bool {
    name.split_once('/').is_some_and(|(first, _)| first.contains(['.', ':']) || first == "localhost")
}

fn wrong(name: &'static str, reason: &dyn std::fmt::Display) -> AgentError {
    AgentError::Option { name, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(registry: &str) -> Result<Source, AgentError> {
        Source::of(&ContainerOptions { docker_registry: registry.to_owned(), ..ContainerOptions::default() })
    }

    #[test]
    fn names_without_a_registry_mean_the_operators() {
        for (registry, name, meant) in [
            (DOCKER_HUB, "nginx", "docker.io/library/nginx:latest"),
            ("http://registry.here:5000", "nginx", "registry.here:5000/nginx:latest"),
            ("https://registry.here", "team/app:2", "registry.here/team/app:2"),
            ("https://registry.here", "localhost/app", "localhost/app:latest"),
            ("https://registry.here", "docker.io/app", "docker.io/library/app:latest"),
            ("/images", "app:1", "docker.io/library/app:1"),
        ] {
            let found = source(registry).unwrap().image(name).unwrap().to_string();
            assert_eq!(found, meant, "{name} at {registry}");
        }
        let Source::Registries(registries, _) = source("http://registry.here:5000").unwrap() else { panic!() };
        assert_eq!(registries.insecure, ["registry.here:5000"]);
        assert!(matches!(source("src").unwrap(), Source::Archives(directory) if directory.is_absolute()));
        let error = source("registry.here").unwrap_err().to_string();
        assert!(error.contains("docker_registry") && error.contains("no directory of this name"), "{error}");
    }
}
