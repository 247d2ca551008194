//! The reasons for refusing a request: the one table of refusals.

use std::borrow::Cow;
use std::fmt;

use rocket::http::Status;

/// The table: a variant, its code, its status, its challenge and its text. Statuses, codes and
/// challenges are written nowhere else.
macro_rules! reasons {
    ($(
        $(#[$doc:meta])*
        $variant:ident $(($field:ident: $ty:ty))? =>
            $code:literal, $status:expr, $challenge:expr, $text:expr;
    )*) => {
        /// The check that failed. Its `Display` is the text that is sent to the client.
        ///
        /// # Example
        ///
        /// ```rust
        /// use rocket_jwt_extended::{danger, Reason};
        ///
        /// let rejection = danger::unverified_header("nonsense").unwrap_err();
        /// assert_eq!(*rejection.reason(), Reason::Malformed("Not enough segments"));
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $variant $(($ty))?,)*
        }

        /// Every row's status; `None` is `invalid_token_status`.
        const STATUSES: &[Option<Status>] = &[$($status),*];

        impl Reason {
            /// The stable code for programs.
            pub(crate) fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $code,)*
                }
            }

            /// The status; `None` is `invalid_token_status`.
            pub(crate) fn status(&self) -> Option<Status> {
                match self {
                    $(Self::$variant { .. } => $status,)*
                }
            }

            /// The content of `WWW-Authenticate`.
            pub(crate) fn challenge(&self) -> Challenge {
                match self {
                    $(Self::$variant { .. } => $challenge,)*
                }
            }
        }

        impl fmt::Display for Reason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text: Cow<'_, str> = match self {
                    $(Self::$variant $(($field))? => $text.into(),)*
                };
                f.write_str(&text)
            }
        }
    };
}

/// What a refusal's `WWW-Authenticate` header says (RFC 6750 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// No header.
    No,
    /// The scheme alone, since no authentication information was sent (RFC 6750 §3.1).
    Bare,
    /// The scheme with an error code.
    Error(&'static str),
}

use Challenge::{Bare, Error, No};

/// `invalid_token_status`.
const CONFIGURED: Option<Status> = None;
const BAD_REQUEST: Option<Status> = Some(Status::BadRequest);
const UNAUTHORIZED: Option<Status> = Some(Status::Unauthorized);
const CONFLICT: Option<Status> = Some(Status::Conflict);
const FORBIDDEN: Option<Status> = Some(Status::Forbidden);
const SERVER_ERROR: Option<Status> = Some(Status::InternalServerError);
const UNAVAILABLE: Option<Status> = Some(Status::ServiceUnavailable);

const INVALID: Challenge = Error("invalid_token");

