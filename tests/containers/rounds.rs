//! Random rounds: a container is started, somebody is killed with SIGKILL at some moment, everybody comes back, the
//! container ends, and nothing is left of it. `CYGNET_ROUNDS` says how many, `CYGNET_SEED` which.

use harness::cluster::START;
use harness::docker::Docker;
use harness::framework::{filled, launch};
use harness::leftovers::Leftovers;
use harness::registry::Registry;
use harness::wait;
use serde_json::{Value, json};

use crate::Test;
use crate::world::{World, app, of_image, offered_port, on_a_bridge, shell, web, with_port};

pub(crate) const TESTS: &[Test] = &[("random rounds of kills leave nothing", rounds)];

const ROUNDS: u64 = 40;

/// The things that every container has when it runs, at least: a lease, a shim, a first process, the task; of Docker's, the
/// container and the task.
const MOST_THINGS: usize = 4;
const MOST_OF_DOCKERS: usize = 2;

/// The ones who are killed.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Agent,
    Executor,
    Shim,
    AgentAndExecutor,
    All,
    /// Docker's daemon, where there is one.
    Daemon,
}

/// The moment at which.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// As soon as the task was launched.
    Launched,
    /// As many things of the container are there.
    Started(usize),
    Running,
    /// Just after the task was killed.
    Killed,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(default)
}

fn rounds(test: &str) {
    let (count, seed) = (number("CYGNET_ROUNDS", ROUNDS), number("CYGNET_SEED", 14));
    println!("{count} rounds with the seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let Some(registry) = Registry::start(test) else { return };
    // With registries, a directory of archives is not asked: every pull is one from there.
    registry.push("web", "1", &web());
    let mut world = World::beside(Docker::start("containers of Docker's in random rounds of kills"));
    let before = world.seen();
    for round in 0..count {
        let is_dockers = world.docker.is_some() && random.u8(0..3) == 0;
        let maker = if is_dockers { Victim::Daemon } else { Victim::Shim };
        let victim = random.choice([Victim::Agent, Victim::Executor, maker, Victim::AgentAndExecutor, Victim::All]);
        let things = random.usize(1..=if is_dockers { MOST_OF_DOCKERS } else { MOST_THINGS });
        let moment = random.choice([Moment::Launched, Moment::Started(things), Moment::Running, Moment::Killed]);
        let (Some(victim), Some(moment)) = (victim, moment) else { unreachable!("there are some") };
        let id = format!("round-{round}");
        world.framework.operate(|offer| {
            let task = match is_dockers {
                true => of_dockers(&mut random, &id, &registry, round),
                false => task(&mut random, &id, &registry, round, offer),
            };
            println!("round {round}: {victim:?} at {moment:?}: {}", task["container"]);
            vec![launch([filled(task, offer)])]
        });
        reach(&world, moment, &id, &before);
        strike(&mut world, victim);
        world.ended(&id);
        world.nothing_since(&before);
    }
}

/// A task of some kind, in the host's network or on the bridge, there with a mapped port or none.
fn task(random: &mut fastrand::Rng, id: &str, registry: &Registry, round: u64, offer: &Value) -> Value {
    let image = image(random, registry, round);
    let mut task = match random.u8(0..4) {
        0 => shell(id, &image, "sleep 1000 & sleep 1000 & wait"),
        1 => of_image(id, &registry.image("web:1")),
        2 => shell(id, &image, "trap '' TERM; sleep 1000 & wait; wait"),
        _ => shell(id, &image, "sleep 1000"),
    };
    task = match random.u8(0..3) {
        0 => task,
        1 => on_a_bridge(task),
        _ => with_port(task, offered_port(offer)),
    };
    checked(task)
}

/// A task whose container Docker makes, in the host's network or on a bridge of Docker's.
fn of_dockers(random: &mut fastrand::Rng, id: &str, registry: &Registry, round: u64) -> Value {
    let image = image(random, registry, round);
    let network = if random.bool() { "HOST" } else { "BRIDGE" };
    let script = if random.bool() { "sleep 1000" } else { "trap '' TERM; sleep 1000 & wait; wait" };
    let mut task = harness::framework::task(id, script);
    task["container"] = json!({"type": "DOCKER", "docker": {"image": image, "network": network}});
    checked(task)
}

/// An image: now and then a name that is not there, so that it is pulled.
fn image(random: &mut fastrand::Rng, registry: &Registry, round: u64) -> String {
    let tag = if random.u8(0..3) == 0 { format!("r{round}") } else { "1".to_owned() };
    registry.push("app", &tag, &app());
    registry.image(&format!("app:{tag}"))
}

/// The task with a check, and little time to end.
fn checked(mut task: Value) -> Value {
    let command = json!({"value": "true"});
    task["health_check"] =
        json!({"type": "COMMAND", "command": command, "interval_seconds": 0.05, "delay_seconds": 0.0});
    task["kill_policy"] = json!({"grace_period": {"nanoseconds": 200_000_000}});
    task
}

fn reach(world: &World, moment: Moment, id: &str, before: &Leftovers) {
    match moment {
        Moment::Launched => {}
        Moment::Started(things) => {
            let is_there = || (world.since(before).len() >= things).then_some(());
            wait::until("the container to be there in part", START, is_there);
        }
        Moment::Running => {
            wait::until("the task to run", START, || {
                let event = world.framework.stream.waiting()?;
                let status = &event["update"]["status"];
                if event["type"] == "UPDATE" {
                    world.framework.acknowledge(status);
                }
                (status["task_id"]["value"] == id && status["state"] == "TASK_RUNNING").then_some(())
            });
        }
        Moment::Killed => world.framework.kill(id),
    }
}

fn strike(world: &mut World, victim: Victim) {
    let is_executor = |line: &str| line.contains("--pool");
    let is_shim = |line: &str| line.contains(" shim ") && !line.contains("--pool");
    match victim {
        Victim::Agent => {}
        Victim::Executor => return world.kill(is_executor),
        Victim::Shim => return world.kill(is_shim),
        Victim::Daemon => return strike_daemon(world, |_| {}),
        Victim::AgentAndExecutor => world.kill(is_executor),
        Victim::All => {
            return strike_daemon(world, |world| {
                world.kill(|line| is_executor(line) || is_shim(line));
                strike_agent(world);
            });
        }
    }
    strike_agent(world);
}

fn strike_agent(world: &mut World) {
    world.pair.agent_process().kill();
    world.start_agent();
}

/// Kills the daemon, if there is one; it is back after the others.
fn strike_daemon(world: &mut World, others: impl FnOnce(&mut World)) {
    world.docker.iter_mut().for_each(Docker::kill);
    others(world);
    assert!(world.docker.iter_mut().all(Docker::run), "it starts again");
}
