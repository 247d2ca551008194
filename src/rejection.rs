//! Refusals: what a client is told, in one table.

use std::fmt;
use std::sync::Arc;

use rocket::http::{ContentType, Header, Status};
use rocket::response::{self, Responder};
use rocket::{Request, Response};
use serde_json::Value;

use crate::jwt::Jwt;
use crate::token::{Token, Verified};
use crate::{cache, Claims};

/// Why a request, or a token, is refused.
///
/// Exact here, coarse on the wire: [`reason()`](Rejection::reason) tells which check failed, the body
/// tells a stable [`code()`](Rejection::code) and a text. A refusal never holds the token in its
/// `Debug` or `Display`.
///
/// A guard's refusal is kept with the request, where any catcher finds it by [`Rejection::of()`].
#[derive(Clone)]
pub struct Rejection {
    reason: Reason,
    invalid_status: Status,
    token: Option<Arc<Token<Claims>>>,
}

/// The check that failed. Its `Display` is the text a client is sent.
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
    /// No token was sent; the text says where it was looked for.
    Missing(String),
    /// A cookie-borne token came without its CSRF value.
    CsrfMissing(CsrfHint),
    /// The CSRF value is not that of the token.
    CsrfMismatch(CsrfHint),
    /// The place where the token belongs holds something else; the text says what was expected.
    Misplaced(String),
    /// More than one token was sent in one place.
    TwoTokens,
    /// The token is longer than `max_token_length`, or its header than 4 KiB.
    TooLong,
    /// The token is not of the form RFC 7515 §3.1 gives it; the text says which part.
    Malformed(&'static str),
    /// The header has a member that is refused (RFC 7515 §4.1.11, RFC 7797, RFC 7516).
    Header(&'static str),
    /// The header's algorithm is not that of any key (RFC 8725 §3.1).
    Algorithm(&'static str),
    /// No key verifies this token.
    UnknownKey,
    /// The signature does not hold.
    Signature,
    /// A claim is not of its type or value; the text says which.
    Claim(&'static str),
    /// A claim is missing.
    MissingClaim(String),
    /// The own claims don't read into the guard's claims type.
    OwnClaims,
    /// An access token was expected.
    NotAccess,
    /// A refresh token was expected.
    NotRefresh,
    /// The token has expired (RFC 7519 §4.1.4).
    Expired,
    /// The token, its session, or all of its subject's tokens are revoked.
    Revoked,
    /// The token is not fresh.
    NotFresh,
    /// There is no such user.
    UserNotFound,
    /// The `verify_claims` hook said no.
    ClaimsRejected,
    /// The `Permission` said no.
    InsufficientScope,
    /// The blocklist or the user store could not be asked.
    StoreUnavailable,
    /// A refresh token was good but a new pair could not be made of it: the server's fault.
    NotIssued,
    /// `Jwt::fairing()` is not attached: the server's fault.
    NotAttached,
}

/// What a client should have sent beside its cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CsrfHint {
    /// The header that carries the CSRF value.
    pub header: String,
    /// The cookie the value is to be taken from.
    pub cookie: String,
}

impl fmt::Display for CsrfHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { header, cookie } = self;
        write!(f, "send the value of the cookie `{cookie}` in the header `{header}`")
    }
}

/// What goes with a refusal on the wire.
struct Row {
    code: &'static str,
    /// `None` is `invalid_token_status`.
    status: Option<Status>,
    challenge: Challenge,
}

