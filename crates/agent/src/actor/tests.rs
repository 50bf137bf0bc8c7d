//! The end of the actor while processes are being started.

use containers::provision::Settings;
use processes::UserError;
use tokio::sync::watch;

use super::*;
use crate::core::tests::wire::{fresh, launch, subscribed};
use crate::core::{Job, StartError};
use crate::jobs::Surroundings;
use crate::layout::Layout;
use crate::log::Change;
use crate::networks::{NetworkOptions, Networks};
use crate::provisioner::{Maker, Provisioner};

fn actor(layout: &Layout) -> Actor {
    let core = fresh(layout);
    let (actor, _inbox) = shell::inbox("agent");
    let (containers, _programs) = shell::inbox("agent");
    let (fetcher, cgroups) = (fetcher::Fetcher::uncached(), None);
    let networks = Networks::of(&NetworkOptions::default(), layout.root()).unwrap();
    let (settings, actor_too) = (Settings::default(), actor.clone());
    let maker = Maker { layout: layout.clone(), settings, images: None, networks: networks.clone(), actor: actor_too };
    let provisioner = Provisioner::start(maker);
    let layout = layout.clone();
    let surroundings = Surroundings {
        layout,
        actor: actor.clone(),
        containers,
        fetcher,
        removable: cgroups.clone(),
        cgroups,
        networks,
        provisioner,
        docker: None,
        shim: Vec::new(),
    };
    let jobs = Jobs::start(surroundings);
    let registration =
        Registration { master: String::new(), credential: None, backoff_factor: Duration::ZERO, actor: actor.clone() };
    Actor::new(core, actor, jobs, registration, watch::channel(Shutdown::Keep).1)
}

fn serve(actor: &mut Actor, request: Request) -> Vec<Action> {
    assert!(actor.serve(request, Now::default(), &mut Answers::default()).is_continue());
    actor.take_actions()
}

#[tokio::test]
async fn an_agent_that_keeps_its_tasks_ends_after_what_it_starts_is_written_down() {
    let directory = tempfile::tempdir().unwrap();
    let mut actor = actor(&Layout::create(directory.path()).unwrap());
    serve(&mut actor, Request::MasterEvent(Box::new(subscribed("S".into()))));
    let mut launched = serve(&mut actor, Request::MasterEvent(Box::new(launch("t", Some("own")))));
    let prepare = |action| if let Action::Job(Job::Prepare(preparation)) = action { Some(preparation) } else { None };
    let preparation = launched.drain(..).find_map(prepare).unwrap();
    let start = serve(&mut actor, Request::Prepared(preparation.clone(), Ok(()))).pop().unwrap();
    let Action::Job(Job::Start(owner, ..)) = &start else { panic!("{start:?}") };
    let owner = owner.clone();
    assert!(actor.perform(start, Now::default()).is_continue());

    assert!(actor.shut_down(Now::default()).is_continue(), "its start is not answered");
    assert!(actor.wake(Now::default()).is_continue());
    assert_ne!(actor.wake_at(), Some(Duration::ZERO));
    assert!(serve(&mut actor, Request::Prepared(preparation, Ok(()))).is_empty(), "nothing more is started");
    let written =
        serve(&mut actor, Request::Started(owner, Err(StartError::User(UserError::Unknown("nobody".to_owned())))));
    let is_record = |action: &Action| matches!(action, Action::Persist(Change::Executor(_)));
    assert!(written.iter().any(is_record), "{written:?}");
    assert_eq!(actor.wake_at(), Some(Duration::ZERO));
    assert!(actor.wake(Now::default()).is_break());
}
