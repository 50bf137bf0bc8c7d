//! The shell around one agent: a subscription at the master, kept up until the fleet is dropped.
//!
//! In: events of the master, numbers of tasks to flip, ticks of a clock. Out: calls to the master, and counts. One tokio
//! task runs [`run`]; within it calls go out one after the other, while events go on being read.

use std::time::Duration;

use mesos::Codec;
use mesos::client::{Client, EventStream};
use mesos::v1::cygnet::{AgentCall, AgentEvent};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::agent::Agent;
use crate::counts::Counts;
use shell::{Clock, Now};

const PATH: &str = "/cygnet/v1/agent";

/// The longest wait before the next attempt to subscribe.
const BACKOFF: Duration = Duration::from_secs(1);

/// The interval at which updates without an acknowledgement are repeated.
const GLANCE: Duration = Duration::from_secs(5);

/// One agent and its connections to the world.
pub(crate) struct Shell {
    pub(crate) agent: Agent,
    pub(crate) master: String,
    /// Numbers of tasks that are to flip.
    pub(crate) flips: mpsc::UnboundedReceiver<usize>,
    pub(crate) counts: watch::Sender<Counts>,
    pub(crate) clock: Clock,
}

/// Until the master does not want it, or the fleet is gone.
pub(crate) async fn run(mut shell: Shell) {
    while !shell.agent.is_turned_away() && !shell.flips.is_closed() {
        let client = Client::new(&shell.master, Codec::Protobuf);
        if let Ok(events) = client.subscribe(PATH, &shell.agent.subscribe()).await {
            shell.follow(&client, events).await;
        }
        shell.agent.lost();
        shell.publish();
        sleep(BACKOFF.mul_f64(fastrand::f64())).await;
    }
}

impl Shell {
    async fn follow(&mut self, client: &Client, events: EventStream<AgentEvent>) {
        let stream_id = events.stream_id().map(str::to_owned);
        let (calls, outbox) = mpsc::unbounded_channel();
        tokio::select! {
            () = self.listen(events, calls) => {}
            () = speak(client, stream_id.as_deref(), outbox) => {}
        }
    }

    async fn listen(&mut self, mut events: EventStream<AgentEvent>, calls: mpsc::UnboundedSender<AgentCall>) {
        let mut glance = interval(GLANCE);
        glance.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.agent.is_turned_away() {
            tokio::select! {
                event = events.next() => match event {
                    Ok(Some(event)) => self.agent.event(self.now(), event),
                    Ok(None) | Err(_) => return,
                },
                tasks = self.flips.recv() => match tasks {
                    Some(tasks) => self.agent.flip(self.now(), tasks),
                    None => return,
                },
                _ = glance.tick() => self.agent.repeat(self.now()),
            }
            for call in self.agent.take_calls() {
                let _the_other_half_ended = calls.send(call);
            }
            self.publish();
        }
    }

    fn now(&self) -> Now {
        self.clock.now()
    }

    fn publish(&self) {
        self.counts.send_replace(self.agent.counts());
    }
}

/// Until a call fails.
async fn speak(client: &Client, stream_id: Option<&str>, mut outbox: mpsc::UnboundedReceiver<AgentCall>) {
    while let Some(call) = outbox.recv().await {
        if client.call(PATH, &call, stream_id).await.is_err() {
            return;
        }
    }
}
