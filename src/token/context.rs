//! The request in which a token was presented.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// The request that an [`Event`](crate::Event) happened in, for audit logs.
///
/// It contains neither the path nor the query string, which may contain ids and tokens.
///
/// It is also a request guard, which never fails: a login has no token yet that could carry the
/// context, so it passes the guard to
/// [`TokenPairBuilder::request()`](crate::TokenPairBuilder::request).
///
/// # Example
///
/// ```rust
/// use rocket::post;
/// use rocket_jwt_extended::{Error, Event, Jwt, RequestContext, TokenPair};
///
/// #[post("/login")]
/// fn login(jwt: &Jwt, request: RequestContext) -> Result<TokenPair, Error> {
///     // … check the password first.
///     jwt.token_pair("ada").request(&request).issue()
/// }
///
/// # fn fairing() -> rocket_jwt_extended::JwtFairing {
/// Jwt::fairing().on_event(|event| {
///     if let Some(request) = event.request() {
///         println!("{} {:?} from {:?}", request.method(), request.route(), request.remote());
///     }
/// })
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RequestContext(Arc<Parts>);

/// The properties of the request.
#[derive(PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) method: &'static str,
    pub(crate) route: Option<String>,
    pub(crate) remote: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
}

impl RequestContext {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The method, such as `POST`.
    pub fn method(&self) -> &str {
        self.0.method
    }

    /// The path of the route as it is mounted, such as `/sessions/<id>`; `None` without a route.
    pub fn route(&self) -> Option<&str> {
        self.0.route.as_deref()
    }

    /// The client's address, as Rocket determines it: from the header that Rocket's setting
    /// `ip_header` names, or, if the request has no such header, from the connection. Without a
    /// proxy that replaces the header, the client can choose the address: set `ip_header = false`.
    pub fn remote(&self) -> Option<IpAddr> {
        self.0.remote
    }

    /// The `User-Agent` header, which the client chooses.
    pub fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("method", &self.0.method)
            .field("route", &self.0.route)
            .field("remote", &self.0.remote)
            .field("user_agent", &self.0.user_agent)
            .finish()
    }
}
