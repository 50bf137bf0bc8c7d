//! Whoever enters containers runs from a mount that nobody can write to, and is called as ever.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use harness::patience::PATIENCE;
use harness::wait::until;

use crate::support::{cygnet, free_port};

/// Killed at the end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_agent_and_a_check_by_hand_cannot_be_written_by_whom_they_enter() {
    if !Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|status| status.success()) {
        println!("SKIPPED an_agent_and_a_check_by_hand_cannot_be_written_by_whom_they_enter: needs CAP_SYS_ADMIN");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let work = directory.path().join("agent").display().to_string();
    let (master, port) = (format!("127.0.0.1:{}", free_port()), free_port().to_string());
    let agent = ["agent", "--master", &master, "--port", &port, "--work-dir", &work, "--resources", "cpus:1;mem:64"];
    let check = ["check", "command", "--", "sleep", "1000"];
    for arguments in [&agent[..], &check] {
        let mut command = cygnet(arguments);
        let running = Running(command.stderr(Stdio::null()).spawn().expect("it starts"));
        let proc = format!("/proc/{}", running.0.id());
        let is_sealed = || fs::read_link(format!("{proc}/exe")).is_ok_and(|exe| exe.as_os_str() == "/");
        until("a start from a mount in no place", PATIENCE, || is_sealed().then_some(()));
        let exe = format!("{proc}/exe");
        let mode = fs::metadata(&exe).expect("a file").permissions().mode();
        let changed = fs::set_permissions(&exe, fs::Permissions::from_mode(mode));
        assert_eq!(changed.expect_err("read-only").kind(), std::io::ErrorKind::ReadOnlyFilesystem);
        let name = || fs::read_to_string(format!("{proc}/comm")).is_ok_and(|name| name == "cygnet\n");
        until("its name", PATIENCE, || name().then_some(()));
    }
}
