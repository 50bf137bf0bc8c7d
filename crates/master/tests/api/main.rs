//! A real master on a free port, with agents and schedulers that talk to it over HTTP in both codecs.

mod administration;
mod agents;
mod authentication;
mod browsers;
mod fixtures;
mod large;
mod legacy;
mod life;
mod operator;
mod refusals;
mod setup;
mod streams;
