//! The image of a pod's container.

use serde::{Deserialize, Serialize};

use crate::definition::container::PullConfig;
use crate::definition::switch::Switch;

/// An image by its name at a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Image {
    pub(crate) kind: ImageKind,
    pub(crate) id: String,
    /// True if it is asked for at its registry also where it is known.
    #[serde(default, skip_serializing_if = "Switch::is_unsaid")]
    pub(crate) force_pull: Switch,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pull_config: Option<PullConfig>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum ImageKind {
    Docker,
}
