//! The resources of a pod's containers, and of the executor beside them.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Resources {
    pub(crate) cpus: f64,
    pub(crate) mem: f64,
    pub(crate) disk: f64,
    pub(crate) gpus: u32,
}

impl Default for Resources {
    fn default() -> Self {
        Resources { cpus: 1.0, mem: 128.0, disk: 0.0, gpus: 0 }
    }
}

/// The resources of an instance's executor, beside its containers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ExecutorResources {
    pub(crate) cpus: f64,
    pub(crate) mem: f64,
    pub(crate) disk: f64,
}

impl Default for ExecutorResources {
    fn default() -> Self {
        ExecutorResources { cpus: 0.1, mem: 32.0, disk: 10.0 }
    }
}
