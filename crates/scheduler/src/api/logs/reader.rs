//! The logs of a task, read as they grow. In: a task, and what is wanted of its output. Out: pieces of that, and the end.

use std::time::Duration;

use super::super::Api;
use super::super::answer::Rejected;
use super::wish::Wish;
use crate::agents::{Agent, AgentError, Log, Place, Problem, Sandbox};
use crate::core::{Life, Whereabouts};
use crate::instance::ended::Ended;
use crate::logs::{Begin, Stream};

/// The time between two looks for more: short at first, and longer the longer nothing comes.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// The number of times that somebody who follows asks an agent again that does not answer.
const TRIES: u32 = 60;

/// A piece of what is read.
pub(super) enum Piece {
    /// Output of one of the streams.
    Output(usize, Vec<u8>),
    /// There is no more; of a task that ended unasked it is known how.
    End(Option<Box<Ended>>),
    /// The agent does not answer any more.
    Failed(AgentError),
}

/// See the module.
pub(super) struct Reader {
    api: Api,
    pub task: Whereabouts,
    pub sources: Vec<Source>,
    follow: bool,
    /// False while the task is launched and has no sandbox yet.
    has_sandbox: bool,
    /// True if there may be lines from before the moment that was asked for.
    pub has_earlier: bool,
    turn: Turn,
    /// The task was over before this round of looks, or nobody follows.
    is_last: bool,
    /// Something came in this round.
    has_read: bool,
    pause: Duration,
    failures: u32,
    client: String,
    place: Place,
}

/// One of the streams.
pub(super) struct Source {
    pub name: &'static str,
    pub stream: Stream<Log>,
    /// The bytes to be read, if nobody follows.
    left: u64,
}

#[derive(Debug, Clone, Copy)]
enum Turn {
    Look,
    /// Of the source at this place.
    Read(usize),
    Done,
}

impl Reader {
    /// Finds the logs, and the places in them to begin at.
    pub(super) async fn open(api: Api, client: String, task: Whereabouts, wish: &Wish) -> Result<Reader, Rejected> {
        let place = api.agents.place(&client).await?;
        let sandbox = Sandbox::find(&api.agents, &task).await?;
        let since = wish.since.filter(|since| task.staged_at.is_none_or(|staged| staged < *since));
        let begin = Begin { lines: wish.tail, since_secs: since.map(|since| since.millis().div_euclid(1000)) };
        let mut sources = Vec::new();
        for &name in &wish.streams {
            let log = sandbox.log(name);
            let (stream, left) = match wish.mark(name) {
                Some(mark) => mark.open(log).await?,
                None => begin.of(log).await?,
            };
            sources.push(Source { name, stream, left });
        }
        Ok(Reader {
            api,
            task,
            sources,
            follow: wish.follow,
            has_sandbox: sandbox.is_there(),
            has_earlier: since.is_some() && wish.marks.is_empty(),
            turn: Turn::Look,
            is_last: !wish.follow,
            has_read: true,
            pause: PAUSES.0,
            failures: 0,
            client,
            place,
        })
    }

    /// The next piece; none after the end. Until it is asked for, somebody else may have the place.
    pub(super) async fn next(&mut self) -> Option<Piece> {
        if !self.place.goes_on() && !self.has_place_again().await {
            self.turn = Turn::Done;
            return Some(Piece::Failed(Agent::of(&self.task).fault(Problem::Busy)));
        }
        let next = self.step().await;
        self.place.waits();
        next
    }

    async fn has_place_again(&mut self) -> bool {
        for _ in 0..TRIES {
            if let Ok(place) = self.api.agents.place(&self.client).await {
                self.place = place;
                return true;
            }
            tokio::time::sleep(PAUSES.1).await;
        }
        false
    }

    async fn step(&mut self) -> Option<Piece> {
        loop {
            match self.turn {
                Turn::Done => return None,
                Turn::Look => self.look().await,
                Turn::Read(at) if at < self.sources.len() => {
                    if let Some(piece) = self.read(at).await {
                        return Some(piece);
                    }
                }
                Turn::Read(_) if self.is_last && !self.has_read => return Some(self.end().await),
                Turn::Read(_) => self.turn = Turn::Look,
            }
        }
    }

    /// Begins a round: what a task wrote before its end is read after that was seen.
    async fn look(&mut self) {
        if !self.is_last {
            if self.has_read {
                self.pause = PAUSES.0;
            } else {
                tokio::time::sleep(self.pause).await;
                self.pause = PAUSES.1.min(self.pause * 2);
            }
            self.is_last = self.present().await.is_none_or(|task| matches!(task.life, Life::Over(_)));
        }
        self.has_read = false;
        self.turn = Turn::Read(0);
    }

    /// Reads from one source, and then from the next: if nobody follows, once that has no more.
    async fn read(&mut self, at: usize) -> Option<Piece> {
        if self.follow
            && !self.has_sandbox
            && let Err(error) = self.find().await
        {
            return self.failed(error).await;
        }
        let data = match self.sources.get_mut(at)?.read(self.follow).await {
            Ok(data) => data,
            Err(error) => return self.failed(error).await,
        };
        self.failures = 0;
        if self.follow || data.is_empty() {
            self.turn = Turn::Read(at + 1);
        }
        self.has_read |= !data.is_empty();
        (!data.is_empty()).then_some(Piece::Output(at, data))
    }

    /// The next try of a reader that follows, wherever the agent is by then; the end for others.
    async fn failed(&mut self, error: AgentError) -> Option<Piece> {
        self.failures += 1;
        if !self.follow || !error.may_pass() || self.failures > TRIES {
            self.turn = Turn::Done;
            return Some(Piece::Failed(error));
        }
        tokio::time::sleep(PAUSES.1).await;
        match self.find().await {
            Ok(()) => None,
            Err(error) => Box::pin(self.failed(error)).await,
        }
    }

    /// Finds the sandbox anew; its logs are read on where they were.
    async fn find(&mut self) -> Result<(), AgentError> {
        let sandbox = Sandbox::find(&self.api.agents, &self.task).await?;
        self.has_sandbox = sandbox.is_there();
        self.sources.iter_mut().for_each(|source| source.stream.read_through(sandbox.log(source.name)));
        Ok(())
    }

    async fn end(&mut self) -> Piece {
        self.turn = Turn::Done;
        match self.present().await.map(|task| task.life) {
            Some(Life::Over(ended)) => Piece::End(ended),
            _ => Piece::End(None),
        }
    }

    /// The task as it is now, if it is still known.
    async fn present(&self) -> Option<Whereabouts> {
        let task = self.task.task_id.clone();
        self.api.ask(move |view, _| view.whereabouts(&task)).await.ok().flatten()
    }
}

impl Source {
    async fn read(&mut self, follow: bool) -> Result<Vec<u8>, AgentError> {
        if follow {
            return self.stream.next().await;
        }
        if self.left == 0 {
            return Ok(Vec::new());
        }
        let mut data = self.stream.next().await?;
        data.truncate(usize::try_from(self.left).unwrap_or(data.len()));
        self.left -= data.len() as u64;
        Ok(data)
    }
}
