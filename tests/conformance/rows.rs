//! The rows, by section of the description.

mod checks;
mod clients;
mod containers;
mod executor_api;
mod http;
mod legacy;
mod negotiation;
mod operator;
mod reliability;
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
        legacy::rows(),
        http::rows(),
        operator::rows(),
        containers::rows(),
        checks::rows(),
        reliability::rows(),
        clients::rows(),
    ];
    sections.into_iter().flatten().collect()
}
