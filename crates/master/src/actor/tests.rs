//! An actor without the loop around it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use mesos::Codec;
use mesos::server::event_stream;
use mesos::v1::FrameworkInfo;
use mesos::v1::master::event;
use mesos::v1::scheduler::call;

use super::*;
use crate::core::{Core, Identity};
use crate::memory::Memory;
use crate::settings::Settings;
use crate::timings::Timings;

fn actor(clock: Clock) -> Actor {
    let address = (Ipv4Addr::LOCALHOST, 5050).into();
    let (id, hostname, flags) = ("M".to_owned(), "m".to_owned(), Arc::default());
    let identity = Identity { id, address, hostname, started: clock.now().unix, flags };
    let core = Core::new(identity, Settings::default(), Memory::default(), clock.now());
    let (handle, _inbox) = shell::inbox("master");
    Actor::new(Books { core, timings: Timings::new(Duration::ZERO) }, clock, handle)
}

/// Carries everything out; says which events operators were told of.
fn settle(actor: &mut Actor, now: Now) -> Vec<event::Type> {
    let mut announced = Vec::new();
    loop {
        let actions = actor.take_actions();
        if actions.is_empty() {
            return announced;
        }
        for action in actions {
            if let Action::Announce(event) = &action {
                announced.push(event.r#type());
            }
            assert!(actor.perform(action, now).is_continue());
        }
    }
}

#[tokio::test]
async fn an_operator_hears_of_a_stream_that_breaks_before_its_snapshot_is_on_its_way() {
    let clock = Clock::start().unwrap();
    let (mut actor, now, mut answers) = (actor(clock), clock.now(), Answers::default());
    let (sender, reader) = event_stream(Codec::Json, None, 8);
    drop(reader);
    let framework_info = FrameworkInfo { user: "u".to_owned(), name: "n".to_owned(), ..FrameworkInfo::default() };
    let call = Box::new(call::Subscribe { framework_info, ..call::Subscribe::default() });
    let scheduler = Request::Subscribe { stream: StreamId::new("scheduler"), sender, call };
    let (sender, _reader) = event_stream(Codec::Json, None, 8);
    let operator = Request::SubscribeOperator { stream: StreamId::new("operator"), sender, queue: 8 };
    for request in [scheduler, operator] {
        assert!(actor.serve(request, now, &mut answers).is_continue());
    }
    // The framework is in the snapshot, and is gone as soon as it cannot be told.
    assert_eq!(settle(&mut actor, now), [event::Type::FrameworkRemoved]);
}
