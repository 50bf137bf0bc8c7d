//! What the engine does to real servers, commands and namespaces.

#[path = "behaviour/addresses.rs"]
mod addresses;
#[path = "behaviour/cgroups.rs"]
mod cgroups;
#[path = "behaviour/command.rs"]
mod command;
#[path = "behaviour/conntrack.rs"]
mod conntrack;
#[path = "behaviour/exchange.rs"]
mod exchange;
#[path = "behaviour/hostile.rs"]
mod hostile;
#[path = "behaviour/http.rs"]
mod http;
#[path = "behaviour/http2.rs"]
mod http2;
#[path = "behaviour/http_details.rs"]
mod http_details;
#[path = "behaviour/life.rs"]
mod life;
#[path = "behaviour/listen.rs"]
mod listen;
#[path = "behaviour/namespaces.rs"]
mod namespaces;
#[path = "behaviour/operators.rs"]
mod operators;
#[path = "behaviour/reach.rs"]
mod reach;
#[path = "behaviour/redirects.rs"]
mod redirects;
#[path = "behaviour/said.rs"]
mod said;
#[path = "behaviour/server.rs"]
mod server;
#[path = "behaviour/support.rs"]
mod support;
#[path = "behaviour/tcp.rs"]
mod tcp;
#[path = "behaviour/tls.rs"]
mod tls;
#[path = "behaviour/trust.rs"]
mod trust;
