//! The outcome of an attempt. In: what a probe saw. Out: a value that says it in words, too.
//!
//! [`Kind`] is the same by layer and cause, in one byte: what metrics count and histories keep.

mod kind;
mod phases;
mod said;

use std::time::Duration;

use http::StatusCode;
use rustix::io::Errno;

pub use kind::Kind;
pub use phases::Phases;
pub use said::Said;

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// The task answered well.
    Success(Answer),
    /// The task answered badly, or not at all.
    Failure(Failure),
    /// The attempt says nothing about the task; it counts neither for nor against it.
    Inconclusive(Reason),
}

/// A good answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Answer {
    /// An HTTP status among the healthy ones.
    Status(u16),
    /// Exit status 0.
    Exit(i32),
    /// A connection can be made.
    Connected,
    /// The port is listened on.
    Listening,
    /// The gRPC health protocol says `SERVING`.
    Serving,
    /// The bytes that were expected.
    Expected,
}

/// A bad answer, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Failure {
    /// The port is not listened on.
    Refused,
    /// No packet gets there.
    Unreachable {
        /// In the words of the operating system.
        cause: String,
    },
    /// No connection came about in the time there was.
    ConnectTimedOut {
        /// The time it might have taken.
        after: Duration,
    },
    /// A connection broke.
    Connection {
        /// In the words of the operating system.
        cause: String,
    },
    /// TLS could not be agreed on.
    Tls {
        /// In the words of TLS.
        cause: String,
    },
    /// The peer refused to go on with TLS.
    Alert {
        /// In the words of TLS.
        cause: String,
    },
    /// All was well, but the certificate ends too soon.
    CertificateExpires {
        /// So long from now; zero if it has expired.
        within: Duration,
    },
    /// The peer ended the connection before its answer was whole.
    Closed {
        /// The point that the answer had reached, in words.
        cause: String,
    },
    /// The peer does not speak the protocol, or breaks its rules.
    Protocol {
        /// The rule.
        cause: String,
    },
    /// An HTTP status that is not among the healthy ones.
    Status(u16),
    /// The body is not as expected.
    Body {
        /// The expectation that does not hold.
        cause: String,
    },
    /// The gRPC health protocol says something else than `SERVING`.
    NotServing {
        /// As in gRPC: `NOT_SERVING`, or the name of an error such as `NOT_FOUND`.
        status: String,
    },
    /// A redirect that cannot be followed.
    Redirect {
        /// Why not.
        cause: String,
    },
    /// The command exited, but not with 0.
    Exit {
        /// 1 to 255.
        code: i32,
        /// The end of what it printed.
        output: String,
    },
    /// The command was killed by a signal.
    Signal {
        /// Its number.
        signal: i32,
        /// The end of what it printed.
        output: String,
    },
    /// The attempt took longer than it may, although there was a connection.
    TimedOut {
        /// The time it might have taken.
        after: Duration,
        /// The end of what the command printed; empty for other probes.
        output: String,
    },
    /// The command could not be started.
    NotStarted {
        /// In the words of the operating system.
        cause: String,
    },
    /// The place could not be entered.
    Place {
        /// In the words of the operating system.
        cause: String,
    },
    /// The check makes no sense, or leads where it may not.
    Invalid {
        /// Names the field.
        cause: String,
    },
}

/// Why an attempt says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Reason {
    /// Time ran out, but the engine itself slept or was starved for a good part of it.
    EngineLate {
        /// The part of the attempt's time that the engine lost.
        lost: Duration,
    },
    /// The connection broke, but the engine itself slept or was starved, long enough for the peer to give up on it.
    PeerGaveUp {
        /// The failure of the connection, in words.
        cause: String,
        /// The part of the attempt's time that the engine lost.
        lost: Duration,
    },
    /// The engine could not even ask: it is out of descriptors, memory, ports or processes.
    EngineExhausted {
        /// In the words of the operating system.
        cause: String,
    },
    /// Other code in this process took the exit status of the command.
    ExitStatusLost,
    /// An HTTP status that the check ignores.
    IgnoredStatus(u16),
    /// The task's process has ended; nothing that is found now is about it.
    TaskEnded,
    /// No attempt: nothing that is started in the task's cgroup would run, as that is frozen.
    Paused,
    /// No attempt: the verdict was set by hand.
    SetByHand {
        /// The author of the verdict.
        author: String,
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// The HTTP status, if there was an HTTP answer.
    pub fn http_status(&self) -> Option<u16> {
        match self {
            Outcome::Success(Answer::Status(status))
            | Outcome::Failure(Failure::Status(status))
            | Outcome::Inconclusive(Reason::IgnoredStatus(status)) => Some(*status),
            _ => None,
        }
    }

    /// The exit status, if a command exited by itself.
    pub fn exit_code(&self) -> Option<i32> {
        match self {
            Outcome::Success(Answer::Exit(code)) | Outcome::Failure(Failure::Exit { code, .. }) => Some(*code),
            _ => None,
        }
    }

    /// True if the port is listened on, if the attempt came to know that: the raw result of a TCP probe.
    pub fn connected(&self) -> Option<bool> {
        match self {
            Outcome::Success(Answer::Connected | Answer::Listening) => Some(true),
            Outcome::Failure(Failure::Refused | Failure::Unreachable { .. } | Failure::Connection { .. }) => {
                Some(false)
            }
            _ => None,
        }
    }

    /// One line for people: `connection refused`, `500 Internal Server Error`, `timed out after 1s`.
    pub fn cause(&self) -> String {
        match self {
            Outcome::Success(answer) => answer.cause(),
            Outcome::Failure(failure) => failure.cause(),
            Outcome::Inconclusive(reason) => reason.cause(),
        }
    }
}

