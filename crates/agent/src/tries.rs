//! Things that are tried again: what others are about to give back, or a peer that is about to answer.
//!
//! In: an attempt, the pauses between attempts, and the failures that pass. Out: the first result that is final. Owns
//! nothing; the caller's task waits.

use std::iter::successors;
use std::time::Duration;

use tokio::time::sleep;

/// Pauses without end, each twice as long as the one before, up to the longest.
pub(crate) fn doubling(first: Duration, longest: Duration) -> impl Iterator<Item = Duration> {
    successors(Some(first), move |pause| Some(longest.min(*pause * 2)))
}

/// Tries again after each pause while the failure is one that passes, and a last time after the last.
pub(crate) async fn persistently<T, E, F: Future<Output = Result<T, E>>>(
    pauses: impl Iterator<Item = Duration>,
    mut attempt: impl FnMut() -> F,
    mut passes: impl FnMut(&E) -> bool,
) -> Result<T, E> {
    for pause in pauses {
        match attempt().await {
            Err(error) if passes(&error) => sleep(pause).await,
            result => return result,
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::iter::repeat_n;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_the_longest() {
        let seconds: Vec<u64> = doubling(SECOND, 5 * SECOND).take(5).map(|pause| pause.as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 5, 5]);
    }

    #[tokio::test]
    async fn an_attempt_is_made_until_its_result_is_final_or_no_pause_is_left() {
        let after = async |pauses, final_one: u32| {
            let mut made = 0;
            let attempt = || {
                made += 1;
                ready(if made == 3 { Ok(made) } else { Err(made) })
            };
            persistently(repeat_n(Duration::ZERO, pauses), attempt, |made| *made != final_one).await
        };
        assert_eq!(after(9, 0).await, Ok(3), "it succeeds");
        assert_eq!(after(9, 2).await, Err(2), "its failure does not pass");
        assert_eq!(after(1, 0).await, Err(2), "there was one pause");
        assert_eq!(after(0, 0).await, Err(1), "there was none");
    }
}
