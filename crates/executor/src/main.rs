//! The executor as a program of its own: one task with the environment of any Mesos agent, a pool of them with
//! `--pool`, the parent of each task with `shim DIRECTORY`, and the child that unpacks a layer with `unpack`.

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

use executor::pool::PoolConfig;
use executor::{ExecutorConfig, ExecutorError, of_this_process};
use tracing::{debug, error};

/// The command line made no sense.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.iter().map(|argument| argument.as_os_str()).collect::<Vec<&OsStr>>().as_slice() {
        [verb, directory] if *verb == "shim" => processes::shim::main(Path::new(directory)),
        [verb, numbers @ ..] if *verb == "unpack" => {
            let number = |number: &&OsStr| number.to_string_lossy().into_owned();
            containers::unpack::main(&numbers.iter().map(number).collect::<Vec<_>>())
        }
        [] => run(false),
        [option] if *option == "--pool" => run(true),
        _ => ExitCode::from(USAGE),
    }
}

fn run(pool: bool) -> ExitCode {
    let sealed = processes::executable::seal();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    if let Err(error) = sealed {
        debug!(%error, "this program can be written to by whom it enters");
    }
    start(pool).unwrap_or_else(|problem| {
        error!(error = &problem as &dyn std::error::Error, "the executor cannot start");
        ExitCode::FAILURE
    })
}

fn start(pool: bool) -> Result<ExitCode, ExecutorError> {
    let variables = of_this_process();
    let failed = |source| ExecutorError::File { action: "use", path: "the executor's program".into(), source };
    let program = processes::executable::path().map_err(failed)?;
    let shim_command = vec![program.display().to_string(), "shim".to_owned()];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    if pool {
        let config = PoolConfig::from_variables(&variables)?;
        return Ok(runtime.block_on(executor::pool::run(config, shim_command)));
    }
    let config = ExecutorConfig::from_variables(&variables)?;
    Ok(runtime.block_on(executor::run(config, shim_command)))
}
