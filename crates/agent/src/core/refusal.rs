//! Refusals of executors' calls.

/// Why a call of an executor is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallRefusal {
    #[error("Agent has not finished recovery")]
    Recovering,
    #[error("Framework cannot be found")]
    UnknownFramework,
    #[error("Executor cannot be found")]
    UnknownExecutor,
    #[error("Executor is not subscribed")]
    NotSubscribed,
    #[error("501 Not Implemented.")]
    UnknownType,
}
