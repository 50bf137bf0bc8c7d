//! What an attempt found. In: what a probe saw. Out: a value that says it in words, too.

use std::time::Duration;

/// What an attempt found.
#[derive(Clone, Debug, PartialEq, Eq)]
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
pub enum Answer {
    /// An HTTP status among the healthy ones.
    Status(u16),
    /// Exit status 0.
    Exit(i32),
    /// Somebody listens.
    Connected,
}

/// A bad answer, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An HTTP status that is not among the healthy ones.
    Status(u16),
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
    /// A TCP probe found nobody listening.
    NotConnected {
        /// In the words of the operating system.
        cause: String,
    },
    /// An HTTP probe could not connect, or lost its connection.
    Connection {
        /// In the words of the operating system.
        cause: String,
    },
    /// TLS could not be agreed on.
    Tls {
        /// In the words of TLS.
        cause: String,
    },
    /// The peer does not speak HTTP/1, or breaks its rules.
    Protocol {
        /// Which rule.
        cause: String,
    },
    /// A redirect that cannot be followed.
    Redirect {
        /// Why not.
        cause: String,
    },
    /// The attempt took longer than it may.
    TimedOut {
        /// How long it might have taken.
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
    /// The check makes no sense.
    Invalid {
        /// Names the field.
        cause: String,
    },
}

/// Why an attempt says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Time ran out, but the engine itself slept or was starved for a good part of it.
    EngineLate {
        /// How much of the attempt's time the engine lost.
        lost: Duration,
    },
    /// The engine could not even ask: it is out of descriptors, memory, ports or processes.
    EngineExhausted {
        /// In the words of the operating system.
        cause: String,
    },
    /// Somebody else in this process took the exit status of the command.
    ExitStatusLost,
    /// An HTTP status that is to be ignored.
    IgnoredStatus(u16),
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

    /// Whether somebody listened, if a TCP probe found out.
    pub fn connected(&self) -> Option<bool> {
        match self {
            Outcome::Success(Answer::Connected) => Some(true),
            Outcome::Failure(Failure::NotConnected { .. }) => Some(false),
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
        }
    }
}

impl Failure {
    fn cause(&self) -> String {
        match self {
            Failure::Status(status) => status_line(*status),
            Failure::Exit { code, .. } => format!("exit status {code}"),
            Failure::Signal { signal, .. } => format!("killed by signal {signal}"),
            Failure::TimedOut { after, .. } => format!("timed out after {after:?}"),
            Failure::NotConnected { cause } | Failure::Connection { cause } | Failure::Protocol { cause } => {
                cause.clone()
            }
            Failure::Tls { cause } => format!("TLS: {cause}"),
            Failure::Redirect { cause } => format!("redirect: {cause}"),
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
            Reason::EngineExhausted { cause } => format!("the engine could not ask: {cause}"),
            Reason::ExitStatusLost => "the exit status was taken by somebody else".to_owned(),
            Reason::IgnoredStatus(status) => format!("ignored: {}", status_line(*status)),
        }
    }
}

fn status_line(status: u16) -> String {
    let phrase = match status {
        100 => " Continue",
        101 => " Switching Protocols",
        200 => " OK",
        201 => " Created",
        202 => " Accepted",
        204 => " No Content",
        301 => " Moved Permanently",
        302 => " Found",
        303 => " See Other",
        304 => " Not Modified",
        307 => " Temporary Redirect",
        308 => " Permanent Redirect",
        400 => " Bad Request",
        401 => " Unauthorized",
        403 => " Forbidden",
        404 => " Not Found",
        405 => " Method Not Allowed",
        408 => " Request Timeout",
        429 => " Too Many Requests",
        500 => " Internal Server Error",
        501 => " Not Implemented",
        502 => " Bad Gateway",
        503 => " Service Unavailable",
        504 => " Gateway Timeout",
        _ => "",
    };
    format!("{status}{phrase}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_read_well() {
        let failed = |failure| Outcome::Failure(failure).cause();
        assert_eq!(failed(Failure::Status(500)), "500 Internal Server Error");
        assert_eq!(failed(Failure::Status(599)), "599");
        let output = String::new();
        assert_eq!(failed(Failure::TimedOut { after: Duration::from_secs(1), output }), "timed out after 1s");
        assert_eq!(failed(Failure::Exit { code: 1, output: "no".to_owned() }), "exit status 1");
    }

    #[test]
    fn raw_results_are_there_only_when_there_was_one() {
        let timed_out = Outcome::Failure(Failure::TimedOut { after: Duration::from_secs(1), output: String::new() });
        assert_eq!((timed_out.http_status(), timed_out.exit_code(), timed_out.connected()), (None, None, None));
        let refused = Outcome::Failure(Failure::NotConnected { cause: "connection refused".to_owned() });
        assert_eq!(refused.connected(), Some(false));
        assert_eq!(Outcome::Failure(Failure::Status(404)).http_status(), Some(404));
        assert_eq!(Outcome::Success(Answer::Exit(0)).exit_code(), Some(0));
    }
}
