//! Domain names that a cookie can have.

/// A domain that browsers take (RFC 1034 §3.5): letters, digits and hyphens in labels.
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
