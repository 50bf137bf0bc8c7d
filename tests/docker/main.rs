//! Containers of type DOCKER, made by a real daemon that is each test's own, on a machine of its own. Without Docker, each
//! test says so and is skipped.

mod checks;
mod images;
mod networks;
mod returns;
mod runs;
mod secrets;
mod sessions;
mod world;
