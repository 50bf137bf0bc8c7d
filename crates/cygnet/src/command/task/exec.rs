//! `cygnet task exec`: a command beside a task, in its container, through the session that its agent makes for it. Its
//! exit status is ours. With a terminal on both ends it has one of its own.
//!
//! [`input`] sends what is typed and the size of the window, [`terminal`] is ours while it is lent.

mod input;
mod terminal;

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context, bail};
use mesos::client::EventStream;
use mesos::v1::agent::process_io::{Content, data};
use mesos::v1::agent::{Call, ProcessIo, Response, call};
use mesos::v1::{CommandInfo, ContainerId, ContainerInfo, TtyInfo, container_info};
use tokio_util::task::AbortOnDropHandle;

use self::terminal::Terminal;
use super::whereabouts::Whereabouts;
use crate::output::{complaint, raw};
use crate::signals::Stop;

/// The exit code if the command could not be run, or its end was not heard of.
const NOT_RUN: u8 = 255;

/// Runs a command beside a task that is found by `place`.
pub(super) async fn run(place: impl Future<Output = anyhow::Result<Whereabouts>>, command: &[String]) -> ExitCode {
    let done = async { session(&place.await?, command).await };
    match done.await {
        Ok(status) => ExitCode::from(code(status)),
        Err(error) => {
            complaint(format!("cygnet task exec: {error:#}"));
            ExitCode::from(NOT_RUN)
        }
    }
}

/// As shells have it: the status, or 128 and the signal.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(NOT_RUN)
}

async fn session(place: &Whereabouts, command: &[String]) -> anyhow::Result<ExitStatus> {
    let Some(terminal) = Terminal::borrow()? else { return carried_out(place, command, None).await };
    // A signal would end us with the terminal still lent.
    let mut stop = Stop::listen_with_terminal()?;
    tokio::select! {
        ended = carried_out(place, command, Some(terminal)) => ended,
        () = stop.asked() => bail!("left before the command had ended"),
    }
}

async fn carried_out(
    place: &Whereabouts,
    command: &[String],
    terminal: Option<Terminal>,
) -> anyhow::Result<ExitStatus> {
    let id = ContainerId { value: name(), parent: Some(Box::new(place.container.clone())) };
    let call = Call::launch_nested_container_session(call::LaunchNestedContainerSession {
        container_id: id.clone(),
        command: Some(ordered(command)),
        container: terminal.as_ref().map(|_| with_terminal()),
    });
    let output = place.agent.subscribe::<_, ProcessIo>("/api/v1", &call).await?;
    let agent = (place.agent.authority().to_owned(), place.credential.clone());
    let typing = AbortOnDropHandle::new(tokio::spawn(input::send(agent, id.clone(), terminal.is_some())));
    let printed = print(output).await;
    drop((typing, terminal));
    printed?;
    end(place, id).await
}

fn ordered(command: &[String]) -> CommandInfo {
    CommandInfo {
        shell: Some(false),
        value: command.first().cloned(),
        arguments: command.to_vec(),
        ..CommandInfo::default()
    }
}

/// The size follows as the first input.
fn with_terminal() -> ContainerInfo {
    ContainerInfo {
        r#type: container_info::Type::Mesos.into(),
        tty_info: Some(TtyInfo::default()),
        ..ContainerInfo::default()
    }
}

/// A name that no other session has.
fn name() -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    format!("exec-{}-{}", std::process::id(), now.as_nanos())
}

/// Prints what the command prints, until it has ended.
async fn print(mut output: EventStream<ProcessIo>) -> anyhow::Result<()> {
    while let Some(record) = output.next().await.context("the session broke off")? {
        let Content::Data(record) = record else { continue };
        let bytes = record.data();
        match record.r#type() {
            data::Type::Stderr => {
                let _nobody_reads = std::io::stderr().write_all(bytes);
            }
            _ => raw(bytes),
        }
    }
    Ok(())
}

/// The status of a session that has ended; the agent forgets it then.
async fn end(place: &Whereabouts, id: ContainerId) -> anyhow::Result<ExitStatus> {
    let wait = Call::wait_container(call::WaitContainer { container_id: id.clone() });
    let ended: Response = place.agent.ask("/api/v1", &wait).await.context("its end was not heard of")?;
    let remove = Call::remove_container(call::RemoveContainer { container_id: id });
    if let Err(error) = place.agent.call("/api/v1", &remove, None).await {
        tracing::debug!(%error, "a session that has ended stays");
    }
    let ended = ended.wait_container.context("the agent said nothing about its end")?;
    let status = ended.exit_status.with_context(|| format!("it did not run: {}", ended.message()))?;
    Ok(ExitStatus::from_raw(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_the_commands() {
        for (status, expected) in [(0, 0), (7 << 8, 7), (255 << 8, 255), (9, 137), (15, 143)] {
            assert_eq!(code(ExitStatus::from_raw(status)), expected, "{status}");
        }
    }
}
