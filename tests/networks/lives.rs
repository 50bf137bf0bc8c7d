//! The networks that outlive an agent, and two agents beside each other.

use harness::cluster::START;
use harness::framework::task;
use harness::wait;
use rustix::process::Signal;

use crate::world::{SERVER, World, address, answers, answers_soon, bridge, networked, on_a_machine, run};

#[test]
fn a_task_is_reached_while_its_agent_is_away_and_after_another_has_come() {
    on_a_machine("a_task_is_reached_while_its_agent_is_away_and_after_another_has_come", &[], |mut world| {
        let [lives, ends] = [0, 1].map(|number| world.port(number));
        let own = address(&world.framework.run(networked(task("lives", SERVER), bridge(lives), &[lives])));
        world.framework.run(networked(task("ends", SERVER), bridge(ends), &[ends]));
        let (place, other) = (format!("127.0.0.1:{lives}"), format!("127.0.0.1:{ends}"));
        answers_soon(&place);
        answers_soon(&other);
        world.pair.agent_process().kill();
        assert!(answers(&place) && answers(&other), "nobody needs an agent for that");
        let table = run("nft list tables").trim().replace("table ", "");
        run(&format!("nft delete table {table}"));
        world.restart_agent(&[]);
        answers_soon(&place);
        let status = world.framework.reconcile(&[serde_json::json!({"task_id": {"value": "lives"}})]);
        assert_eq!(address(&status), own, "{status}");
        world.end("ends");
        wait::until("the port is free", START, || (!answers(&other)).then_some(()));
        assert!(answers(&place));
        world.end("lives");
        world.nothing_left();
    });
}

#[test]
fn agents_beside_each_other_have_bridges_of_their_own() {
    on_a_machine("agents_beside_each_other_have_bridges_of_their_own", &[], |world| {
        let (other, port) = (World::start(), world.port(0));
        world.framework.run(networked(task("one", SERVER), bridge(port), &[port]));
        let place = other.port(0);
        other.framework.run(networked(task("two", SERVER), bridge(place), &[place]));
        answers_soon(&format!("127.0.0.1:{}", port));
        answers_soon(&format!("127.0.0.1:{place}"));
        assert_eq!(run("ip -o link show type bridge").lines().count(), 2);
        other.end("two");
        assert!(answers(&format!("127.0.0.1:{}", port)));
        world.end("one");
        world.nothing_left();
    });
}

#[test]
fn an_agent_that_stops_its_tasks_leaves_the_machine_as_it_was() {
    on_a_machine("an_agent_that_stops_its_tasks_leaves_the_machine_as_it_was", &[], |mut world| {
        let port = world.port(0);
        world.framework.run(networked(task("web", SERVER), bridge(port), &[port]));
        answers_soon(&format!("127.0.0.1:{port}"));
        world.restart_agent(&["--stop-tasks"]);
        world.pair.agent_process().signal(Signal::TERM);
        world.pair.agent_process().wait(START);
        assert_eq!(run("ip -o link show type bridge; ip -o link show type veth; nft list tables"), "");
        world.nothing_left();
    });
}
