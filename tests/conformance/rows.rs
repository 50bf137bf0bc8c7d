//! The rows, by section of the description.

mod clients;
mod executor_api;
mod negotiation;
mod routing;
mod scheduler;
mod statuses;
mod validation;

use crate::row::Row;

/// All of them.
pub(crate) fn all() -> Vec<Row> {
    let sections = [
        validation::rows(),
        routing::rows(),
        negotiation::rows(),
        statuses::rows(),
        scheduler::rows(),
        executor_api::rows(),
        clients::rows(),
    ];
    sections.into_iter().flatten().collect()
}
