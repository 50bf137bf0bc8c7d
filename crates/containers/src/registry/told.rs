//! The words about a pull, for the tasks that wait for it: not more often than is good for those who read them, and often
//! enough that nobody takes it for lost.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// The shortest time between two words: each is a message for every task that waits.
const PACE: Duration = Duration::from_secs(5);

/// The longest, if there is nothing new: somebody may listen who came later, and a pull may be queued.
const LONGEST: Duration = Duration::from_secs(60);

/// Waits for a pull, and says what changes on the way.
pub async fn told<T, S: Future<Output = ()>>(
    pulling: impl Future<Output = T>,
    words: impl Fn() -> String,
    say: impl FnMut(String) -> S,
) -> T {
    told_at((PACE, LONGEST), pulling, words, say).await
}

async fn told_at<T, S: Future<Output = ()>>(
    (pace, longest): (Duration, Duration),
    pulling: impl Future<Output = T>,
    words: impl Fn() -> String,
    mut say: impl FnMut(String) -> S,
) -> T {
    tokio::pin!(pulling);
    let mut ticks = interval_at(Instant::now() + pace, pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut said = (String::new(), Instant::now());
    loop {
        tokio::select! {
            biased;
            done = &mut pulling => return done,
            _ = ticks.tick() => {
                let words = words();
                if words != said.0 || said.1.elapsed() >= longest {
                    say(words.clone()).await;
                    said = (words, Instant::now());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::{Ready, ready};

    use tokio::sync::mpsc;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);

    fn sent(to: &mpsc::UnboundedSender<String>, words: String) -> Ready<()> {
        to.send(words).unwrap();
        ready(())
    }

    #[tokio::test]
    async fn a_pull_is_told_whenever_it_has_changed() {
        let (layer, (say, mut said)) = (Cell::new(1), mpsc::unbounded_channel());
        let pulling = async {
            let first = said.recv().await;
            layer.set(2);
            [first, said.recv().await].map(Option::unwrap)
        };
        let words = || format!("layer {}", layer.get());
        let paces = (MOMENT, Duration::MAX);
        let told = told_at(paces, pulling, words, |words| sent(&say, words)).await;
        assert_eq!(told, ["layer 1", "layer 2"]);
    }

    #[tokio::test]
    async fn what_does_not_change_is_told_again_after_a_while() {
        let (say, mut said) = mpsc::unbounded_channel();
        let pulling = async { [said.recv().await, said.recv().await] };
        let words = || "queued".to_owned();
        let told = told_at((MOMENT, MOMENT), pulling, words, |words| sent(&say, words)).await;
        assert_eq!(told, [Some("queued".to_owned()), Some("queued".to_owned())]);
    }
}
