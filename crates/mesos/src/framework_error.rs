//! The two errors with which a master ends a framework's subscription, and that say something about its id. The wire has
//! nothing but their sentences: those of `Master::failoverFramework` and `Master::subscribe` in Mesos' `master.cpp`, from
//! 1.0 on. In: a sentence. Out: its meaning, and the other way round.

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameworkError {
    /// Another scheduler has subscribed under the framework's id.
    #[error("Framework failed over")]
    FailedOver,
    /// The framework was removed; its id is of no use any more.
    #[error("Framework has been removed")]
    Removed,
}

impl FrameworkError {
    /// The meaning of an ERROR event's message, if it is exactly one of these sentences.
    pub fn of(message: &str) -> Option<FrameworkError> {
        [FrameworkError::FailedOver, FrameworkError::Removed].into_iter().find(|error| error.to_string() == message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_sentence_of_mesos_says_something_about_the_id() {
        assert_eq!(FrameworkError::of("Framework failed over"), Some(FrameworkError::FailedOver));
        assert_eq!(FrameworkError::of("Framework has been removed"), Some(FrameworkError::Removed));
        for other in ["", "Role 'web' has been removed from the whitelist", "Framework has been removed from quota"] {
            assert_eq!(FrameworkError::of(other), None, "{other}");
        }
    }
}
