//! Frameworks that subscribe: let in, or refused in words.

use mesos::v1::scheduler::{call, event};
use mesos::v1::{FrameworkInfo, master};

use super::world::{World, agent, amount, framework, kinds, plain_framework};

#[test]
fn a_new_framework_gets_an_id_and_a_heartbeat_at_once_then_offers() {
    let mut world = World::new();
    world.register(agent("n1", 4.0, 1024.0));
    let scheduler = world.subscribe(framework("f"));
    assert_eq!(scheduler.id.value, "M-0000");
    world.pass(std::time::Duration::ZERO);
    let events = world.events(&scheduler);
    assert_eq!(kinds(&events), [event::Type::Subscribed, event::Type::Heartbeat, event::Type::Offers]);
    let subscribed = events[0].subscribed.clone().unwrap();
    assert_eq!(subscribed.heartbeat_interval_seconds, Some(15.0));
    let master = subscribed.master_info.unwrap();
    assert_eq!((master.ip, master.port, master.pid()), (16_777_343, 5050, "master@127.0.0.1:5050"));
    assert_eq!(master.version(), "1.11.0");
    assert_eq!(world.announced_kinds(), [master::event::Type::AgentAdded, master::event::Type::FrameworkAdded]);
}

fn refusal(framework_info: FrameworkInfo, suppressed: &[&str]) -> String {
    let mut world = World::new();
    let suppressed_roles = suppressed.iter().map(|role| (*role).to_owned()).collect();
    let subscribe = call::Subscribe { framework_info, suppressed_roles, ..call::Subscribe::default() };
    let scheduler = world.subscribe_with(subscribe);
    let events = world.events(&scheduler);
    assert_eq!(kinds(&events), [event::Type::Error]);
    assert_eq!(world.closed, [scheduler.stream]);
    assert_eq!(world.announced_kinds(), []);
    events[0].error.clone().unwrap().message
}

#[test]
fn what_a_framework_info_may_not_be() {
    let roles = |roles: &[&str]| FrameworkInfo {
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..framework("f")
    };
    let cases = [
        (roles(&["a", "a"]), "duplicate"),
        (roles(&["a//b"]), "adjacent slashes"),
        (roles(&["-a"]), "starts with '-'"),
        (roles(&["a b"]), "whitespace"),
        (FrameworkInfo { failover_timeout: Some(1e30), ..framework("f") }, "too large"),
        (FrameworkInfo { failover_timeout: Some(f64::NAN), ..framework("f") }, "too large"),
        (FrameworkInfo { id: Some("a/b".into()), ..framework("f") }, "Framework ID 'a/b' is invalid"),
        (FrameworkInfo { roles: vec!["a".to_owned()], ..plain_framework("f") }, "not MULTI_ROLE capable"),
    ];
    for (info, expected) in cases {
        let message = refusal(info, &[]);
        assert!(message.contains(expected), "{message} does not say {expected}");
    }
    assert!(refusal(framework("f"), &["ops"]).contains("'ops'"));
}

#[test]
fn a_framework_without_capabilities_sees_resources_the_old_way() {
    let (.., offers) = World::offered(plain_framework("f"));
    assert_eq!(offers.len(), 1);
    assert!(offers[0].allocation_info.is_none());
    assert!(offers[0].resources.iter().all(|resource| resource.allocation_info.is_none()));
    assert_eq!(amount(&offers[0].resources, "cpus"), 4.0);
    assert_eq!(offers[0].url.as_ref().unwrap().path(), "/slave(1)");
}