reasons! {
    /// No token was sent; the text says where it was expected.
    Missing(text: String) => "token_missing", UNAUTHORIZED, Bare, text;
    /// A token came in a cookie without its CSRF value.
    CsrfMissing(_hint: CsrfHint) => "csrf_missing", UNAUTHORIZED, Bare, "Missing CSRF token";
    /// The CSRF value does not match the token's.
    CsrfMismatch(_hint: CsrfHint) =>
        "csrf_mismatch", UNAUTHORIZED, Bare, "CSRF double submit tokens do not match";
    /// The location of the token contains something else; the text says what was expected.
    Misplaced(text: String) => "token_invalid", CONFIGURED, INVALID, text;
    /// More than one token was sent in one location.
    TwoTokens => "token_invalid", CONFIGURED, INVALID, "More than one token was sent";
    /// The token is longer than `max_token_length`, or its header than 4 KiB.
    TooLong => "token_invalid", CONFIGURED, INVALID, "Token is too long";
    /// The token does not have the form of RFC 7515 §3.1; the text says which part.
    Malformed(text: &'static str) => "token_invalid", CONFIGURED, INVALID, *text;
    /// The header has a member that is refused (RFC 7515 §4.1.11, RFC 7797, RFC 7516).
    ForbiddenHeader(text: &'static str) => "token_invalid", CONFIGURED, INVALID, *text;
    /// No key has the header's algorithm (RFC 8725 §3.1).
    WrongAlgorithm(text: &'static str) => "token_invalid", CONFIGURED, INVALID, *text;
    /// No key verifies this token.
    UnknownKey => "token_invalid", CONFIGURED, INVALID, "No key for this token";
    /// The signature does not match.
    BadSignature => "token_invalid", CONFIGURED, INVALID, "Signature verification failed";
    /// A claim has the wrong type or value; the text says which.
    InvalidClaim(text: &'static str) => "token_invalid", CONFIGURED, INVALID, *text;
    /// A claim is missing.
    MissingClaim(name: String) => "token_invalid", CONFIGURED, INVALID, missing_claim(name);
    /// The claim's value is not one that `required_claims` allows.
    UnexpectedClaim(name: String) =>
        "token_invalid", CONFIGURED, INVALID, format!("Invalid claim: {name}");
    /// The custom claims don't deserialize into the guard's claims type.
    CustomClaims => "token_invalid", CONFIGURED, INVALID, "Claims are not of the expected form";
    /// An access token was expected.
    NotAccess => "wrong_token_type", CONFIGURED, INVALID, "Only non-refresh tokens are allowed";
    /// A refresh token was expected.
    NotRefresh => "wrong_token_type", CONFIGURED, INVALID, "Only refresh tokens are allowed";
    /// The token has expired (RFC 7519 §4.1.4).
    Expired => "token_expired", UNAUTHORIZED, INVALID, "Token has expired";
    /// The session of the token has lasted for `session_lifetime`.
    SessionExpired => "token_expired", UNAUTHORIZED, INVALID, "Session has expired";
    /// The token, its session, or all of its subject's tokens are revoked.
    Revoked => "token_revoked", UNAUTHORIZED, INVALID, "Token has been revoked";
    /// The token is not fresh.
    NotFresh => "fresh_token_required", UNAUTHORIZED, INVALID, "Fresh token required";
    /// The token's user does not exist.
    UserNotFound => "user_not_found", UNAUTHORIZED, INVALID, "Error loading the user";
    /// The `verify_claims` hook returned `false`.
    ClaimsRejected => "claims_rejected", BAD_REQUEST, No, "User claims verification failed";
    /// The [`Permission`](crate::Permission) was not granted.
    InsufficientScope =>
        "insufficient_scope", FORBIDDEN, Error("insufficient_scope"), "Insufficient scope";
    /// The blocklist or the user store could not be queried.
    StoreUnavailable => "store_unavailable", UNAVAILABLE, No, "Token store is unavailable";
    /// The identity has `max_sessions` sessions, and `session_limit` is `"refuse"`.
    TooManySessions => "too_many_sessions", CONFLICT, No, "Too many sessions";
    /// The refresh token was valid but no new pair could be issued: the server's fault.
    NotIssued => "not_issued", SERVER_ERROR, No, "No token could be issued";
    /// `Jwt::fairing()` is not attached: an error of the server.
    NotAttached => "not_attached", SERVER_ERROR, No, "JWT is not set up";
}

/// Flask-JWT-Extended's texts, which differ by claim.
fn missing_claim(name: &str) -> String {
    match name {
        "aud" | "iss" => format!("Token is missing the \"{name}\" claim"),
        _ => format!("Missing claim: {name}"),
    }
}

/// Every status with which a guard refuses, each once. `invalid` is `invalid_token_status`.
///
/// The statuses of server errors and of refused logins are omitted: no guard refuses with them.
pub(crate) fn statuses(invalid: Status) -> Vec<Status> {
    let mut statuses = Vec::new();
    for status in STATUSES {
        let status = status.unwrap_or(invalid);
        let is_of_guards = status != Status::InternalServerError && status != Status::Conflict;
        if is_of_guards && !statuses.contains(&status) {
            statuses.push(status);
        }
    }
    statuses
}

/// What a client should have sent with its cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CsrfHint {
    /// The header that carries the CSRF value.
    pub header: String,
    /// The cookie to take the value from, unless `csrf_in_cookies` is off.
    pub cookie: Option<String>,
    /// The form field that may carry the value instead, if `csrf_check_form` is on.
    pub field: Option<String>,
    /// Whether the guard reads forms.
    reads_form: bool,
}

impl CsrfHint {
    /// If `cookie` is empty, the hint names no cookie.
    pub(crate) fn new(header: &str, cookie: &str) -> Self {
        let cookie = (!cookie.is_empty()).then(|| cookie.into());
        Self { header: header.into(), cookie, field: None, reads_form: false }
    }

    pub(crate) fn with_field(mut self, field: &str, reads_form: bool) -> Self {
        self.field = Some(field.into());
        self.reads_form = reads_form;
        self
    }
}

impl fmt::Display for CsrfHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cookie {
            Some(cookie) => write!(f, "send the value of the cookie `{cookie}`")?,
            None => f.write_str("send the CSRF value of the token")?,
        }
        if !self.header.is_empty() {
            write!(f, " in the header `{}`", self.header)?;
        }
        match &self.field {
            Some(field) if self.reads_form => write!(f, " or in the form field `{field}`"),
            Some(field) => write!(f, "; this route does not read the form field `{field}`"),
            None => Ok(()),
        }
    }
}