#[derive(Clone, Copy)]
enum Challenge {
    No,
    /// Without an error code (RFC 6750 §3.1: no authentication information was sent).
    Bare,
    Error(&'static str),
}

impl Reason {
    /// The table of refusals: the one place where a status, a code or a challenge stands.
    fn row(&self) -> Row {
        use Challenge::{Bare, Error, No};
        let row = |code, status, challenge| Row { code, status, challenge };
        let invalid = Error("invalid_token");
        let unauthorized = Some(Status::Unauthorized);
        match self {
            Self::Missing(_) => row("token_missing", unauthorized, Bare),
            Self::CsrfMissing(_) => row("csrf_missing", unauthorized, Bare),
            Self::CsrfMismatch(_) => row("csrf_mismatch", unauthorized, Bare),
            Self::Misplaced(_)
            | Self::TwoTokens
            | Self::TooLong
            | Self::Malformed(_)
            | Self::Header(_)
            | Self::Algorithm(_)
            | Self::UnknownKey
            | Self::Signature
            | Self::Claim(_)
            | Self::MissingClaim(_)
            | Self::OwnClaims => row("token_invalid", None, invalid),
            Self::NotAccess | Self::NotRefresh => row("wrong_token_type", None, invalid),
            Self::Expired => row("token_expired", unauthorized, invalid),
            Self::Revoked => row("token_revoked", unauthorized, invalid),
            Self::NotFresh => row("fresh_token_required", unauthorized, invalid),
            Self::UserNotFound => row("user_not_found", unauthorized, invalid),
            Self::ClaimsRejected => row("claims_rejected", Some(Status::BadRequest), No),
            Self::InsufficientScope => {
                row("insufficient_scope", Some(Status::Forbidden), Error("insufficient_scope"))
            }
            Self::StoreUnavailable => {
                row("store_unavailable", Some(Status::ServiceUnavailable), No)
            }
            Self::NotIssued => row("not_issued", Some(Status::InternalServerError), No),
            Self::NotAttached => row("not_attached", Some(Status::InternalServerError), No),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing(text) | Self::Misplaced(text) => text,
            Self::CsrfMissing(_) => "Missing CSRF token",
            Self::CsrfMismatch(_) => "CSRF double submit tokens do not match",
            Self::TwoTokens => "More than one token was sent",
            Self::TooLong => "Token is too long",
            Self::Malformed(text)
            | Self::Header(text)
            | Self::Algorithm(text)
            | Self::Claim(text) => text,
            Self::UnknownKey => "No key for this token",
            Self::Signature => "Signature verification failed",
            Self::MissingClaim(name) if name == "aud" || name == "iss" => {
                return write!(f, "Token is missing the \"{name}\" claim");
            }
            Self::MissingClaim(name) => return write!(f, "Missing claim: {name}"),
            Self::OwnClaims => "Claims are not of the expected form",
            Self::NotAccess => "Only non-refresh tokens are allowed",
            Self::NotRefresh => "Only refresh tokens are allowed",
            Self::Expired => "Token has expired",
            Self::Revoked => "Token has been revoked",
            Self::NotFresh => "Fresh token required",
            Self::UserNotFound => "Error loading the user",
            Self::ClaimsRejected => "User claims verification failed",
            Self::InsufficientScope => "Insufficient scope",
            Self::StoreUnavailable => "Token store is unavailable",
            Self::NotIssued => "No token could be issued",
            Self::NotAttached => "JWT is not set up",
        })
    }
}

/// A failed check, with the token where its signature held.
#[derive(Clone)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) verified: Option<Arc<Verified>>,
}

impl Refusal {
    pub(crate) fn of(reason: Reason, verified: &Arc<Verified>) -> Self {
        Self { reason, verified: Some(verified.clone()) }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, verified: None }
    }
}

impl Rejection {
    pub(crate) fn new(refusal: Refusal, invalid_status: Status) -> Self {
        let Refusal { reason, verified } = refusal;
        let token = verified.map(|verified| {
            Arc::new(Token::with_claims(verified.claims().clone(), verified, None))
        });
        Self { reason, invalid_status, token }
    }

    /// A refusal where no configuration is at hand: one by `danger`, or by a missing fairing.
    pub(crate) fn unconfigured(reason: Reason) -> Self {
        Self::new(reason.into(), Status::Unauthorized)
    }

    pub(crate) fn store_unavailable() -> Self {
        Self::unconfigured(Reason::StoreUnavailable)
    }

