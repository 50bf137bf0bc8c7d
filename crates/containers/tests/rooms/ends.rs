//! The ends of containers: by themselves, by signals, and because their holder was killed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use harness::patience::{PATIENCE, soon};
use harness::wait::{timed, until};
use processes::{End, Process, contained};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Signal;

use crate::world::{Room, Running, World, members, signal, status};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("its_exit_status_is_exact", its_exit_status_is_exact),
    ("sigterm_ends_a_program_that_does_not_handle_it", sigterm_ends_a_program_that_does_not_handle_it),
    ("orphans_are_reaped_and_end_with_the_program", orphans_are_reaped_and_end_with_the_program),
    ("a_program_may_be_the_first_process", a_program_may_be_the_first_process),
    ("the_end_of_pause_is_the_end_of_all", the_end_of_pause_is_the_end_of_all),
    ("the_end_of_the_shim_is_the_end_of_all", the_end_of_the_shim_is_the_end_of_all),
    ("a_program_that_is_not_there_is_named", a_program_that_is_not_there_is_named),
    ("pause_is_of_no_use_to_anybody", pause_is_of_no_use_to_anybody),
    ("a_container_is_found_again", a_container_is_found_again),
    ("after_many_rounds_nothing_is_left", after_many_rounds_nothing_is_left),
];

/// Two daemons, one in a session of its own, and an orphan that is dead.
const FAMILY: &str = "(setsid sleep 1000 &); (sleep 1001 &); (true &); echo ready; exec sleep 1002";

fn its_exit_status_is_exact() {
    let world = World::new();
    let running = world.start(&world.room(), "exit 37");
    assert_eq!(status(&running.end()), Some(37));
    let running = world.start(&world.room(), "kill -USR1 $$");
    assert_eq!(signal(&running.end()), Some(10));
    world.until_nothing_is_left();
}

fn sigterm_ends_a_program_that_does_not_handle_it() {
    let world = World::new();
    let running = world.start(&world.room(), "exec sleep 1000");
    running.signal_all(Signal::TERM);
    assert_eq!(signal(&running.end()), Some(Signal::TERM.as_raw()));
}

fn orphans_are_reaped_and_end_with_the_program() {
    let world = World::new();
    let running = world.start(&world.room(), FAMILY);
    running.until_said("ready");
    let namespace = namespace(running.app());
    until("three living processes beside the first, and no dead one", PATIENCE, || {
        let states = members(&namespace).into_iter().filter_map(state).collect::<Vec<_>>();
        (states.len() == 4 && !states.contains(&'Z')).then_some(())
    });
    running.app().signal(Signal::INT);
    assert_eq!(signal(&running.end()), Some(Signal::INT.as_raw()));
    assert_eq!(members(&namespace), [0; 0]);
    world.until_nothing_is_left();
}

fn state(pid: i32) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("State:")?.trim().chars().next())
}

fn a_program_may_be_the_first_process() {
    let world = World::new();
    let room = || Room { init: true, ..world.room() };
    assert_eq!(
        world.output(&room(), "echo $$; cat /proc/1/comm; hostname; ls /proc/self/fd | wc -l"),
        "1\nsh\ninside\n4\n"
    );
    let running = world.start(&room(), "exit 37");
    assert_eq!(status(&running.end()), Some(37));
    let running = world.start(&room(), "trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done");
    running.until_said("ready");
    running.app().signal(Signal::TERM);
    assert_eq!(status(&running.end()), Some(3));
    let Err(End::NotStarted(why)) = world.try_start(&room(), &["/bin/no"]) else { panic!("it was started") };
    assert_eq!(why, "Cannot run '/bin/no': No such file or directory");
    world.until_nothing_is_left();
}

fn the_end_of_pause_is_the_end_of_all() {
    let world = World::new();
    let running = world.start(&world.room(), FAMILY);
    running.until_said("ready");
    let namespace = namespace(running.app());
    running.pause().signal(Signal::KILL);
    assert_eq!(signal(&running.end()), Some(Signal::KILL.as_raw()));
    assert_eq!(members(&namespace), [0; 0]);
    world.until_nothing_is_left();
}

/// Within a tenth of a second, at least once: the machine is busy with other tests.
fn the_end_of_the_shim_is_the_end_of_all() {
    let world = World::new();
    let times: Vec<Duration> = (0..9).map(|_| time_to_end_without_shim(&world)).collect();
    assert!(times.iter().any(|time| *time < Duration::from_millis(100)), "{times:?}");
    world.until_nothing_is_left();
}

