//! Logs that are kept short while a program writes at full speed.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use harness::patience::PATIENCE;
use harness::wait::until;
use processes::{Rotation, Rotations};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::process::Signal;

use crate::world::{Room, World, status};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("no_line_is_lost_over_many_rotations", no_line_is_lost_over_many_rotations),
    ("killed_at_any_moment_no_line_is_lost", killed_at_any_moment_no_line_is_lost),
    ("an_endless_log_takes_the_room_it_is_given", an_endless_log_takes_the_room_it_is_given),
    (
        "whatever_a_program_makes_of_its_logs_it_gets_no_further",
        whatever_a_program_makes_of_its_logs_it_gets_no_further,
    ),
    ("a_quiet_program_costs_nothing", a_quiet_program_costs_nothing),
];

const FILE_BYTES: u64 = 256 * 1024;

fn room(world: &World, files: u32) -> Room {
    let bound = Some(Rotation { bytes: FILE_BYTES, files });
    Room { rotations: Rotations { stdout: bound, stderr: bound }, ..world.room() }
}

fn sandbox(room: &Room) -> &Path {
    &room.wanted.sandbox
}

/// All of a log that is there, the oldest first, and the number of files.
fn all(room: &Room, stream: &str) -> (String, usize) {
    let path = |number| sandbox(room).join(format!("{stream}.{number}"));
    let older: Vec<_> = (1..).map_while(|number| fs::read_to_string(path(number)).ok()).collect();
    let log = fs::read_to_string(sandbox(room).join(stream)).unwrap();
    let files = older.len() + 1;
    (older.into_iter().rev().chain([log]).collect(), files)
}

/// True if the kernel can take the beginning of a file away here; otherwise says who is skipped.
fn can_shorten(world: &World, test: &str) -> bool {
    let (path, bytes) = (world.path("long"), [0; 1 << 17]);
    fs::write(&path, bytes).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    let can = fallocate(&file, FallocateFlags::COLLAPSE_RANGE, 0, 1 << 16).is_ok();
    if !can {
        println!("SKIPPED {test}: needs a file system that shortens files at their beginning (ext4, XFS)");
    }
    can
}

fn no_line_is_lost_over_many_rotations() {
    let world = World::new();
    if !can_shorten(&world, "no_line_is_lost_over_many_rotations") {
        return;
    }
    let room = room(&world, 500);
    // Both streams at once, each in pieces that end within lines.
    let running = world.start(&room, "seq 1 1500000 & seq 1 700000 >&2; wait");
    assert_eq!(status(&running.end()), Some(0));
    for (stream, last) in [("stdout", 1_500_000), ("stderr", 700_000)] {
        let (text, files) = all(&room, stream);
        let expected: String = (1..=last).map(|number| format!("{number}\n")).collect();
        assert!(text == expected, "{stream}: {} bytes of {}", text.len(), expected.len());
        assert_eq!(files as u64, expected.len() as u64 / FILE_BYTES + 1);
    }
}

/// The log has everything from its first line on, and once, where it was killed, perhaps a part of it twice.
fn killed_at_any_moment_no_line_is_lost() {
    let world = World::new();
    if !can_shorten(&world, "killed_at_any_moment_no_line_is_lost") {
        return;
    }
    for round in 1..=20 {
        let room = room(&world, 500);
        let running = world.start(&room, "seq 1 100000000");
        let last = sandbox(&room).join(format!("stdout.{round}"));
        until("some rotations", PATIENCE, || last.exists().then_some(()));
        running.shim().signal(Signal::KILL);
        running.end();
        let (text, _) = all(&room, "stdout");
        let mut next = 1;
        let whole = text.rsplit_once('\n').unwrap().0;
        let mut repeated = 0;
        for line in whole.split('\n') {
            match line.parse::<u64>() {
                Ok(number) if number == next => next += 1,
                // The beginning that was copied and not yet taken away begins and ends anywhere in a line.
                other => {
                    repeated += 1;
                    assert!(repeated <= 2, "round {round}: {other:?} in place of {next}");
                    next = other.map_or(next, |number| number + 1);
                }
            }
        }
    }
}

fn an_endless_log_takes_the_room_it_is_given() {
    let world = World::new();
    let room = room(&world, 2);
    let running = world.start(&room, "yes & yes no >&2");
    until("many rotations", PATIENCE, || {
        let young = fs::metadata(sandbox(&room).join("stdout.1")).ok()?.ino();
        until("another file", PATIENCE, || {
            (fs::metadata(sandbox(&room).join("stdout.1")).ok()?.ino() != young).then_some(())
        });
        Some(())
    });
    running.signal_all(Signal::KILL);
    running.end();
    let mut names: Vec<_> =
        fs::read_dir(sandbox(&room)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["stderr", "stderr.1", "stderr.2", "stdout", "stdout.1", "stdout.2"]);
    for name in names {
        let bytes = fs::metadata(sandbox(&room).join(&name)).unwrap().len();
        assert!(bytes <= 2 * FILE_BYTES, "{name}: {bytes}");
    }
}

fn whatever_a_program_makes_of_its_logs_it_gets_no_further() {
    let world = World::new();
    let host = world.path("precious");
    fs::write(&host, "precious").unwrap();
    let link = host.display();
    let obstacles = [
        "rm stdout; mkfifo stdout; mkdir stdout.1".to_owned(),
        format!("rm stdout; ln -s {link} stdout; ln -s {link} stdout.1; ln -s {link} .stdout.new"),
        "rm stdout; mkdir stdout .stdout.new stdout.2".to_owned(),
        "rm -rf stdout stderr".to_owned(),
    ];
    for obstacle in obstacles {
        let room = room(&world, 2);
        let running = world.start(&room, &format!("{obstacle}; seq 1 900000; exit 5"));
        assert_eq!(status(&running.end()), Some(5), "{obstacle}");
        assert_eq!(fs::read_to_string(&host).unwrap(), "precious", "{obstacle}");
    }
    world.until_nothing_is_left();
}

/// The shim of a program that writes nothing sleeps for as long as it takes.
fn a_quiet_program_costs_nothing() {
    let world = World::new();
    let room = room(&world, 2);
    let running = world.start(&room, "echo ready; exec sleep 1000");
    running.until_said("ready");
    let call = format!("/proc/{}/syscall", running.shim().pid);
    // The third argument of rt_sigtimedwait is the longest wait: a pointer to it, or none.
    let sleeps = || fs::read_to_string(&call).is_ok_and(|call| call.split(' ').nth(3) == Some("0x0"));
    until("sleep", PATIENCE, || sleeps().then_some(()));
    fs::write(sandbox(&room).join("data"), "x").unwrap();
    until("a look", PATIENCE, || (!sleeps()).then_some(()));
    until("sleep again", PATIENCE, || sleeps().then_some(()));
    running.signal_all(Signal::KILL);
    running.end();
}
