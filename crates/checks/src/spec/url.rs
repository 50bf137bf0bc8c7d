//! From a URL to the probe that asks it. Pure: no names are looked up.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};

use urls::{Host, Url, UrlError};

use super::HttpProbe;

impl HttpProbe {
    /// A GET of this URL, such as `http://127.0.0.1:8080/health`. Its host is an address or `localhost`, which is 127.0.0.1;
    /// any other name has to be looked up, and then there is [`HttpProbe::of_url`].
    pub fn from_url(url: &str) -> Result<HttpProbe, UrlError> {
        let url = Url::parse(url)?;
        let address = address(&url).ok_or_else(|| UrlError::NotLookedUp(url.authority.host.to_string()))?;
        Ok(HttpProbe::of_url(&url, address))
    }

    /// A GET of this URL at one of the addresses its host has. A name and password in the URL become `Authorization`.
    pub fn of_url(url: &Url, address: SocketAddr) -> HttpProbe {
        let authorization = url.basic_auth().map(|value| ("Authorization".to_owned(), value));
        HttpProbe {
            scheme: url.scheme,
            host: Some(url.authority.header(url.scheme.default_port())),
            path: url.path.clone(),
            headers: authorization.into_iter().collect(),
            ..HttpProbe::new(address)
        }
    }
}

/// The address that is written in it. A zone counts if it is a number.
fn address(url: &Url) -> Option<SocketAddr> {
    let port = url.port();
    match &url.authority.host {
        Host::Address { ip: IpAddr::V6(ip), zone } => {
            let scope = zone.as_ref().map_or(Ok(0), |zone| zone.parse()).ok()?;
            Some(SocketAddrV6::new(*ip, port, 0, scope).into())
        }
        Host::Address { ip: IpAddr::V4(ip), .. } => Some(SocketAddr::from((*ip, port))),
        Host::Name(name) if name.eq_ignore_ascii_case("localhost") => Some((Ipv4Addr::LOCALHOST, port).into()),
        Host::Name(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use urls::Scheme;

    use super::*;

    #[test]
    fn a_url_is_a_probe() {
        let probe = HttpProbe::from_url("https://ann:secret@127.0.0.1:8443/health?deep").unwrap();
        assert_eq!((probe.scheme, probe.address), (Scheme::Https, "127.0.0.1:8443".parse().unwrap()));
        assert_eq!((probe.host.as_deref(), probe.path.as_str()), (Some("127.0.0.1:8443"), "/health?deep"));
        assert_eq!(probe.headers, [("Authorization".to_owned(), "Basic YW5uOnNlY3JldA==".to_owned())]);
    }

    #[test]
    fn the_host_is_an_address_or_here() {
        let address = |url| HttpProbe::from_url(url).map(|probe| probe.address.to_string());
        assert_eq!(address("localhost").as_deref(), Ok("127.0.0.1:80"));
        assert_eq!(address("https://[::1]/").as_deref(), Ok("[::1]:443"));
        assert_eq!(address("http://[fe80::1%7]/").as_deref(), Ok("[fe80::1%7]:80"));
        for (url, said) in [("http://shop.example/", "'shop.example' is"), ("http://[fe80::1%lo]/", "'[fe80::1]' is")] {
            let error = HttpProbe::from_url(url).unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn an_address_that_was_looked_up() {
        let address = "192.0.2.1:81".parse().unwrap();
        let probe = HttpProbe::of_url(&Url::parse("shop.example:81/a").unwrap(), address);
        assert_eq!((probe.address, probe.host.as_deref()), (address, Some("shop.example:81")));
    }
}
