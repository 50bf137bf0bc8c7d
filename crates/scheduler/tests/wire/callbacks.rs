//! Events, posted to those who ask for it.

use axum::http::StatusCode;

use super::*;

/// Somebody who listens, and answers with these statuses, in turn; with the last one for ever.
struct Subscriber {
    url: String,
    heard: UnboundedReceiver<Value>,
}

impl Subscriber {
    async fn start(statuses: &'static [u16]) -> Subscriber {
        let (sender, heard) = unbounded_channel();
        let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let hear = move |body: Bytes| {
            let (sender, count) = (sender.clone(), count.clone());
            async move {
                let turn = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed).min(statuses.len() - 1);
                sender.send(serde_json::from_slice(&body).unwrap()).unwrap();
                StatusCode::from_u16(statuses[turn]).unwrap()
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events?x=1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/events", post(hear))).await });
        Subscriber { url, heard }
    }

    async fn next(&mut self, kind: &str) -> Value {
        let look = async {
            loop {
                let event = self.heard.recv().await.expect("a server");
                if event["eventType"] == kind {
                    return event;
                }
            }
        };
        tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("waited in vain for {kind}"))
    }

    /// Waits until it hears of changes that are made meanwhile.
    async fn hears(&mut self, running: &Running) {
        let look = async {
            for instances in 1.. {
                running.send("PUT", "/v2/apps/web?force=true", &json!({"cmd": "run", "instances": instances})).await;
                if self.heard.try_recv().is_ok() {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, look).await.expect("an event");
    }

    fn path(&self) -> String {
        format!("/v2/eventSubscriptions?callbackUrl={}", self.url.replace(':', "%3A").replace('?', "%3F"))
    }
}

async fn allowed(master: SocketAddr, store: Store, endpoints: &[String]) -> Running {
    Running::start_with(master, store, |options| options.event_callbacks = Some(endpoints.to_vec())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_posted_to_who_asked_for_them_also_after_a_restart() {
    let (master, store) = (Master::start().await, Store::in_memory().unwrap());
    let running = allowed(master.address, store.clone(), &[]).await;
    let mut subscriber = Subscriber::start(&[200]).await;
    let none = json!(null);
    let told = running.send("POST", &subscriber.path(), &none).await.json();
    assert_eq!(
        (&told["eventType"], &told["callbackUrl"], &told["clientIp"]),
        (&json!("subscribe_event"), &json!(subscriber.url), &json!("127.0.0.1"))
    );
    let all = running.send("GET", "/v2/eventSubscriptions", &none).await;
    assert_eq!(all.json(), json!({"callbackUrls": [subscriber.url]}));
    subscriber.hears(&running).await;
    running.stop().await;

    let running = allowed(master.address, store, &[]).await;
    while subscriber.heard.try_recv().is_ok() {}
    subscriber.hears(&running).await;
    let told = running.send("DELETE", &subscriber.path(), &none).await.json();
    assert_eq!(told["eventType"], "unsubscribe_event");
    assert_eq!(running.get("/v2/eventSubscriptions").await, json!({"callbackUrls": []}));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_take_an_event_is_left_alone_for_a_while_and_holds_nobody_up() {
    let mut master = Master::start().await;
    let (mut good, mut bad) = (Subscriber::start(&[200]).await, Subscriber::start(&[500, 200]).await);
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Takes connections, and never answers.
    let deaf = format!("http://{}/", dead.local_addr().unwrap());
    let urls = [good.url.clone(), bad.url.clone(), deaf];
    let running = allowed(master.address, Store::in_memory().unwrap(), &urls).await;
    master.subscribe("F").await;
    assert_eq!(good.next("scheduler_registered_event").await["frameworkId"], "F");
    bad.next("scheduler_registered_event").await;
    running.create().await;
    good.next("deployment_info").await;
    assert!(bad.heard.try_recv().is_err(), "it is left alone");
    let message = event::Message { agent_id: "agent".into(), executor_id: "e".into(), data: b"hello".to_vec() };
    let mut again = tokio::time::interval(Duration::from_millis(100));
    let look = async {
        loop {
            again.tick().await;
            master.send(Event::message(message.clone()));
            if let Ok(event) = bad.heard.try_recv() {
                return event;
            }
        }
    };
    let event = tokio::time::timeout(PATIENCE, look).await.expect("events again after the pause");
    assert_eq!((&event["eventType"], &event["message"]), (&json!("framework_message_event"), &json!("hello")));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_place_for_events_is_refused() {
    let master = Master::start().await;
    let running = allowed(master.address, Store::in_memory().unwrap(), &[]).await;
    for (url, error) in [
        ("", "must be a URL such as http://host:port/path"),
        ("http%3A%2F%2F169.254.169.254%2F", "must not be an address of this link, of many, or of nobody"),
        ("https%3A%2F%2Fx%2F", "events are posted over http only"),
    ] {
        let path = format!("/v2/eventSubscriptions?callbackUrl={url}");
        let answer = running.send("POST", &path, &json!(null)).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["details"], json!([{"path": "/callbackUrl", "errors": [error]}]));
    }
    let info = running.get("/v2/info").await;
    assert_eq!(info["event_subscriber"], json!({"type": "http_callback", "http_endpoints": []}));
    assert!(info["marathon_config"].get("event_subscriber").is_none(), "Marathon has it at the top");
    running.stop().await;
}

#[tokio::test]
async fn a_scheduler_does_not_start_with_such_a_place() {
    let mut options = Options::new(Store::in_memory().unwrap(), "127.0.0.1:1");
    options.event_callbacks = Some(vec!["ftp://x/".into()]);
    options.port = 0;
    let error = Scheduler::bind(options).await.err().expect("an error");
    assert_eq!(error.to_string(), "no events can be posted to ftp://x/: events are posted over http only");
}
