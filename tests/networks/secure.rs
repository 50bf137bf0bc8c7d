//! Checks over TLS and of gRPC in a container on the bridge. The servers listen on its own loopback, where only its checks
//! come to.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;

use harness::cluster::START;
use harness::framework::{task, with_health_check};
use harness::wait;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::world::{World, address, networked, on_a_machine};

const PORT: u16 = 8443;

#[test]
fn a_server_of_https_is_checked_in_its_container() {
    let check = json!({"type": "HTTP", "http": {"port": PORT, "scheme": "https", "path": "/"}});
    becomes_healthy("a_server_of_https_is_checked_in_its_container", check, |listener| {
        let config = self_signed();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        serve(listener, move |mut stream| {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            if connection.complete_io(&mut stream).is_ok() {
                answer_with(&mut StreamOwned::new(connection, stream), answer);
            }
        });
    });
}

#[test]
fn a_server_of_grpc_is_checked_in_its_container() {
    let check = json!({"type": "GRPC", "grpc": {"port": PORT}});
    becomes_healthy("a_server_of_grpc_is_checked_in_its_container", check, |listener| {
        serve(listener, |mut stream| answer_with(&mut stream, &serving()));
    });
}

fn becomes_healthy(test: &str, check: Value, serve: fn(TcpListener)) {
    on_a_machine(test, &[], |world| {
        let mut task = with_health_check(task("t", "exec sleep 1000"), check);
        task["health_check"]["grace_period_seconds"] = json!(60.0);
        let status = world.framework.run(networked(task, json!([{"name": "mesos-bridge"}]), &[]));
        serve(listener(&world, &status));
        let healthy = || (world.framework.expect("TASK_RUNNING")["healthy"] == true).then_some(());
        wait::until("a healthy task", START, healthy);
        let outside = TcpStream::connect((address(&status).as_str(), PORT));
        assert!(outside.is_err(), "nobody else reaches it");
        world.end("t");
        world.nothing_left();
    });
}

/// A listener on the loopback of the task's container.
fn listener(world: &World, status: &Value) -> TcpListener {
    let container = status["container_status"]["container_id"]["value"].as_str().expect("a container");
    let namespaces = world.pair.directory().join("agent/meta/networks");
    let handle = File::open(namespaces.join(container).join("ns")).expect("its namespace");
    let there = move || {
        move_into_link_name_space(handle.as_fd(), Some(LinkNameSpaceType::Network)).expect("a way in");
        TcpListener::bind(("127.0.0.1", PORT)).expect("its port is free")
    };
    thread::spawn(there).join().expect("a listener")
}

fn serve(listener: TcpListener, handle: impl Fn(TcpStream) + Send + 'static) {
    thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(handle));
}

/// Answers the first that is said with this, and waits for the peer's end.
fn answer_with(stream: &mut (impl Read + Write), answer: &[u8]) {
    let mut bytes = [0; 4096];
    let _request = stream.read(&mut bytes);
    let _peer_may_have_gone = stream.write_all(answer).and_then(|()| stream.flush());
    while stream.read(&mut bytes).is_ok_and(|length| length > 0) {}
}

/// A certificate that nobody knows, as servers in containers have it.
fn self_signed() -> Arc<ServerConfig> {
    let own = rcgen::generate_simple_self_signed(["web".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap())
}

/// The frames of HTTP/2 by which a server of gRPC's health protocol says SERVING to the first call.
fn serving() -> Vec<u8> {
    let literal = |name: &str, value: &str| {
        [&[0, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
    };
    let head = [&[0x88], &literal("content-type", "application/grpc")[..]].concat();
    let frames: [(u8, u8, u8, &[u8]); 4] =
        [(4, 0, 0, &[]), (1, 4, 1, &head), (0, 0, 1, &[0, 0, 0, 0, 2, 8, 1]), (1, 5, 1, &literal("grpc-status", "0"))];
    let frame = |(kind, flags, stream, payload): (u8, u8, u8, &[u8])| {
        [&[0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream], payload].concat()
    };
    frames.into_iter().flat_map(frame).collect()
}
