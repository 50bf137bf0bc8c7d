//! Networks of containers, each test in a network namespace of its own: the machine's rules, links and addresses are
//! left alone. Needs root and `nft`; some need `ip`, `iptables` or Debian's plugins of CNI.

mod bridge;
mod cni;
mod cost;
mod kills;
mod networks;
mod ports;
mod world;
