//! The environment of a pool process, as a typed configuration.

use std::path::PathBuf;

use crate::config::{Endpoint, Reconnection, Variables, required};
use crate::error::ExecutorError;

/// Everything a pool must know before it speaks to its agent.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// `MESOS_FRAMEWORK_ID`: the framework whose executors it hosts.
    pub framework_id: String,
    /// `CYGNET_POOL_ID`
    pub pool_id: String,
    /// `CYGNET_POOL_LOCK`: the file whose lock makes sure that there is one pool process only.
    pub lock: PathBuf,
    /// The place of the agent: `CYGNET_AGENT_ENDPOINT_FILE`, `MESOS_AGENT_ENDPOINT`, `MESOS_SLAVE_PID`.
    pub agent: Endpoint,
    /// `MESOS_CHECKPOINT` with `MESOS_RECOVERY_TIMEOUT` and `MESOS_SUBSCRIPTION_BACKOFF_MAX`.
    pub reconnection: Reconnection,
}

impl PoolConfig {
    /// Reads the variables an agent sets for a pool.
    pub fn from_variables(variables: &Variables) -> Result<PoolConfig, ExecutorError> {
        Ok(PoolConfig {
            framework_id: required(variables, "MESOS_FRAMEWORK_ID")?.to_owned(),
            pool_id: required(variables, "CYGNET_POOL_ID")?.to_owned(),
            lock: PathBuf::from(required(variables, "CYGNET_POOL_LOCK")?),
            agent: Endpoint::from_variables(variables)?,
            reconnection: Reconnection::from_variables(variables)?,
        })
    }
}
