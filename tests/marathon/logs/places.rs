//! Readers that never read keep nobody else from reading.

use harness::cluster::START;
use harness::{http, wait};
use serde_json::json;

use super::{app, ask, task};
use crate::{change, started};

/// More than may read at a time for one client.
const SLOW: usize = 64;

#[test]
fn readers_that_never_read_keep_nobody_out() {
    let dev = started();
    // Much more than the connections hold by themselves.
    let mut talks =
        app("/talks", "head -c 60000000 /dev/zero | tr '\\0' 'x' | fold -w 99; echo done >&2; exec sleep 1000");
    talks["env"] = json!({"CONTAINER_LOGGER_MAX_STDOUT_SIZE": "100MB"});
    change(&dev, "POST", "/v2/apps", &talks);
    let task = task(&dev, "talks");
    wait::until("its output", START, || (ask(&dev, &task, "?stream=stderr", "*/*").text() == "done\n").then_some(()));
    let path = format!("/v2/tasks/{task}/logs?follow=true&stream=stdout");
    let open = |_| http::open(dev.api, "GET", &path, &[("accept", "text/plain")], b"").expect("an answer");
    let slow: Vec<_> = (0..SLOW).map(open).collect();
    assert!(slow.iter().all(|(status, ..)| *status == 200));
    let refused = ask(&dev, &task, "?stream=stderr", "*/*");
    assert!(refused.status == 200 || refused.message().contains("end one of these"), "{}", refused.text());
    let soon = std::time::Duration::from_secs(10);
    wait::until("a place", soon, || (ask(&dev, &task, "?stream=stderr", "*/*").status == 200).then_some(()));
    let all = |_| ask(&dev, &task, "?stream=stdout&tail=3", "*/*").status == 200;
    assert!((0..SLOW).all(all), "and for those that come after that");
    // Who lost the place gets one again, and all that is left.
    let (_, _, mut reader) = slow.into_iter().next().expect("one");
    let mut length = 0;
    while length < 60_000_000 {
        length += http::chunk(&mut reader).expect("it goes on").len();
    }
}
