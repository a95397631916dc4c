//! Keeps web pages out. A browser lets any page send requests to this machine; what it cannot hide
//! is the `Origin` of the page, and the `Host` that the page's address names.
//!
//! A request is refused if it names an origin that is not allowed, or a host that is not this node.
//! The second stops DNS rebinding: a page at `evil.example` whose name suddenly resolves to
//! 127.0.0.1 counts for the browser as the page's own server, but its requests still say
//! `Host: evil.example`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use http::header::{HOST, HeaderValue, ORIGIN};
use http::uri::Authority;
use http::{Request, Uri};
use thiserror::Error;

/// Whom the RPC answers, besides programs on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    hosts: BTreeSet<String>,
    origins: BTreeSet<String>,
}

/// A host or an origin that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AccessError {
    /// Not a host name alone.
    #[error("{0:?} in rpc_hosts is no host name; write the name alone, as in node.example")]
    Host(String),
    /// Not scheme, host and port.
    #[error("{0:?} in rpc_origins is no origin; write it as in https://wallet.example")]
    Origin(String),
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Denied {
    #[error("the request does not say which host it is for")]
    NoHost,
    #[error(
        "this node does not answer to the host {0:?}; if it is one of this node's names, allow it \
         with --rpc-host"
    )]
    Host(String),
    #[error("the web page {0:?} may not use this node; if it may, allow it with --rpc-origin")]
    Origin(String),
}

impl Access {
    /// Answers to the names `hosts` besides local ones, and to web pages of `origins`.
    ///
    /// # Errors
    /// The first entry that is not of the right form.
    pub fn new(hosts: &[String], origins: &[String]) -> Result<Self, AccessError> {
        let hosts = hosts.iter().map(|host| {
            let authority: Option<Authority> = host.parse().ok();
            authority
                .filter(|authority| authority.as_str() == authority.host())
                .map(|authority| plain(authority.host()))
                .ok_or_else(|| AccessError::Host(host.clone()))
        });
        let origins = origins.iter().map(|origin| {
            let uri: Option<Uri> = origin.parse().ok();
            uri.and_then(|uri| Some(format!("{}://{}", uri.scheme()?, uri.authority()?)))
                .filter(|plain| plain == origin)
                .map(|plain| plain.to_ascii_lowercase())
                .ok_or_else(|| AccessError::Origin(origin.clone()))
        });
        Ok(Self {
            hosts: hosts.collect::<Result<_, _>>()?,
            origins: origins.collect::<Result<_, _>>()?,
        })
    }

    /// Judges a request that came in at `local`, this machine's end of the connection. Returns the
    /// allowed origin, if the request names one.
    pub(super) fn check<B>(
        &self,
        request: &Request<B>,
        local: IpAddr,
    ) -> Result<Option<HeaderValue>, Denied> {
        // The host may stand in the header, in the request line or in both. All must be allowed,
        // as nothing here can know which of them the client went by.
        let in_line = request.uri().authority().map(Authority::as_str);
        let in_header = request.headers().get_all(HOST).iter();
        let mut named = false;
        for host in in_line.map(Ok).into_iter().chain(in_header.map(|host| host.to_str())) {
            let host = host.unwrap_or_default();
            if !self.is_this_node(host, local) {
                return Err(Denied::Host(shown(host)));
            }
            named = true;
        }
        if !named {
            return Err(Denied::NoHost);
        }
        let mut allowed = None;
        for origin in request.headers().get_all(ORIGIN) {
            let text = origin.to_str().unwrap_or_default();
            if !self.origins.contains(&text.to_ascii_lowercase()) {
                return Err(Denied::Origin(shown(text)));
            }
            allowed = Some(origin.clone());
        }
        Ok(allowed)
    }

    /// Whether a host, with or without a port, means this node. The port is not compared, as a
    /// tunnel may change it, and no rebinding needs another one.
    fn is_this_node(&self, host: &str, local: IpAddr) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        let host = plain(authority.host());
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(ip) => {
                let ip = ip.to_canonical();
                ip.is_loopback() || ip == local.to_canonical() || self.hosts.contains(&host)
            }
            Err(_) => host == "localhost" || self.hosts.contains(&host),
        }
    }
}

/// A host name in the one form that is compared: lower case, without the root's dot.
fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// A header that may be long, cut for a message.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    fn check(access: &Access, headers: &[(&str, &str)]) -> Result<Option<HeaderValue>, Denied> {
        access.check(&request(headers), LOCAL)
    }

    #[test]
    fn local_names_and_the_bound_address_are_this_node() {
        for host in [
            "localhost",
            "localhost:7780",
            "LOCALHOST.",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]:7780",
            "[::ffff:127.0.0.1]",
            "192.0.2.7:7780",
        ] {
            assert_eq!(check(&Access::default(), &[("host", host)]), Ok(None), "{host}");
        }
    }

    #[test]
    fn any_other_host_is_refused() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "192.0.2.8",
            "127.0.0.1.evil.example",
            "127.1",
            "0x7f000001",
            "localhost@evil.example",
            "evil.example@localhost",
            "",
            "localhost/",
            "[::2]",
        ] {
            let refused = check(&Access::default(), &[("host", host)]);
            assert!(matches!(refused, Err(Denied::Host(_))), "{host}: {refused:?}");
        }
        assert_eq!(check(&Access::default(), &[]), Err(Denied::NoHost));
    }

    #[test]
    fn one_foreign_host_among_several_is_enough() {
        let both = [("host", "localhost"), ("host", "evil.example")];
        assert!(check(&Access::default(), &both).is_err());
        let mut line = request(&[("host", "localhost")]);
        *line.uri_mut() = Uri::from_static("http://evil.example/");
        assert!(Access::default().check(&line, LOCAL).is_err());
    }

    #[test]
    fn a_configured_host_is_this_node_too() {
        let access = Access::new(&["Node.Example".to_owned()], &[]).unwrap();
        assert!(check(&access, &[("host", "node.example:7780")]).is_ok());
        assert!(check(&access, &[("host", "other.example")]).is_err());
    }

    #[test]
    fn a_request_with_an_origin_needs_it_allowed() {
        let local = ("host", "localhost");
        for origin in ["null", "http://localhost:7780", "https://evil.example", ""] {
            let refused = check(&Access::default(), &[local, ("origin", origin)]);
            assert!(matches!(refused, Err(Denied::Origin(_))), "{origin}");
        }
        let access = Access::new(&[], &["https://wallet.example".to_owned()]).unwrap();
        let wallet = ("origin", "https://wallet.example");
        let allowed = check(&access, &[local, wallet]).unwrap();
        assert_eq!(allowed.unwrap(), "https://wallet.example");
        let evil = ("origin", "https://wallet.example.evil.example");
        assert!(check(&access, &[local, evil]).is_err());
        assert!(check(&access, &[local, wallet, evil]).is_err());
        assert!(check(&access, &[("host", "evil.example"), wallet]).is_err());
    }

    #[test]
    fn entries_of_the_wrong_form_are_refused() {
        for host in ["node.example:80", "http://node.example", "*", "", "a b"] {
            let refused = Access::new(&[host.to_owned()], &[]);
            // `*` is a legal character of a host, but no browser ever sends it.
            assert!(refused.is_err() || host == "*", "{host}: {refused:?}");
        }
        for origin in ["*", "null", "wallet.example", "https://wallet.example/", "https://"] {
            assert!(Access::new(&[], &[origin.to_owned()]).is_err(), "{origin}");
        }
    }
}
