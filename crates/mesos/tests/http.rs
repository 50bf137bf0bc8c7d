//! Both halves over real sockets: the client against our server, each against a hand-written peer.

mod http {
    mod client;
    mod raw;
    mod server;
    mod support;
}
