//! The locations in a request where a token may be.

use std::fmt;

/// Where in a request a token was found, or is looked for.
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::Location;
///
/// assert_eq!(Location::QueryString.to_string(), "query_string");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// A request header (RFC 6750 §2.1).
    Headers,
    /// A cookie, with CSRF double submit.
    Cookies,
    /// A parameter of the query string (RFC 6750 §2.3).
    QueryString,
    /// A member of a JSON body, for [`WithBody`](crate::WithBody).
    JsonBody,
}

impl Location {
    const ALL: [Self; 4] = [Self::Headers, Self::Cookies, Self::QueryString, Self::JsonBody];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|location| location.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Cookies => "cookies",
            Self::QueryString => "query_string",
            Self::JsonBody => "json",
        }
    }
}

/// Displays the name that the location has in the configuration.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
