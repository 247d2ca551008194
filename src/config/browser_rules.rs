//! Limits that browsers set for cookies, and the headers that scripts may not set. Browsers drop
//! everything else without an error.

/// The longest name and value that browsers keep (RFC 6265bis §5.6).
pub(crate) const MAX_PAIR: usize = 4096;

/// The longest attribute that browsers read (RFC 6265bis §5.6).
pub(crate) const MAX_ATTRIBUTE: usize = 1024;

/// Whether this is a host name (RFC 1034 §3.5): labels of letters, digits and hyphens. A leading
/// dot is ignored (RFC 6265 §5.2.3).
pub(crate) fn is_domain(domain: &str) -> bool {
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let is_label = |label: &str| {
        (1..64).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    domain.len() < 254 && domain.split('.').all(is_label)
}

/// Whether the host name is an IPv4 address. An IPv6 address is not a host name.
pub(crate) fn is_address(domain: &str) -> bool {
    domain.rsplit('.').next().is_none_or(|last| last.parse::<u32>().is_ok())
}

/// Why browsers reject a cookie for this domain, or store it as host-only (RFC 6265 §5.1.3, §5.3).
/// There is no general rule for public suffixes, but a single label always is one.
pub(crate) fn domain_flaw(domain: &str) -> Option<&'static str> {
    let bare = domain.strip_prefix('.').unwrap_or(domain);
    if !is_domain(domain) {
        Some("must be a domain name, such as \"example.test\": no scheme, no port, no path")
    } else if is_address(bare) {
        Some(
            "is an IP address, which has no subdomains; remove it, and the cookies are for the \
             host alone",
        )
    } else if !bare.contains('.') {
        Some(
            "is a single label, which browsers take for a public suffix and refuse; remove it, and the \
             cookies are for the host alone",
        )
    } else {
        None
    }
}

/// Whether a domain looks like a public suffix: a generic label before a country code.
pub(crate) fn may_be_public_suffix(domain: &str) -> bool {
    const GENERIC: [&str; 7] = ["ac", "co", "com", "edu", "gov", "net", "org"];
    let bare = domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase();
    bare.split_once('.').is_some_and(|(label, country)| {
        GENERIC.contains(&label)
            && country.len() == 2
            && country.bytes().all(|b| b.is_ascii_alphabetic())
    })
}

/// Whether browsers forbid scripts to set this request header (Fetch §2.2.2).
pub(crate) fn is_kept_from_scripts(header: &str) -> bool {
    const NAMES: [&str; 22] = [
        "accept-charset",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "access-control-request-private-network",
        "connection",
        "content-length",
        "cookie",
        "cookie2",
        "date",
        "dnt",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    ];
    let name = header.to_ascii_lowercase();
    NAMES.contains(&&*name) || name.starts_with("proxy-") || name.starts_with("sec-")
}
