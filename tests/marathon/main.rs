//! The Marathon API from outside: by plain HTTP, by the command line, and by clients that others wrote.

mod api;
mod clients;
mod command_line;
mod examples;
mod rows;
mod stream;
