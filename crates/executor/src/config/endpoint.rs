//! The place of the agent. It may come back on another port, so the answer can be a file that is read at every attempt.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::{Variables, optional};
use crate::error::ExecutorError;

const EXPECTED: &str = "an address such as slave(1)@127.0.0.1:5051";

/// The agent's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    file: Option<PathBuf>,
    fallback: String,
    process: String,
}

impl Endpoint {
    /// The agent at this `ip:port`, for good.
    pub fn fixed(authority: impl Into<String>) -> Endpoint {
        Endpoint { file: None, fallback: authority.into(), process: "slave(1)".to_owned() }
    }

    /// Reads `CYGNET_AGENT_ENDPOINT_FILE`, `MESOS_AGENT_ENDPOINT` and `MESOS_SLAVE_PID`.
    pub fn from_variables(variables: &Variables) -> Result<Endpoint, ExecutorError> {
        let file = optional(variables, "CYGNET_AGENT_ENDPOINT_FILE").map(PathBuf::from);
        let pid = optional(variables, "MESOS_SLAVE_PID").map(process_id).transpose()?;
        let address = optional(variables, "MESOS_AGENT_ENDPOINT").map(str::to_owned);
        let (process, own) = pid.map_or_else(|| ("slave(1)".to_owned(), None), |(name, own)| (name, Some(own)));
        let fallback = address.or(own).or_else(|| file.as_ref().map(|_| String::new()));
        let fallback = fallback.ok_or(ExecutorError::MissingVariable { name: "MESOS_SLAVE_PID" })?;
        Ok(Endpoint { file, fallback, process })
    }

    /// The `ip:port` to connect to now.
    pub(crate) fn authority(&self) -> String {
        let current = self.file.as_ref().and_then(|file| fs::read_to_string(file).ok());
        let current = current.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        current.unwrap_or_else(|| self.fallback.clone())
    }

    pub(crate) fn executor_path(&self) -> String {
        format!("/{}/api/v1/executor", self.process)
    }
}

/// `slave(1)@ip:port`, as its two halves.
fn process_id(pid: &str) -> Result<(String, String), ExecutorError> {
    let halves =
        pid.split_once('@').filter(|(name, address)| !name.is_empty() && address.parse::<SocketAddr>().is_ok());
    let bad = || ExecutorError::BadVariable { name: "MESOS_SLAVE_PID", value: pid.to_owned(), expected: EXPECTED };
    halves.map(|(name, address)| (name.to_owned(), address.to_owned())).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_wins_as_soon_as_it_says_something() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("endpoint");
        let variables = [
            ("MESOS_SLAVE_PID".to_owned(), "slave(7)@10.0.0.1:5051".to_owned()),
            ("CYGNET_AGENT_ENDPOINT_FILE".to_owned(), file.display().to_string()),
        ];
        let endpoint = Endpoint::from_variables(&variables.into()).unwrap();
        assert_eq!(endpoint.authority(), "10.0.0.1:5051");
        assert_eq!(endpoint.executor_path(), "/slave(7)/api/v1/executor");
        fs::write(&file, "127.0.0.1:4711\n").unwrap();
        assert_eq!(endpoint.authority(), "127.0.0.1:4711");
    }
}
