//! Networks of IP addresses (CIDR, RFC 4632 and RFC 4291).

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// An address or a network, in canonical form: an IPv4 network inside IPv6 is IPv4, and bits behind the prefix are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network(IpNet);

impl Network {
    /// Parses `198.51.100.4`, `10.0.0.0/8` or `2001:db8::/32`. None for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let network = match text.parse::<IpNet>() {
            Ok(network) => network,
            Err(_) => text.parse::<IpAddr>().ok()?.into(),
        };
        // ::ffff:0:0/96 is where IPv6 has the IPv4 addresses.
        let network = match (network.addr().to_canonical(), network) {
            (IpAddr::V4(address), IpNet::V6(network)) => {
                network.prefix_len().checked_sub(96).and_then(|bits| Ipv4Net::new(address, bits).ok())?.into()
            }
            _ => network,
        };
        Some(Self(network.trunc()))
    }

    /// The only address of the network, as text; None when there are several.
    pub fn address(&self) -> Option<String> {
        (self.0.prefix_len() == self.0.max_prefix_len()).then(|| self.0.addr().to_string())
    }

    /// Whether it contains a stored address.
    pub fn contains(&self, address: &str) -> bool {
        address.parse::<IpAddr>().is_ok_and(|address| self.0.contains(&address.to_canonical()))
    }

    /// The network itself, for the index.
    pub fn net(&self) -> IpNet {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).expect("a network")
    }

    #[test]
    fn networks_contain_addresses_in_any_form() {
        assert!(network("10.0.0.0/8").contains("10.200.3.4"));
        assert!(!network("10.0.0.0/8").contains("11.0.0.1"));
        assert!(network("10.1.2.3/8").contains("10.9.9.9"), "bits behind the prefix do not count");
        assert!(network("2001:db8::/32").contains("2001:db8:1::5"));
        assert!(network("::ffff:10.0.0.0/104").contains("10.3.3.3"));
        assert!(network("::ffff:10.0.0.1").contains("10.0.0.1"));
        assert!(network("0.0.0.0/0").contains("1.1.1.1"));
        assert!(!network("::/0").contains("1.1.1.1"), "IPv4 is no IPv6");
        assert!(!network("10.0.0.0/8").contains("no address"));
        assert_eq!(network("2001:DB8:0:0::1").address().as_deref(), Some("2001:db8::1"));
        assert_eq!(network("10.0.0.1/32").address().as_deref(), Some("10.0.0.1"));
        assert_eq!(network("10.0.0.0/24").address(), None);
        for text in ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "clinic", "::ffff:0.0.0.0/90/1"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