    /// The last refusal of a guard in this request, for catchers and response fairings.
    ///
    /// # Example
    ///
    /// ```rust
    /// # #[macro_use] extern crate rocket;
    /// use rocket::{http::Status, Request};
    /// use rocket_jwt_extended::Rejection;
    ///
    /// #[catch(401)]
    /// fn unauthorized(request: &Request) -> String {
    ///     match Rejection::of(request) {
    ///         Some(rejection) => format!("not let in: {rejection}"),
    ///         None => "not let in".into(),
    ///     }
    /// }
    /// # fn main() {}
    /// ```
    pub fn of(request: &Request<'_>) -> Option<Rejection> {
        cache::of(request).refusal(request)
    }

    /// The check that failed.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The status it is answered with.
    pub fn status(&self) -> Status {
        self.reason.row().status.unwrap_or(self.invalid_status)
    }

    /// The stable code for machines, such as `token_expired`.
    pub fn code(&self) -> &'static str {
        self.reason.row().code
    }

    /// The token, if the refusal came after its signature held.
    pub fn token(&self) -> Option<&Token<Claims>> {
        self.token.as_deref()
    }

    pub(crate) fn is_missing(&self) -> bool {
        matches!(self.reason, Reason::Missing(_))
    }

    /// The `WWW-Authenticate` value (RFC 6750 §3), if the refusal calls for one.
    pub(crate) fn challenge(&self, scheme: &str) -> Option<String> {
        let scheme = if scheme.is_empty() { "Bearer" } else { scheme };
        match self.reason.row().challenge {
            Challenge::No => None,
            Challenge::Bare => Some(scheme.into()),
            Challenge::Error(code) => Some(format!("{scheme} error=\"{code}\"")),
        }
    }

    fn body(&self, message_key: &str) -> String {
        let mut members = vec![(message_key, self.to_string()), ("code", self.code().into())];
        if let Reason::CsrfMissing(hint) | Reason::CsrfMismatch(hint) = &self.reason {
            members.push(("hint", hint.to_string()));
        }
        let text = |text: &str| Value::from(text).to_string();
        let members = members.iter().map(|(key, value)| format!("{}:{}", text(key), text(value)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// Two refusals are equal if the same check failed for the same token.
impl PartialEq for Rejection {
    fn eq(&self, other: &Self) -> bool {
        self.reason == other.reason
            && self.status() == other.status()
            && self.token().map(Token::encoded) == other.token().map(Token::encoded)
    }
}

impl Eq for Rejection {}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

/// What Rocket logs of a guard that failed: the check, never the token.
impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.reason)?;
        if let Reason::CsrfMissing(hint) | Reason::CsrfMismatch(hint) = &self.reason {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}

impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        rejection.status()
    }
}

/// What the [`on_rejection`](crate::JwtFairing::on_rejection) hook answers, or else the body of the
/// table as JSON; with its status, and the challenge.
impl<'r> Responder<'r, 'static> for Rejection {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let cache = cache::of(request);
        // For the challenge, and against renewal: a route may have refused where no guard did.
        cache.refuse(self.clone());
        let hook =
            request.rocket().state::<Jwt>().and_then(|jwt| jwt.hooks().on_rejection.as_ref());
        match hook {
            // A hook that answers with a refusal means the table's answer.
            Some(hook) if cache.enter_hook() => {
                let answer = hook(&self, request);
                cache.leave_hook();
                answer
            }
            _ => self.respond_by_table(request),
        }
    }
}

impl Rejection {
    fn respond_by_table(&self, request: &Request<'_>) -> response::Result<'static> {
        let settings = request.rocket().state::<Jwt>().map(Jwt::settings);
        let body = self.body(settings.map_or("msg", |settings| &settings.error_message_key));
        let mut response = Response::build();
        response
            .status(self.status())
            .header(ContentType::JSON)
            .sized_body(body.len(), std::io::Cursor::new(body));
        if let Some(value) = self.challenge(settings.map_or("", |settings| &settings.header_type)) {
            response.header(Header::new("WWW-Authenticate", value));
        }
        response.ok()
    }
}
