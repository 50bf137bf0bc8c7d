//! A confined program and its output.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;

use processes::{Confinement, Credentials, Session, Spawn};
use rustix::process::{WaitId, WaitIdOptions, waitid};

/// The output of a program, both streams.
pub(crate) fn output(argv: &[&str], user: u32, confinement: Confinement) -> String {
    let (mut ours, theirs) = std::io::pipe().unwrap();
    let null = File::open("/dev/null").unwrap();
    let spawn = Spawn {
        path: argv[0].into(),
        argv: argv.iter().map(|argument| (*argument).to_owned()).collect(),
        environment: vec![("PATH".to_owned(), "/usr/sbin:/usr/bin:/sbin:/bin".to_owned())],
        directories: vec!["/".into()],
        streams: [null.as_fd(), theirs.as_fd(), theirs.as_fd()].map(Some),
        session: Session::Own,
        credentials: Some(Credentials { uid: user, gid: user, groups: vec![user] }),
        confinement: Some(confinement),
        ..Spawn::default()
    };
    let child = spawn.launch().unwrap();
    drop(theirs);
    let mut text = String::new();
    ours.read_to_string(&mut text).unwrap();
    waitid(WaitId::PidFd(child.pidfd.as_fd()), WaitIdOptions::EXITED).unwrap();
    text
}

/// False, and says so in the words that are counted, if a test cannot run here.
pub(crate) fn can_run(test: &str, programs: &[&str]) -> bool {
    let missing = programs.iter().find(|program| !std::path::Path::new(program).exists());
    let missing = missing.map(|program| (*program).to_owned());
    let missing = missing.or_else(|| programs.iter().find_map(|program| dynamic_busybox(program)));
    let missing = missing.or_else(|| (!rustix::process::geteuid().is_root()).then(|| "root".to_owned()));
    if let Some(missing) = &missing {
        println!("SKIPPED {test}: needs {missing}");
    }
    missing.is_none()
}

/// The one that needs libraries cannot run alone in a root directory.
fn dynamic_busybox(program: &str) -> Option<String> {
    let is_dynamic = || {
        let content = std::fs::read(program).unwrap_or_default();
        // The name of its loader stands beside the headers; further on a static one has it, too.
        content.get(..4096).is_some_and(|headers| headers.windows(8).any(|window| window == b"ld-linux"))
    };
    (program.ends_with("busybox") && is_dynamic()).then(|| "a static busybox".to_owned())
}
