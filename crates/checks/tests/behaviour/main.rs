//! The engine's dealings with real servers, commands and namespaces.

mod addresses;
mod cgroups;
mod command;
mod conntrack;
mod exchange;
mod hostile;
mod http;
mod http2;
mod http_details;
mod life;
mod listen;
mod namespaces;
mod operators;
mod reach;
mod redirects;
mod said;
mod server;
mod support;
mod tcp;
mod tls;
mod trust;
