//! An agent that is killed at any point of a container's way in or out, and what the next one finds.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use containers::network::Networks;
use serde_json::json;

use crate::networks::{joins, on_bridge, settings};
use crate::world::{World, ask, on_a_machine, socket};

const CHILD: &str = "CONTAINERS_KILLED";
const ROUNDS: u32 = 30;
/// The line that the child writes before it joins or parts a container.
const STEP: &str = "step";
const LIVES: &str = "lives";

/// The part of the agent that is killed: containers come and go as fast as they can, on the bridge and in a network of a
/// plugin.
#[test]
fn child() {
    let Ok(directory) = std::env::var(CHILD) else { return };
    let all = Networks::new(settings(Path::new(&directory))).unwrap();
    sweep(&all);
    for round in 0.. {
        let container = |number: u16| format!("c{}-{round}-{number}", std::process::id());
        for number in 0..3 {
            println!("{STEP}");
            let both = [on_bridge(31000 + number), joins(json!([{"name": "blue"}]))].concat();
            all.attach(&container(number), &both).unwrap();
        }
        for number in 0..3 {
            println!("{STEP}");
            all.detach(&container(number)).unwrap();
        }
    }
}

/// The first steps of the next agent.
fn sweep(all: &Networks) {
    all.repair().unwrap();
    let left = all.containers().unwrap().into_iter().filter(|container| container != LIVES);
    left.for_each(|container| all.detach(&container).unwrap());
}

/// A plugin that has a file for each container. It is half done for a moment.
fn with_plugin(world: &World) {
    let made = world.path().join("made").display().to_string();
    let script = format!(
        "mkdir -p {made}; case $CNI_COMMAND in \
         ADD) : > {made}/$CNI_CONTAINERID; : > {made}/$CNI_CONTAINERID.rest; echo '{{}}';; \
         DEL) rm -f {made}/$CNI_CONTAINERID {made}/$CNI_CONTAINERID.rest;; esac"
    );
    crate::cni::Written(world).plugin("files", &script).network(&["files"]);
}

#[test]
fn a_kill_at_any_point_leaves_nothing() {
    on_a_machine("a_kill_at_any_point_leaves_nothing", &[], |world| {
        with_plugin(world);
        let mut bridge = world.bridge(&[]);
        world.served(&mut bridge, LIVES, &[crate::world::tcp(31900, 80)]);
        drop(bridge);
        let mut left = 0;
        for _round in 0..ROUNDS {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "kills::child", "--nocapture"])
                .env(CHILD, world.path())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
            let mut lines = lines.filter(|line| line.ends_with(STEP));
            let steps = fastrand::usize(1..10);
            assert_eq!(lines.by_ref().take(steps).count(), steps);
            let somewhere_in_a_step = Duration::from_micros(fastrand::u64(..10_000));
            #[expect(clippy::disallowed_methods, reason = "the point at which it is killed is random on purpose")]
            thread::sleep(somewhere_in_a_step);
            child.kill().unwrap();
            assert_eq!(child.wait().unwrap().signal(), Some(9), "it was killed, and did not fail");
            left += world.namespaces.containers().unwrap().len() - 1;
        }
        sweep(&Networks::new(settings(world.path())).unwrap());
        assert!(left > 0, "the kills left something to sweep");
        assert_eq!(world.counts(), [1; 4]);
        let made: Vec<_> = fs::read_dir(world.path().join("made")).unwrap().collect();
        assert!(made.is_empty(), "the plugin was asked to remove everything: {made:?}");
        assert!(ask(socket("127.0.0.1:31900")).is_some(), "the one that lives was let be");
    });
}
