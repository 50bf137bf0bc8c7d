//! The loop of a part, around a core that counts.

use std::ops::ControlFlow;
use std::time::Duration;

use shell::{Answer, Answers, Clock, Course, Handle, Now, Part, inbox, run};
use store::{Batch, Store, StoreError};
use tokio_util::sync::CancellationToken;

/// Adds one, and answers with the sum.
struct Add(Answer<u32>);

#[derive(Default)]
struct Books {
    sum: u32,
    durable: u32,
}

#[derive(Default)]
struct Counter {
    books: Books,
    actions: Vec<u32>,
    stored: Vec<u32>,
    wakes: u32,
}

impl Part for Counter {
    type Request = Add;
    type Books = Books;
    type Action = u32;
    type Error = StoreError;

    fn books(&mut self) -> &mut Books {
        &mut self.books
    }

    fn serve(&mut self, Add(answer): Add, _now: Now, answers: &mut Answers) -> Course<StoreError> {
        self.books.sum += 1;
        self.actions.push(self.books.sum);
        answers.hold(answer, self.books.sum);
        ControlFlow::Continue(())
    }

    fn wake_at(&self) -> Option<Duration> {
        (self.wakes == 0).then_some(Duration::from_secs(3600))
    }

    fn wake(&mut self, now: Now) -> Course<StoreError> {
        assert!(now.elapsed >= Duration::from_secs(3600));
        self.wakes += 1;
        ControlFlow::Continue(())
    }

    fn take_actions(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.actions)
    }

    fn changes(&self, actions: &[u32]) -> Result<Batch, StoreError> {
        Ok(actions.iter().fold(Batch::default(), |batch, sum| batch.put("sum", sum.to_string())))
    }

    fn perform(&mut self, action: u32, _now: Now) -> Course<StoreError> {
        assert!(!self.stored.is_empty(), "carried out before it was durable");
        self.books.durable = action;
        ControlFlow::Continue(())
    }

    fn shut_down(&mut self, _now: Now) -> Course<StoreError> {
        ControlFlow::Break(Ok(()))
    }

    fn stored(&mut self, _took: Duration) {
        self.stored.push(self.books.sum);
    }
}

type Running = tokio::task::JoinHandle<(Result<(), StoreError>, Counter)>;

fn start() -> (Handle<Add, Books>, Store, CancellationToken, Running) {
    let (handle, messages) = inbox("counter");
    let (store, shutdown) = (Store::in_memory().unwrap(), CancellationToken::new());
    let (own, token) = (store.clone(), shutdown.clone());
    let running = tokio::spawn(async move {
        let mut counter = Counter::default();
        let ended = run(&mut counter, Clock::start().unwrap(), own, messages, token).await;
        (ended, counter)
    });
    (handle, store, shutdown, running)
}

#[tokio::test]
async fn an_answer_comes_when_what_it_rests_on_is_durable() {
    let (handle, store, _shutdown, _running) = start();
    assert_eq!(handle.ask(Add).await, Ok(1));
    assert_eq!(store.get("sum").await.unwrap(), Some(b"1".to_vec()));
}

#[tokio::test]
async fn requests_that_wait_share_a_commit_and_a_look_sees_all_that_came_before_it_durable() {
    let (handle, _store, shutdown, running) = start();
    let (first, second, seen) =
        tokio::join!(handle.ask(Add), handle.ask(Add), handle.view(|books, _| (books.sum, books.durable)),);
    assert_eq!((first, second, seen), (Ok(1), Ok(2), Ok((2, 2))));
    shutdown.cancel();
    let (ended, counter) = running.await.unwrap();
    assert_eq!((ended.is_ok(), counter.stored), (true, vec![2]), "one commit");
    assert!(handle.ask(Add).await.is_err() && handle.view(|books, _| books.sum).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_done_without_anybody_asking() {
    let (handle, _store, shutdown, running) = start();
    let mut hours = tokio::time::interval(Duration::from_secs(3600));
    hours.tick().await;
    hours.tick().await;
    assert_eq!(handle.view(|books, now| (books.sum, now.elapsed >= Duration::from_secs(3600))).await, Ok((0, true)));
    shutdown.cancel();
    assert_eq!(running.await.unwrap().1.wakes, 1);
}
