//! Addresses of the network.

use std::{net::IpAddr, ops::Deref};

use super::Invalid;

/// An IPv4 or IPv6 address in its canonical form (RFC 5952). An IPv4 address inside an IPv6 one is IPv4.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpAddress(String);

impl IpAddress {
    /// A stored address, which was checked before.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl TryFrom<String> for IpAddress {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        match text.parse::<IpAddr>() {
            Ok(address) => Ok(address.into()),
            Err(_) => Err(Invalid::new("invalid", "must be an IPv4 or IPv6 address")),
        }
    }
}

impl From<IpAddr> for IpAddress {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical().to_string())
    }
}

impl Deref for IpAddress {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}