fn time_to_end_without_shim(world: &World) -> Duration {
    let running = world.start(&world.room(), FAMILY);
    running.until_said("ready");
    let (shim, pause) = (running.shim(), running.pause());
    // That one ends when we have reaped the program.
    let others: Vec<Process> = family(&running).into_iter().filter(|process| *process != pause).collect();
    assert!(others.len() >= 3);
    let pidfds: Vec<_> = others.iter().filter_map(|process| process.open()).collect();
    let ((), time) = timed(|| {
        shim.signal(Signal::KILL);
        for pidfd in &pidfds {
            poll(&mut [PollFd::new(pidfd, PollFlags::IN)], None).unwrap();
        }
    });
    assert!(matches!(running.end(), End::Unknown(_)));
    assert_eq!(others.into_iter().chain([pause]).find(|process| process.is_alive()), None);
    time
}

/// All processes of the container that there are now.
fn family(running: &Running<'_>) -> Vec<Process> {
    members(&namespace(running.app())).into_iter().filter_map(Process::of).collect()
}

fn a_program_that_is_not_there_is_named() {
    let world = World::new();
    let Err(End::NotStarted(why)) = world.try_start(&world.room(), &["/bin/no"]) else { panic!("it was started") };
    assert_eq!(why, "Cannot run '/bin/no': No such file or directory");
    world.until_nothing_is_left();
}

/// It has no descriptor, no capability, no argument that tells of the host, and cannot be looked into.
fn pause_is_of_no_use_to_anybody() {
    let world = World::new();
    let running = world.start(&world.room(), "exec sleep 1000");
    let pause = running.pause();
    let file = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", pause.pid)).unwrap();
    assert_eq!(file("cmdline").trim_end_matches('\0'), "pause");
    assert_eq!(file("comm"), "pause\n");
    assert_eq!(file("environ"), "");
    assert_eq!(fs::read_dir(format!("/proc/{}/fd", pause.pid)).unwrap().count(), 0);
    let status = file("status");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(status.contains(&format!("{set}:\t0000000000000000")), "{status}");
    }
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    for link in ["root", "cwd"] {
        assert_eq!(fs::read_link(format!("/proc/{}/{link}", pause.pid)).unwrap(), PathBuf::from("/"));
    }
    // Root with few capabilities, as containers have it.
    let place = format!("/proc/{}", pause.pid);
    let look = format!(
        "for x in exe environ maps; do cat {place}/$x >/dev/null 2>&1 && echo $x; done; ls {place}/root/ 2>/dev/null; echo looked"
    );
    let few = "-all,+chown,+dac_override,+fowner,+kill,+mknod,+net_raw,+setgid,+setuid,+sys_chroot";
    let confined = ["--bounding-set", few, "sh", "-c", look.as_str()];
    let seen = Command::new("setpriv").args(confined).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&seen.stdout), "looked\n");
}

/// By what is on file, and without it: the first process of a container is not taken for the program.
fn a_container_is_found_again() {
    let world = World::new();
    let room = world.room();
    let running = world.start(&room, FAMILY);
    running.until_said("ready");
    let shim = room.directory.join("shim");
    let found = || world.block_on(soon("the container", contained::recover(&shim))).unwrap().unwrap();
    assert_eq!(found().process(), running.app());
    fs::remove_file(shim.join("pid")).unwrap();
    assert_eq!(found().process(), running.app());
    running.app().signal(Signal::KILL);
    assert_eq!(signal(&running.end()), Some(Signal::KILL.as_raw()));
}

fn after_many_rounds_nothing_is_left() {
    let world = World::new();
    let mut processes = Vec::new();
    for round in 0..50 {
        let mut random = fastrand::Rng::with_seed(round);
        let room = Room { init: random.u8(..4) == 0, ..world.room() };
        let running = world.start(&room, FAMILY);
        if random.bool() {
            running.until_said("ready");
        }
        processes.extend(family(&running));
        end_somehow(&running, &mut random, room.init);
        running.end();
        let living = processes.iter().find(|process| process.is_alive());
        assert_eq!(living, None, "in round {round}");
    }
    world.until_nothing_is_left();
}

fn end_somehow(running: &Running<'_>, random: &mut fastrand::Rng, is_init: bool) {
    match random.u8(..4) {
        0 => running.signal_all(Signal::KILL),
        1 => running.shim().signal(Signal::KILL),
        2 if !is_init => running.pause().signal(Signal::KILL),
        _ => running.app().signal(Signal::KILL),
    }
}

fn namespace(process: Process) -> PathBuf {
    fs::read_link(format!("/proc/{}/ns/pid", process.pid)).unwrap()
}
