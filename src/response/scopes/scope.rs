//! The domain and path of a cookie.

use crate::config::browser_rules::{MAX_ATTRIBUTE, is_domain};

/// A domain and a path; without a domain, the cookie is host-only.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::response) struct Scope {
    pub(in crate::response) domain: Option<String>,
    pub(in crate::response) path: String,
}

impl Scope {
    /// A scope given by the application, if it is valid for a cookie.
    pub(in crate::response) fn new(domain: Option<&str>, path: &str) -> Option<Self> {
        let is_legal = domain.is_none_or(is_domain) && is_path(path);
        is_legal.then(|| Self { domain: domain.map(normal_domain), path: path.into() })
    }

    /// Converts the scopes to one cookie value, and back.
    pub(in crate::response) fn join(scopes: &[Self]) -> String {
        let line = |scope: &Self| {
            format!("{} {}", scope.domain.as_deref().unwrap_or_default(), scope.path)
        };
        scopes.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    pub(super) fn split(text: &str) -> impl Iterator<Item = Self> + '_ {
        text.split('\n').filter_map(|line| line.split_once(' ')).map(|(domain, path)| Self {
            domain: (!domain.is_empty()).then(|| domain.into()),
            path: path.into(),
        })
    }
}

/// Whether browsers accept the path, and it does not end the attribute.
pub(super) fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= MAX_ATTRIBUTE
        && path.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b';')
}

/// Browsers ignore case and a leading dot (RFC 6265 §5.2.3).
pub(super) fn normal_domain(domain: &str) -> String {
    domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase()
}
