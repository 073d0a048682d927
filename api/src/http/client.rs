//! Where a request comes from: the client's address, also behind trusted proxies, and its user agent.

use std::{net::IpAddr, str::FromStr};

use actix_web::{HttpRequest, http::header, web};
use ipnet::IpNet;

/// A network (`10.0.0.0/8`) or single address whose `X-Forwarded-For` is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxy(IpNet);

impl FromStr for Proxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let one = || text.parse::<IpAddr>().map(IpNet::from).ok();
        let net = text.parse::<IpNet>().ok().or_else(one);
        net.map(Self).ok_or_else(|| format!("{text} is neither an address nor a network such as 10.0.0.0/8"))
    }
}

/// The trusted proxies in front of this server.
#[derive(Clone, Debug, Default)]
pub struct Proxies(pub Vec<Proxy>);

impl Proxies {
    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|Proxy(net)| net.contains(&address.to_canonical()))
    }

    /// The client's address: the peer's, or, if the peer is a trusted proxy, the last one in `X-Forwarded-For`. Anybody can
    /// write the addresses further left, so each of them counts only if the one to its right is a trusted proxy too.
    fn client(&self, peer: IpAddr, forwarded: &[&str]) -> IpAddr {
        let mut client = peer;
        let named = forwarded.iter().rev().flat_map(|line| line.rsplit(','));
        for named in named {
            if !self.trusts(client) {
                break;
            }
            let Ok(address) = named.trim().parse::<IpAddr>() else { break };
            client = address;
        }
        client.to_canonical()
    }
}

/// The sender of a request.
#[derive(Clone, Debug, Default)]
pub struct ClientInfo {
    pub address: Option<IpAddr>,
    pub user_agent: Option<String>,
}

/// Maximum length of a user agent, in characters; longer ones are cut.
const MAX_USER_AGENT: usize = 500;

impl ClientInfo {
    pub fn from_request(request: &HttpRequest) -> Self {
        let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            address: address(request),
            user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect()),
        }
    }

    /// The network that counts as one client: an IPv4 address, or the /64 of an IPv6 address, all of which may belong to a
    /// single machine.
    pub fn network(&self) -> Option<String> {
        self.address.map(network)
    }
}

/// The client's address.
pub fn address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let lines: Vec<&str> =
        request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
    match request.app_data::<web::Data<Proxies>>() {
        Some(proxies) => Some(proxies.client(peer, &lines)),
        None => Some(peer.to_canonical()),
    }
}

/// See [`ClientInfo::network`].
pub fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let proxies = Proxies(vec!["10.0.0.0/8".parse().expect("a net"), "::1".parse().expect("an address")]);
        let client =
            |peer: &str, lines: &[&str]| proxies.client(peer.parse().expect("an address"), lines).to_string();
        assert_eq!(client("198.51.100.4", &["203.0.113.9"]), "198.51.100.4");
        assert_eq!(client("10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
        // The client forged an address; a second trusted proxy is skipped.
        assert_eq!(client("10.1.2.3", &["1.1.1.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.1.2.3", &["1.1.1.1, 203.0.113.9, 10.9.9.9"]), "203.0.113.9");
        assert_eq!(client("10.1.2.3", &["1.1.1.1", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.1.2.3", &["nonsense"]), "10.1.2.3");
        assert_eq!(client("10.1.2.3", &[]), "10.1.2.3");
        assert_eq!(client("::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client("::ffff:10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
        assert!("10.0.0.0/40".parse::<Proxy>().is_err() && "proxy".parse::<Proxy>().is_err());
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_client() {
        let network = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("198.51.100.4"), "198.51.100.4");
    }
}
