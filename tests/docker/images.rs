//! The images of containers, as their daemon pulls them.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use harness::archive::Archive;
use harness::cluster::START;
use harness::images::Image;
use harness::registry::{PASSWORD, Registry, USER};
use harness::wait;
use serde_json::json;

use crate::world::{task, with_docker, with_docker_info};

#[test]
fn an_image_of_a_private_registry_is_pulled_with_the_agents_login() {
    const TEST: &str = "an_image_of_a_private_registry_is_pulled_with_the_agents_login";
    with_docker(TEST, |world| {
        let Some(registry) = Registry::with_password(TEST) else { return };
        registry.push("team/app", "1", &Image::busybox(Archive::new(), &json!({"Cmd": ["sleep", "1000"]})));
        let private = |id: &str| with_docker_info(task(id, "exit 5"), json!({"image": registry.image("team/app:1")}));
        world.framework.launch(private("stranger"));
        world.framework.expect("TASK_STARTING");
        let refused = world.framework.expect("TASK_FAILED");
        let message = refused["message"].as_str().expect("a message");
        assert!(message.contains(&format!("Failed to pull the image '{}'", registry.image("team/app:1"))), "{message}");
        let mut auths = json!({});
        auths[registry.address.to_string()] = json!({"username": USER, "password": PASSWORD});
        let logins = world.pair.directory().join("logins.json");
        fs::write(&logins, json!({"auths": auths}).to_string()).expect("a file");
        world.pair.agent_process().kill();
        let (socket, logins) = (world.daemon.socket().display().to_string(), logins.display().to_string());
        world.pair.start_agent_with(&["--docker-socket", &socket, "--docker-config", &logins]);
        world.framework.launch(private("known"));
        // The first one's end may be told again.
        let mut updates = std::iter::repeat_with(|| world.framework.update());
        let last = updates.find(|status| status["task_id"]["value"] == "known" && status["state"] == "TASK_FAILED");
        assert_eq!(last.expect("it ends")["message"], "Container exited with status 5");
        world.nothing_left();
    });
}

/// The bytes of an answer after which a [`Gate`] is shut, fewer than those of a layer.
const BEFORE_THE_GATE: u64 = 200_000;

/// A way to a registry on which long answers stop until it is opened.
struct Gate {
    address: SocketAddr,
    is_open: Arc<AtomicBool>,
}

impl Gate {
    fn before(registry: SocketAddr) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let gate = Gate { address: listener.local_addr().expect("an address"), is_open: Arc::default() };
        let is_open = gate.is_open.clone();
        // Threads of the test's, which end with it.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(registry).expect("the registry");
                let (mut asked, mut asks) =
                    (server.try_clone().expect("a handle"), client.try_clone().expect("a handle"));
                thread::spawn(move || io::copy(&mut asks, &mut asked));
                let is_open = is_open.clone();
                thread::spawn(move || pass(server, client, &is_open));
            }
        });
        gate
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::Release);
    }
}

fn pass(mut server: TcpStream, mut client: TcpStream, is_open: &AtomicBool) -> io::Result<u64> {
    let first = io::copy(&mut Read::by_ref(&mut server).take(BEFORE_THE_GATE), &mut client)?;
    client.flush()?;
    if first == BEFORE_THE_GATE {
        wait::until("the gate to be opened", START, || is_open.load(Ordering::Acquire).then_some(()));
    }
    io::copy(&mut server, &mut client)
}

#[test]
fn the_progress_of_a_pull_is_told() {
    const TEST: &str = "the_progress_of_a_pull_is_told";
    with_docker(TEST, |world| {
        let Some(registry) = Registry::start(TEST) else { return };
        // Another one than the daemon has.
        let files = Archive::new().file("who", "slow");
        registry.push("team/slow", "1", &Image::busybox(files, &json!({"Cmd": ["sleep", "1000"]})));
        let gate = Gate::before(registry.address);
        let name = format!("{}/team/slow:1", gate.address);
        world.framework.launch(with_docker_info(task("t", "sleep 1000"), json!({"image": name})));
        let begins = format!("Pulling {name}: layer 1 of ");
        let told = std::iter::repeat_with(|| world.framework.update());
        let told = told.inspect(|status| assert_eq!(status["state"], "TASK_STARTING", "{status}"));
        let mut messages = told.filter_map(|status| status["message"].as_str().map(str::to_owned));
        assert!(messages.any(|message| message.starts_with(&begins) && message.ends_with(" MB")));
        gate.open();
        while world.framework.update()["state"] != "TASK_RUNNING" {}
    });
}
