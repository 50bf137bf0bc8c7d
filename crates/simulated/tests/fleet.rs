//! A fleet at a real master, with a framework in the test's hands: tasks arrive, flip, survive a restart of the master,
//! and end.

use std::time::Duration;

use master::{Master, Options};
use mesos::Codec;
use mesos::client::{Client, EventStream};
use mesos::v1::offer::{Operation, operation};
use mesos::v1::scheduler::{Call, Event, call, event};
use mesos::v1::{self, FrameworkId, FrameworkInfo, HealthCheck, Offer, TaskInfo, TaskState, TaskStatus};
use simulated::{Counts, Fleet};
use store::Store;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

const PATIENCE: Duration = Duration::from_secs(30);
const SCHEDULER: &str = "/api/v1/scheduler";
const AGENTS: u32 = 3;
const TASKS_EACH: usize = 4;

struct Running {
    address: std::net::SocketAddr,
    ended: JoinHandle<()>,
    stop: DropGuard,
}

async fn master(store: &Store, port: u16) -> Running {
    let mut options = Options::new(store.clone());
    options.port = port;
    options.settings.allocation_interval = Duration::from_millis(20);
    let master = Master::bind(options).await.unwrap();
    let (address, stop) = (master.address(), CancellationToken::new());
    let token = stop.clone();
    let ended = tokio::spawn(async move { master.run(token).await.unwrap() });
    Running { address, ended, stop: stop.drop_guard() }
}

struct Framework {
    client: Client,
    events: EventStream<Event>,
    stream: String,
    id: FrameworkId,
}

impl Framework {
    async fn subscribe(master: &Running, id: Option<FrameworkId>) -> Framework {
        let client = Client::new(master.address.to_string(), Codec::Protobuf);
        let framework_info = FrameworkInfo {
            id: id.clone(),
            user: "nobody".to_owned(),
            name: "test".to_owned(),
            failover_timeout: Some(600.0),
            ..FrameworkInfo::default()
        };
        let subscribe = call::Subscribe { framework_info, ..call::Subscribe::default() };
        let call = Call { framework_id: id, ..Call::subscribe(subscribe) };
        let events = client.subscribe::<Call, Event>(SCHEDULER, &call).await.unwrap();
        let stream = events.stream_id().unwrap().to_owned();
        let mut framework = Framework { client, events, stream, id: "".into() };
        framework.id = framework.event(event::Type::Subscribed).await.subscribed.unwrap().framework_id;
        framework
    }

    /// The next one of this type; others are passed over.
    async fn event(&mut self, kind: event::Type) -> Event {
        loop {
            let event = self.events.next_within(PATIENCE).await.unwrap().expect("the stream goes on");
            if event.kind() == kind {
                return event.into();
            }
        }
    }

    async fn call(&self, call: Call) {
        let call = Call { framework_id: Some(self.id.clone()), ..call };
        self.client.call(SCHEDULER, &call, Some(&self.stream)).await.unwrap();
    }

    async fn launch(&self, offer: &Offer) {
        let tasks = (0..TASKS_EACH).map(|number| task(offer, number)).collect();
        let operations = vec![Operation::launch(operation::Launch { task_infos: tasks })];
        let accept = call::Accept { offer_ids: vec![offer.id.clone()], operations, ..call::Accept::default() };
        self.call(Call::accept(accept)).await;
    }

    /// The next update, acknowledged.
    async fn update(&mut self) -> TaskStatus {
        let status = self.event(event::Type::Update).await.update.unwrap().status;
        let acknowledge = call::Acknowledge {
            agent_id: status.agent_id.clone().unwrap(),
            task_id: status.task_id.clone(),
            uuid: status.uuid().to_vec(),
        };
        self.call(Call::acknowledge(acknowledge)).await;
        status
    }

    /// That many updates that say this.
    async fn updates(&mut self, wanted: usize, says: impl Fn(&TaskStatus) -> bool) {
        let mut found = 0;
        while found < wanted {
            found += usize::from(says(&self.update().await));
        }
    }
}

fn task(offer: &Offer, number: usize) -> TaskInfo {
    let check = v1::health_check::TcpCheckInfo { port: 80, ..Default::default() };
    let kind = v1::health_check::Type::Tcp.into();
    TaskInfo {
        name: "simulated".to_owned(),
        task_id: format!("{}-{number}", offer.hostname).into(),
        agent_id: offer.agent_id.clone(),
        resources: vec![v1::Resource::scalar("cpus", 0.1)],
        command: Some(v1::CommandInfo { value: Some("true".to_owned()), ..Default::default() }),
        health_check: Some(HealthCheck { r#type: Some(kind), tcp: Some(check), ..HealthCheck::default() }),
        ..TaskInfo::default()
    }
}

async fn until(fleet: &Fleet, what: &str, holds: impl Fn(Counts) -> bool) {
    let waiting = async {
        while !holds(fleet.counts()) {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "waited in vain for {what}: {:?}", fleet.counts());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_lives_as_agents_do() {
    let store = Store::in_memory().unwrap();
    let first = master(&store, 0).await;
    let options = simulated::Options { agents: AGENTS, resources: "cpus:8;mem:1024".to_owned() };
    let fleet = Fleet::start(first.address, &options).unwrap();
    let mut framework = Framework::subscribe(&first, None).await;
    let mut agents = 0;
    while agents < AGENTS {
        for offer in framework.event(event::Type::Offers).await.offers.unwrap().offers {
            framework.launch(&offer).await;
            agents += 1;
        }
    }
    let all = AGENTS as usize * TASKS_EACH;
    framework.updates(all, |status| status.healthy == Some(true)).await;
    fleet.flip(all / 2);
    framework.updates(all / 2, |status| status.healthy == Some(false)).await;
    let is_settled = |counts: Counts| counts.unacknowledged == 0 && counts.unhealthy == 6 && counts.healthy == 6;
    until(&fleet, "acknowledged flips", is_settled).await;

    let port = first.address.port();
    drop(first.stop);
    first.ended.await.unwrap();
    until(&fleet, "a lost master", |counts| counts.agents == 0).await;
    let second = master(&store, port).await;
    until(&fleet, "agents that are back", |counts| counts.agents == u64::from(AGENTS) && counts.tasks == 12).await;

    let mut framework = Framework::subscribe(&second, Some(framework.id)).await;
    framework.call(Call::reconcile(Default::default())).await;
    let mut known = 0;
    while known < all {
        let status = framework.event(event::Type::Update).await.update.unwrap().status;
        assert_eq!(status.state(), TaskState::TaskRunning);
        known += usize::from(status.healthy.is_some());
    }
    framework.call(Call::teardown()).await;
    until(&fleet, "the end of all tasks", |counts| counts.tasks == 0).await;
}
