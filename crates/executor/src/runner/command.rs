//! The commands of a host to one of its tasks, and what each means for the task's life.

use std::sync::Arc;
use std::time::Duration;

use mesos::v1::FrameworkInfo;

use super::Runner;
use super::recovery::killing_state;
use crate::life::Input;

/// The time that a task has to end because another one of its group has: Mesos' own, whatever the task says.
const GROUP_GRACE: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// The agent was heard of.
    Subscribed(Arc<FrameworkInfo>),
    /// The agent is away, and may come back.
    Disconnected,
    Kill {
        /// Unless it has its own, or ends already.
        grace: Option<Duration>,
    },
    /// Another task of the group failed or was killed.
    GroupDied,
    Shutdown,
    /// The executor has to end, and nobody hears what it says.
    Abandoned,
    Acknowledged(Vec<u8>),
    /// The agent asks for past attempts of its checks, under this number.
    History(Vec<u8>),
    /// The same, and all checks are to be made at once.
    CheckNow(Vec<u8>),
}

impl Command {
    /// True if the task is to end: one that is being started need not begin.
    pub(crate) fn ends(&self) -> bool {
        matches!(self, Command::Kill { .. } | Command::GroupDied | Command::Shutdown | Command::Abandoned)
    }
}

impl Runner {
    /// Carries a command out.
    pub(crate) async fn obey(&mut self, command: Command) {
        let input = match command {
            Command::Subscribed(framework) => {
                let killing_state = killing_state(&framework);
                self.framework = Some(framework);
                Input::Subscribed { killing_state }
            }
            Command::Disconnected => Input::Disconnected,
            Command::History(uuid) => return self.tell_history(uuid, None).await,
            Command::CheckNow(uuid) => {
                let asked = self.check_now();
                return self.tell_history(uuid, asked).await;
            }
            Command::Kill { grace } => Input::Kill { grace },
            Command::GroupDied if self.lifecycle.kill().is_some() => return,
            Command::GroupDied => Input::Kill { grace: Some(GROUP_GRACE) },
            Command::Shutdown => Input::Shutdown,
            Command::Abandoned => Input::Abandoned,
            Command::Acknowledged(uuid) => {
                self.keep(|journal| journal.acknowledged(uuid));
                if !self.is_over() {
                    return;
                }
                Input::TerminalAcknowledged
            }
        };
        self.feed(input).await;
    }
}
