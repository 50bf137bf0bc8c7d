//! The files of `examples/containers` run as they are, with images of the same names that the test makes itself.

use std::fs;
use std::path::Path;

use harness::archive::Archive;
use harness::cluster::{Dev, START};
use harness::docker::Docker;
use harness::images::{Image, tar};
use harness::{http, wait};
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("examples/containers/nginx.json", nginx),
    ("examples/containers/pod.json", pod),
    ("examples/containers/docker.json", docker),
];

fn nginx(test: &str) {
    let dev = with_archives(test);
    let app = dev.wait_healthy("nginx", 2);
    assert_eq!(said(&app["tasks"][0]["ports"][0]), "nginx");
}

fn pod(test: &str) {
    let dev = with_archives(test);
    let status = wait::until("the pod to be stable", START, || {
        let status = http::get(dev.api, "/v2/pods/clock::status")?.json();
        (status["status"] == "STABLE").then_some(status)
    });
    let containers = status["instances"][0]["containers"].as_array().expect("containers");
    let web = containers.iter().find(|container| container["name"] == "web").expect("the web server");
    let page = said(&web["endpoints"][0]["allocatedHostPort"]);
    assert!(page.contains("UTC"), "the other container writes the time: {page}");
}

fn docker(test: &str) {
    let Some(daemon) = Docker::start(test) else { return };
    daemon.load(&tar(&redis().docker(&["redis:7"])).tar());
    let dev = started(Dev::new(), test, ["--docker-socket", &daemon.socket().display().to_string()]);
    dev.wait_healthy("redis", 1);
    assert_eq!(daemon.containers().len(), 1);
    http::send(dev.api, "DELETE", "/v2/apps/redis", &Value::Null).expect("an answer");
    wait::until("no container of Docker's", START, || daemon.containers().is_empty().then_some(()));
}

/// A cluster with the example, whose images are in a directory.
fn with_archives(example: &str) -> Dev {
    let dev = Dev::new();
    let images = dev.directory().join("images");
    fs::create_dir_all(&images).expect("a directory");
    web().save(&images, "nginx:1.27");
    Image::busybox(Archive::new(), &json!({})).save(&images, "busybox:1.36");
    started(dev, example, ["--docker-registry", &images.display().to_string()])
}

fn started(mut dev: Dev, example: &str, options: [&str; 2]) -> Dev {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(example).display().to_string();
    let own = [file.as_str(), "--resources", "cpus:4;mem:4096;disk:4096"];
    dev.start(&[own.as_slice(), options.as_slice()].concat());
    dev
}

/// An image that looks like nginx, as far as the examples can tell.
fn web() -> Image {
    let page = Archive::new().file("usr/share/nginx/html/index.html", "nginx");
    serving(page, "mkdir -p /run; echo 1 > /run/nginx.pid; exec httpd -f -p 80 -h /usr/share/nginx/html")
}

/// One that looks like Redis.
fn redis() -> Image {
    let script = "printf '#!/bin/sh\necho PONG\n' > /bin/redis-cli; chmod +x /bin/redis-cli; exec httpd -f -p 6379";
    serving(Archive::new().file("data", ""), script)
}

fn serving(files: Archive, script: &str) -> Image {
    Image::busybox(files, &json!({"Cmd": ["/bin/sh", "-c", script]}))
}

/// The answer of a port of the host, once there is one.
fn said(port: &Value) -> String {
    let port = u16::try_from(port.as_u64().expect("a port")).expect("a port");
    let answer = || http::get(([127, 0, 0, 1], port).into(), "/").filter(|answer| answer.status == 200);
    wait::until("the container answers", START, answer).text().trim().to_owned()
}
