//! Identifiers as values: made from text, printed as text. Nested containers print as `root.child.grandchild`.

use std::fmt;

use super::{AgentId, ContainerId, ExecutorId, FrameworkId, OfferId, OperationId, ResourceProviderId, TaskId};

macro_rules! textual {
    ($($id:ident),+) => {$(
        impl From<&str> for $id {
            fn from(value: &str) -> Self {
                Self { value: value.to_owned() }
            }
        }

        impl From<String> for $id {
            fn from(value: String) -> Self {
                Self { value }
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.value)
            }
        }
    )+};
}

textual!(AgentId, ExecutorId, FrameworkId, OfferId, OperationId, ResourceProviderId, TaskId);

impl From<&str> for ContainerId {
    fn from(value: &str) -> Self {
        Self { value: value.to_owned(), parent: None }
    }
}

impl From<String> for ContainerId {
    fn from(value: String) -> Self {
        Self { value, parent: None }
    }
}

impl ContainerId {
    /// The id of a container nested in this one.
    pub fn child(&self, value: impl Into<String>) -> Self {
        Self { value: value.into(), parent: Some(Box::new(self.clone())) }
    }

    /// The outermost container.
    pub fn root(&self) -> &Self {
        self.parent.as_deref().map_or(self, Self::root)
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = &self.parent {
            write!(f, "{parent}.")?;
        }
        f.write_str(&self.value)
    }
}
