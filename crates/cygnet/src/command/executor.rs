//! `cygnet executor`: what agents start. Alone it is one executor, configured by `MESOS_*`; with `--pool` it is as many
//! as Cygnet's agent tells it to be.

use std::process::ExitCode;

use clap::Args;
use executor::pool::PoolConfig;
use executor::{ExecutorConfig, of_this_process};

/// The options of an executor.
#[derive(Debug, Args)]
pub(crate) struct Executor {
    /// Be as many executors as the agent says
    #[arg(long)]
    pool: bool,
}

/// Runs until there is nothing left to do.
pub(crate) async fn run(arguments: &Executor) -> anyhow::Result<ExitCode> {
    let shim = vec![processes::executable::path()?.display().to_string(), "shim".to_owned()];
    let variables = of_this_process();
    if arguments.pool {
        return Ok(executor::pool::run(PoolConfig::from_variables(&variables)?, shim).await);
    }
    Ok(executor::run(ExecutorConfig::from_variables(&variables)?, shim).await)
}
