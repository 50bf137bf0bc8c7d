//! The makers of containers, as options of an agent.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};

/// The options about Docker.
#[derive(Debug, Args)]
pub(crate) struct Docker {
    /// The makers of containers, in Mesos' words: "mesos", or "docker,mesos"; by default, Docker too if its daemon answers
    #[arg(long, env = "CYGNET_CONTAINERIZERS")]
    containerizers: Option<String>,
    /// Where Docker's program is; it is not needed
    #[arg(long, hide = true)]
    docker: Option<PathBuf>,
    /// The socket of Docker's daemon
    #[arg(long, default_value = "/var/run/docker.sock", env = "CYGNET_DOCKER_SOCKET")]
    docker_socket: PathBuf,
    /// Whether containers of this agent are removed that nobody knows of any more
    #[arg(long, default_value_t = true, action = ArgAction::Set, value_parser = BoolishValueParser::new(),
        env = "CYGNET_DOCKER_KILL_ORPHANS")]
    docker_kill_orphans: bool,
}

impl Docker {
    pub(crate) fn give(&self, options: &mut ::agent::Options) -> anyhow::Result<()> {
        options.containerizers.clone_from(&self.containerizers);
        let socket = self.docker_socket.to_str().and_then(|path| path.strip_prefix("unix://")).map(PathBuf::from);
        options.docker_socket = crate::paths::absolute(socket.as_ref().unwrap_or(&self.docker_socket))?;
        options.docker_kill_orphans = self.docker_kill_orphans;
        if self.docker.is_some() {
            tracing::warn!("--docker is ignored: the daemon is spoken to over its socket");
        }
        Ok(())
    }
}
