//! Reasons for which a container does not get what it needs. Each names the image, the registry or the file.

use std::io;
use std::sync::Arc;

use containers::archive::ArchiveError;
use containers::image::{Reference, ReferenceError};
use containers::registry::{ConfigError, PullError};
use containers::spec::SecretError;
use containers::store::StoreError;
use tokio::task::JoinError;

use crate::core::Unprovided;
use crate::networks::NetworkFault;

/// Why a container does not get what it needs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProvisionError {
    /// Its image is not here.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The record for the executor cannot be written down.
    #[error("cannot write down what was made ready for task '{task}': {source}")]
    Write { task: String, source: io::Error },
    /// Its networks.
    #[error(transparent)]
    Network(#[from] NetworkFault),
    /// Nobody waits for it any more.
    #[error("the run is over")]
    Over,
    /// A thread of ours panicked.
    #[error("{0}")]
    Panicked(#[from] JoinError),
}

impl From<ProvisionError> for Unprovided {
    fn from(error: ProvisionError) -> Unprovided {
        match error {
            ProvisionError::Image(error) => Unprovided::Image(error.into()),
            ProvisionError::Network(fault) => Unprovided::Network(fault.into()),
            ProvisionError::Write { .. } => Unprovided::Record(error.into()),
            ProvisionError::Over => Unprovided::Over,
            ProvisionError::Panicked(_) => Unprovided::Panicked,
        }
    }
}

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    /// The operator wants no images, or has no place for them.
    #[error("this agent has no images: its option 'image_providers' is without 'docker'")]
    None,
    /// Another kind than Docker's.
    #[error("images are of type DOCKER, and have a 'docker' with a name")]
    Kind,
    /// Its name is none.
    #[error(transparent)]
    Name(#[from] ReferenceError),
    /// The credentials of its app are none.
    #[error("the credentials of image '{image}': {source}")]
    Config { image: Reference, source: Box<ConfigError> },
    /// The credentials of its app cannot be found.
    #[error("the credentials of image '{image}': {source}")]
    Secret { image: Reference, source: Box<SecretError> },
    /// It could not be brought.
    #[error(transparent)]
    Bring(#[from] Arc<BringError>),
    /// The store does not say.
    #[error("image '{image}': {source}")]
    Store { image: Reference, source: Box<StoreError> },
    /// Nobody waits for it any more.
    #[error("the run is over")]
    Over,
    /// It was brought, and collected again before it could be used.
    #[error("image '{0}' was removed again before it could be used; is the disk too small?")]
    Gone(Reference),
    /// A thread of ours panicked.
    #[error("{0}")]
    Panicked(#[from] JoinError),
}

/// Why an image did not get into the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BringError {
    /// From its registry.
    #[error(transparent)]
    Registry(#[from] PullError),
    /// From its archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The store cannot take it.
    #[error("cannot store image '{image}': {source}")]
    Store { image: Reference, source: Box<StoreError> },
    /// The fetched file cannot be read from its start.
    #[error("cannot read what came of image '{image}': {source}")]
    Rewind { image: Reference, source: io::Error },
    /// Its documents contradict each other.
    #[error("image '{image}' is broken: its configuration has {config} layers, its manifest {manifest}")]
    Layers { image: Reference, config: usize, manifest: usize },
    /// Nobody waited for it any more.
    #[error("the pull was given up")]
    Stopped,
    /// A thread of ours panicked.
    #[error("{0}")]
    Panicked(#[from] JoinError),
}
