//! The build of the program that answers.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{code_and_text, cygnet};

/// A server that is killed at the end.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Reads its log until it says where it listens.
    fn start(arguments: &[&str]) -> Server {
        let mut child = cygnet(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = log.find(|line| line.contains(" listens")).expect("it listens");
        let (_, address) = line.split_once("address=").unwrap();
        let address = address.split_whitespace().next().unwrap().parse().unwrap();
        std::thread::spawn(move || log.for_each(drop));
        Server { child, address }
    }

    fn get(&self, path: &str) -> Value {
        harness::http::get(self.address, path).expect("it answers").json()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn servers_tell_the_time_of_what_they_are_built_from() {
    let (work_dir, resources) = (tempfile::tempdir().unwrap(), "cpus:1;mem:64;disk:64;ports:[31000-31009]");
    let directory = work_dir.path().to_str().unwrap();
    let of = ["--port", "0", "--work-dir", directory];
    let master = Server::start(&[&["master"], &of[..]].concat());
    let agent = Server::start(
        &[&["agent", "--master", &master.address.to_string(), "--resources", resources], &of[..]].concat(),
    );
    for server in [&master, &agent] {
        let version = server.get("/version");
        let (date, time) = (version["build_date"].as_str().unwrap(), version["build_time"].as_f64().unwrap());
        assert!(date.starts_with("20") && date.ends_with(" UTC") && time > 1.7e9, "{version}");
        assert_eq!(
            (&server.get("/state")["build_date"], &server.get("/state")["build_time"]),
            (&version["build_date"], &version["build_time"])
        );
    }
    let scheduler = Server::start(&[&["scheduler", "--master", &master.address.to_string()], &of[..]].concat());
    let (_, version) = code_and_text(&["--version"]);
    let own = version.trim().replace("cygnet ", "cygnet-");
    assert_eq!(scheduler.get("/v2/info")["buildref"], own);
}
