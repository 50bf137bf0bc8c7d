//! Outcomes by layer and cause, in one byte.

use super::{Failure, Outcome, Reason};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $name:literal,)*) => {
        /// The outcome by layer and cause: what metrics count and histories keep.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All of them, in their order.
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];

            /// As in metrics and in JSON: lower case, with hyphens.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// The task answered well.
    Success => "success",
    /// The port is not listened on.
    Refused => "refused",
    /// No packet gets there.
    Unreachable => "unreachable",
    /// No connection in time.
    ConnectTimeout => "connect-timeout",
    /// A connection broke.
    Connection => "connection",
    /// TLS could not be agreed on.
    Tls => "tls",
    /// The certificate ends too soon.
    CertificateExpires => "certificate-expires",
    /// The peer breaks the rules of the protocol, or ends the connection before its answer is whole.
    Protocol => "protocol",
    /// A status that is not healthy, of HTTP or gRPC.
    Status => "status",
    /// A body that is not as expected.
    Body => "body",
    /// A redirect that cannot be followed.
    Redirect => "redirect",
    /// A command's exit status.
    ExitCode => "exit-code",
    /// A command killed by a signal.
    Signal => "signal",
    /// No answer in time.
    Timeout => "timeout",
    /// The command or the place is not as it should be.
    Setup => "setup",
    /// It says nothing about the task.
    Inconclusive => "inconclusive",
}

impl Kind {
    /// The kind of this name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

impl Outcome {
    /// By layer and cause.
    pub fn kind(&self) -> Kind {
        match self {
            Outcome::Success(_) => Kind::Success,
            Outcome::Failure(failure) => failure.kind(),
            Outcome::Inconclusive(_) => Kind::Inconclusive,
        }
    }

    /// The number that goes with the kind: an HTTP status, an exit status, a signal; else 0.
    pub fn code(&self) -> u16 {
        let number = match self {
            Outcome::Failure(Failure::Exit { code, .. }) => *code,
            Outcome::Failure(Failure::Signal { signal, .. }) => *signal,
            Outcome::Inconclusive(Reason::IgnoredStatus(status)) => i32::from(*status),
            other => i32::from(other.http_status().unwrap_or(0)),
        };
        u16::try_from(number).unwrap_or(0)
    }
}

impl Failure {
    fn kind(&self) -> Kind {
        match self {
            Failure::Refused => Kind::Refused,
            Failure::Unreachable { .. } => Kind::Unreachable,
            Failure::ConnectTimedOut { .. } => Kind::ConnectTimeout,
            Failure::Connection { .. } => Kind::Connection,
            Failure::Tls { .. } | Failure::Alert { .. } => Kind::Tls,
            Failure::CertificateExpires { .. } => Kind::CertificateExpires,
            Failure::Closed { .. } | Failure::Protocol { .. } => Kind::Protocol,
            Failure::Status(_) | Failure::NotServing { .. } => Kind::Status,
            Failure::Body { .. } => Kind::Body,
            Failure::Redirect { .. } => Kind::Redirect,
            Failure::Exit { .. } => Kind::ExitCode,
            Failure::Signal { .. } => Kind::Signal,
            Failure::TimedOut { .. } => Kind::Timeout,
            Failure::NotStarted { .. } | Failure::Place { .. } | Failure::Invalid { .. } => Kind::Setup,
        }
    }
}
