//! What the engine does to real servers, commands and namespaces.

#[path = "behaviour/command.rs"]
mod command;
#[path = "behaviour/http.rs"]
mod http;
#[path = "behaviour/life.rs"]
mod life;
#[path = "behaviour/namespaces.rs"]
mod namespaces;
#[path = "behaviour/server.rs"]
mod server;
#[path = "behaviour/support.rs"]
mod support;
#[path = "behaviour/tcp.rs"]
mod tcp;
