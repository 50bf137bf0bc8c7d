//! The port of a part. Comes in: where to listen. Goes out: a listener, or why there is none.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::sleep;

/// The tries to take a port that is in use, and the pause between them. A part that was killed while it started a process
/// has its socket open in that one until the start is through.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Why a part cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The operator's: another process listens there already.
    #[error("address {address} is already in use: is another {part} running on port {}?", address.port())]
    InUse {
        /// The part.
        part: &'static str,
        /// The address on which it wanted to listen.
        address: SocketAddr,
    },
    /// The machine's: the address cannot be listened on.
    #[error("cannot listen on {address}")]
    Refused {
        /// The address on which it wanted to listen.
        address: SocketAddr,
        /// The system's words.
        #[source]
        source: io::Error,
    },
}

/// Takes a port, any free one if it is 0, for a part of this name, and says which it is.
pub async fn bind(part: &'static str, ip: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), BindError> {
    let address = SocketAddr::new(ip, port);
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { part, address },
        _ => BindError::Refused { address, source },
    };
    let listener = take(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn take(address: SocketAddr) -> io::Result<TcpListener> {
    for _ in 1..TRIES {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => sleep(PAUSE).await,
            taken => return taken,
        }
    }
    TcpListener::bind(address).await
}

/// An address others can use: of a listener on all of them, the one the machine would use to reach the outside.
#[must_use]
pub fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    // Nothing is sent: connecting a datagram socket only asks for the route.
    let routed = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    let ip = routed.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |local| local.ip());
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_is_named_with_the_part_that_wanted_it() {
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (_listener, address) = bind("master", localhost, 0).await.unwrap();
        let error = bind("agent", localhost, address.port()).await.unwrap_err().to_string();
        let port = address.port();
        assert_eq!(error, format!("address {address} is already in use: is another agent running on port {port}?"));
        assert_eq!(reachable(address), address);
    }

    #[tokio::test]
    async fn a_port_whose_holder_is_about_to_go_is_waited_for() {
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (listener, address) = bind("agent", localhost, 0).await.unwrap();
        let goes = async {
            tokio::task::yield_now().await;
            drop(listener);
        };
        let (again, ()) = tokio::join!(bind("agent", localhost, address.port()), goes);
        assert_eq!(again.unwrap().1, address);
    }
}
