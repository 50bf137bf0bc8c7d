//! The addresses of a host name, asked for until there are some.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// The pause after the first look-up in vain; it doubles up to the longest one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// All addresses of a host, in the order in which they are to be tried; at least one.
pub(crate) async fn addresses(host: &str, port: u16) -> Vec<SocketAddr> {
    let look_up = || async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) };
    until_found(host, look_up, tokio::time::sleep).await
}

async fn until_found<Found, Waited>(
    host: &str,
    look_up: impl Fn() -> Found,
    wait: impl Fn(Duration) -> Waited,
) -> Vec<SocketAddr>
where
    Found: Future<Output = io::Result<Vec<SocketAddr>>>,
    Waited: Future<Output = ()>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match look_up().await {
            Ok(found) if !found.is_empty() => return found,
            Ok(_) => io::Error::other("it has no address"),
            Err(error) => error,
        };
        if pause == FIRST_PAUSE {
            tracing::warn!(%host, %error, "the host of a task cannot be resolved: it is not checked until it can");
        }
        wait(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[tokio::test]
    async fn a_name_that_is_not_known_yet_is_asked_for_again_with_longer_pauses() {
        let (asked, pauses) = (RefCell::new(0), RefCell::new(Vec::new()));
        let there: Vec<SocketAddr> = vec!["[::1]:80".parse().unwrap(), "127.0.0.1:80".parse().unwrap()];
        let look_up = || {
            *asked.borrow_mut() += 1;
            std::future::ready(match *asked.borrow() {
                8 => Ok(there.clone()),
                even if even % 2 == 0 => Ok(Vec::new()),
                _ => Err(io::Error::other("no such name")),
            })
        };
        let wait = |pause: Duration| {
            pauses.borrow_mut().push(pause.as_secs());
            std::future::ready(())
        };
        let found = until_found("box", look_up, wait).await;
        assert_eq!((found, pauses.into_inner()), (there, vec![1, 2, 4, 8, 16, 30, 30]));
    }
}
