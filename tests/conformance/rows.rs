//! The rows, by section of the description.

mod negotiation;
mod routing;
mod statuses;
mod validation;

use crate::row::Row;

/// All of them.
pub(crate) fn all() -> Vec<Row> {
    [validation::rows(), routing::rows(), negotiation::rows(), statuses::rows()].into_iter().flatten().collect()
}
