//! Where alerts may be told: not on a private network, whatever a name or a redirect leads to, unless a channel says so.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::rules::Channel;

/// Whether a channel can be used at all.
pub fn check(channel: &Channel) -> Result<(), String> {
    // Read as when a message is sent: an address has many spellings, and no resolver is asked for one.
    let url: Url = channel.url.reveal().parse().map_err(|_| "`url` is no URL".to_owned())?;
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
        return Err("`url` is a URL like https://hooks.example/alerts".to_owned());
    }
    if !channel.allow_private && host.parse().is_ok_and(is_private) {
        return Err("`url` is an address of a private network; `allow_private = true` allows that".to_owned());
    }
    if !channel.allow_private && url.scheme() == "http" {
        return Err("`url` is not encrypted; `https`, or `allow_private = true` on a network of your own".to_owned());
    }
    Ok(())
}

/// Resolves names to addresses of the public network alone. The address that is checked is the one that is connected to.
pub struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| !is_private(address.ip())).collect();
            if public.is_empty() {
                return Err(format!("{} is on a private network", name.as_str()).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is not one of the public network.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped().or_else(|| embedded_v4(address)) {
            Some(address) => is_private_v4(address),
            None => is_private_v6(address),
        },
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    // Only 2000::/3 is given out, and of that not 2001:db8::/32 and 2001::/23.
    address.is_loopback()
        || address.is_unspecified()
        || first & 0xe000 != 0x2000
        || (first == 0x2001 && (address.segments()[1] == 0xdb8 || address.segments()[1] < 0x200))
}

/// The address within one that only wraps it: 64:ff9b::/96 and 2002::/16.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str) -> Result<(), String> {
        check(&toml::from_str(&format!("url = \"{url}\"")).unwrap())
    }

    #[test]
    fn an_address_is_known_however_it_is_spelled() {
        for private in [
            "https://127.0.0.1/x",
            "https://127.0.0.1./x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://0x7f000001/x",
            "https://127.1/x",
            "https://0177.0.0.1/x",
            "https://%31%32%37.0.0.1/x",
            "https://１２７.0.0.1/x",
            "https://user:secret@10.0.0.1:8443/x",
            "https:10.0.0.1/x",
            "https://[::1]/x",
            "https://[0:0:0:0:0:ffff:7f00:1]/x",
        ] {
            let told = checked(private).unwrap_err();
            assert!(told.contains("address of a private network"), "{private}: {told}");
        }
        for public in ["https://hooks.example/x", "https://hooks.example./x", "https://16843009/x", "https://1.1/x"] {
            assert_eq!(checked(public), Ok(()), "{public}");
        }
        for none in
            ["hooks.example", "ftp://hooks.example/x", "https://", "mailto:ops@hooks.example", "https://1.2.3.4.5/"]
        {
            let told = checked(none).unwrap_err();
            assert!(told.starts_with("`url` is "), "{none}: {told}");
        }
    }

    #[test]
    fn only_the_public_network_is_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "ff02::1",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
