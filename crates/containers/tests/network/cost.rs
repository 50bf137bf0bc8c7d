//! The CPU time of a bridge with a mapped port, ours beside that of CNI's plugins, in one run.

use std::process::Command;
use std::time::Duration;

use crate::cni::{debians, has_plugins, info, networks};
use crate::world::{World, on_a_machine, tcp};

const CHILD: &str = "CONTAINERS_COST";
/// The plugins' time per our own that must be reached.
const BAR: f64 = 20.0;
const PLUGINS_ROUNDS: u32 = 10;
const OUR_ROUNDS: u32 = 100;

/// The milliseconds of CPU time of this process and of its children that have ended; the kernel tells hundredths of a
/// second.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11..15].iter().map(|field| field.parse::<f64>().unwrap()).sum();
    ticks * 10.0
}

fn per_round(rounds: u32, mut round: impl FnMut(u32)) -> f64 {
    let before = cpu();
    (0..rounds).for_each(&mut round);
    (cpu() - before) / f64::from(rounds)
}

fn plugins(world: &World) -> f64 {
    let cni = networks(world, "/usr/lib/cni", Duration::from_secs(60), &[debians(world, "blue", 88)]);
    per_round(PLUGINS_ROUNDS, |round| {
        let name = format!("p{round}");
        let made = world.namespaces.make(&name).unwrap();
        cni.attach(&made, "eth0", &info("blue", &[(31000, 80)])).unwrap();
        cni.detach(&name).unwrap();
        world.namespaces.release(&name).unwrap();
    })
}

fn ours(world: &World) -> f64 {
    let mut bridge = world.bridge(&[]);
    per_round(OUR_ROUNDS, |round| {
        let name = format!("o{round}");
        let made = world.namespaces.make(&name).unwrap();
        bridge.attach(&made, "eth0", &[tcp(31000, 80)]).unwrap();
        bridge.detach(&name).unwrap();
        world.namespaces.release(&name).unwrap();
    })
}

/// In a process of its own, so that no other test is counted.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    on_a_machine("cost", &["iptables"], |world| {
        let (plugins, ours) = (plugins(world), ours(world));
        println!("ADD and DEL: {plugins:.1} ms of CPU by plugins, {ours:.2} ms by us, factor {:.0}", plugins / ours);
        assert!(plugins / ours >= BAR);
    });
}

#[test]
fn a_bridge_of_our_own_costs_a_twentieth_of_plugins() {
    if !has_plugins("a_bridge_of_our_own_costs_a_twentieth_of_plugins") {
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", "cost::child", "--nocapture"]).env(CHILD, "1").output().unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
