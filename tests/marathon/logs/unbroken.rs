//! Following goes on over the death of the scheduler: nothing is lost, and nothing comes twice.

use std::path::Path;

use harness::cluster::START;
use harness::{http, wait};
use serde_json::json;

use super::apart::Apart;
use super::{Followed, app, event};

const LOST: &str = "the scheduler is lost";
const BACK: &str = "the scheduler is back";

/// The older files of logs below a directory.
fn rotated(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let count = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => rotated(&entry.path()),
        Ok(kind) => usize::from(kind.is_file() && entry.file_name().to_string_lossy().starts_with("stdout.")),
        Err(_) => 0,
    };
    entries.map(count).sum()
}

#[test]
fn a_task_is_followed_over_kills_of_the_scheduler_while_it_writes_and_its_log_is_rotated() {
    let mut apart = Apart::start();
    let go = apart.pair.directory().join("go");
    let writes = format!(
        "n=0; while ! [ -e {} ]; do seq $((n * 300 + 1)) $((n * 300 + 300)); n=$((n + 1)); sleep 0.05; done",
        go.display()
    );
    let mut counts = app("/counts", &format!("{writes}; echo last $((n * 300)) >&2; exit 3"));
    counts["env"] = json!({"CONTAINER_LOGGER_MAX_STDOUT_SIZE": "8KB",
        "CONTAINER_LOGGER_LOGROTATE_STDOUT_OPTIONS": "rotate 999"});
    apart.run(&counts);
    let task = apart.task();
    let mut following = apart.cygnet(&format!("task logs {task} -f"));
    for time in 1..=2 {
        let printed = following.out().lines().count();
        wait::until("more of it", START, || (following.out().lines().count() > printed + 1000).then_some(()));
        apart.kill();
        following.wait_for(LOST, time);
        let older = rotated(apart.pair.directory());
        wait::until("rotations", START, || (rotated(apart.pair.directory()) > older + 1).then_some(()));
        apart.start_again();
        following.wait_for(BACK, time);
    }
    std::fs::write(&go, "").expect("a file");
    assert!(following.end(), "the task has ended: {}", following.err());
    let said = following.err();
    let last: u32 =
        said.lines().find_map(|line| line.strip_prefix("last ")).expect("the last line").parse().expect("a number");
    let expected: Vec<String> = (1..=last).map(|number| number.to_string()).collect();
    assert!(following.out().lines().eq(expected.iter().map(String::as_str)), "each line once, in order");
    assert_eq!((said.matches(LOST).count(), said.matches(BACK).count()), (2, 2), "once each time: {said}");
}

#[test]
fn a_client_that_names_the_last_event_it_had_goes_on_behind_it() {
    let dev = crate::started();
    crate::change(&dev, "POST", "/v2/apps", &app("/talks", "seq 1 5; echo wrong >&2; exec sleep 1000"));
    let task = super::task(&dev, "talks");
    wait::until("its output", START, || {
        (super::ask(&dev, &task, "", "*/*").text() == "1\n2\n3\n4\n5\nwrong\n").then_some(())
    });
    let answer = super::ask(&dev, &task, "", "text/event-stream").text();
    let ids: Vec<&str> = answer.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert_eq!(ids.len(), 1 + 5 + 1 + 1, "of all events: {answer}");
    let after = |id: &str| {
        let headers = [("accept", "text/event-stream"), ("last-event-id", id)];
        let path = format!("/v2/tasks/{task}/logs?tail=1");
        let text = http::request(dev.api, "GET", &path, &headers, b"").expect("an answer").text();
        let events: Vec<_> = text.split("\n\n").filter_map(event).collect();
        [super::lines(&events, "stdout"), super::lines(&events, "stderr")].concat()
    };
    assert_eq!(after(ids[0]), ["1", "2", "3", "4", "5", "wrong"]);
    assert_eq!(after(ids[3]), ["4", "5", "wrong"]);
    assert_eq!(after(ids[5]), ["wrong"]);
    assert!(after(ids[6]).is_empty());
    let headers = [("accept", "text/event-stream"), ("last-event-id", "17")];
    let refused = http::request(dev.api, "GET", &format!("/v2/tasks/{task}/logs"), &headers, b"").expect("an answer");
    assert_eq!(refused.status, 400, "{}", refused.text());
    let followed = Followed::begin(dev.api, &task, &format!("&lastEventId={}", ids[4]));
    assert_eq!(http::request(dev.api, "DELETE", "/v2/apps/talks", &[], b"").expect("an answer").status, 200);
    let events = followed.end();
    assert_eq!(
        (super::lines(&events, "stdout"), super::lines(&events, "stderr")),
        (vec!["5".into()], vec!["wrong".into()])
    );
}
