//! Token types: access or refresh.

use std::fmt;

/// The types of token, by their `type` claim.
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::TokenType;
///
/// assert_eq!(TokenType::Refresh.to_string(), "refresh");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenType {
    /// `"access"`, or no `type` at all.
    #[default]
    Access,
    /// `"refresh"`.
    Refresh,
    /// Any other `type`, which only [`Jwt::decode()`](crate::Jwt::decode) accepts.
    Other,
}

impl TokenType {
    pub(crate) fn from_claim(claim: &str) -> Self {
        match claim {
            "access" => Self::Access,
            "refresh" => Self::Refresh,
            _ => Self::Other,
        }
    }

    pub(crate) fn as_claim(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_claim())
    }
}