impl Answer {
    fn cause(self) -> String {
        match self {
            Answer::Status(status) => status_line(status),
            Answer::Exit(code) => format!("exit status {code}"),
            Answer::Connected => "connected".to_owned(),
            Answer::Listening => "listening".to_owned(),
            Answer::Serving => "SERVING".to_owned(),
            Answer::Expected => "as expected".to_owned(),
        }
    }
}

impl Failure {
    fn cause(&self) -> String {
        match self {
            Failure::Refused => "connection refused".to_owned(),
            Failure::Unreachable { cause }
            | Failure::Connection { cause }
            | Failure::Closed { cause }
            | Failure::Protocol { cause }
            | Failure::Body { cause } => cause.clone(),
            Failure::ConnectTimedOut { after } => format!("no connection within {after:?}"),
            Failure::Tls { cause } | Failure::Alert { cause } => format!("TLS: {cause}"),
            Failure::CertificateExpires { within } => certificate(*within),
            Failure::Status(status) => status_line(*status),
            Failure::NotServing { status } => status.clone(),
            Failure::Redirect { cause } => format!("redirect: {cause}"),
            Failure::Exit { code, .. } => format!("exit status {code}"),
            Failure::Signal { signal, .. } => format!("killed by signal {signal}"),
            Failure::TimedOut { after, .. } => format!("timed out after {after:?}"),
            Failure::NotStarted { cause } => format!("cannot start the command: {cause}"),
            Failure::Place { cause } => format!("cannot enter the task's namespaces: {cause}"),
            Failure::Invalid { cause } => format!("invalid check: {cause}"),
        }
    }

    /// The end of what the command printed, if there was a command.
    pub fn output(&self) -> Option<&str> {
        match self {
            Failure::Exit { output, .. } | Failure::Signal { output, .. } | Failure::TimedOut { output, .. } => {
                Some(output).filter(|output| !output.is_empty()).map(String::as_str)
            }
            _ => None,
        }
    }
}

impl Reason {
    fn cause(&self) -> String {
        match self {
            Reason::EngineLate { lost } => format!("timed out, but the engine itself was away for {lost:?}"),
            Reason::PeerGaveUp { cause, lost } => format!("{cause}, but the engine itself was away for {lost:?}"),
            Reason::EngineExhausted { cause } => format!("the engine could not ask: {cause}"),
            Reason::ExitStatusLost => "the exit status was taken by somebody else".to_owned(),
            Reason::IgnoredStatus(status) => format!("ignored: {}", status_line(*status)),
            Reason::TaskEnded => "the task has ended".to_owned(),
            Reason::Paused => "the container is paused".to_owned(),
            Reason::SetByHand { author, reason } => format!("set by {author}: {reason}"),
        }
    }
}

fn certificate(within: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    match within.as_secs() {
        0 => "the certificate has expired".to_owned(),
        seconds if seconds < 2 * DAY => format!("the certificate expires within {} hours", seconds.div_ceil(3600)),
        seconds => format!("the certificate expires within {} days", seconds.div_ceil(DAY)),
    }
}

/// The words of the operating system for an error, without its number: `connection refused`.
pub(crate) fn errno_text(errno: Errno) -> String {
    let words = processes::in_words(&std::io::Error::from(errno).to_string());
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn status_line(status: u16) -> String {
    let phrase = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    phrase.map_or_else(|| status.to_string(), |phrase| format!("{status} {phrase}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_read_well() {
        let failed = |failure| Outcome::Failure(failure).cause();
        for (status, line) in [
            (206, "206 Partial Content"),
            (413, "413 Payload Too Large"),
            (418, "418 I'm a teapot"),
            (500, "500 Internal Server Error"),
            (599, "599"),
        ] {
            assert_eq!(failed(Failure::Status(status)), line);
        }
        let output = String::new();
        assert_eq!(failed(Failure::TimedOut { after: Duration::from_secs(1), output }), "timed out after 1s");
        assert_eq!(failed(Failure::Exit { code: 1, output: "no".to_owned() }), "exit status 1");
        let days = |days: u64| Failure::CertificateExpires { within: Duration::from_secs(days * 24 * 60 * 60) };
        assert_eq!(failed(days(0)), "the certificate has expired");
        assert_eq!(failed(days(1)), "the certificate expires within 24 hours");
        assert_eq!(failed(days(30)), "the certificate expires within 30 days");
    }

    #[test]
    fn raw_results_are_there_only_when_there_was_one() {
        let timed_out = Outcome::Failure(Failure::TimedOut { after: Duration::from_secs(1), output: String::new() });
        assert_eq!((timed_out.http_status(), timed_out.exit_code(), timed_out.connected()), (None, None, None));
        assert_eq!(Outcome::Failure(Failure::Refused).connected(), Some(false));
        assert_eq!(Outcome::Failure(Failure::Status(404)).http_status(), Some(404));
        assert_eq!(Outcome::Success(Answer::Exit(0)).exit_code(), Some(0));
    }
}
