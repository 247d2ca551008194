//! The context of a request, for events.

use std::convert::Infallible;

use rocket::Request;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};

use crate::hooks::Hooks;
use crate::token::context::{Parts, RequestContext};

/// The context of a request. Without an `on_event` hook it is not made, as nothing would read it.
pub(crate) fn context(hooks: &Hooks, request: &Request<'_>) -> Option<RequestContext> {
    hooks.on_event.is_some().then(|| of(request))
}

fn of(request: &Request<'_>) -> RequestContext {
    RequestContext::new(Parts {
        method: request.method().as_str(),
        route: request.route().map(|route| route.uri.path().to_string()),
        remote: request.client_ip(),
        user_agent: request.headers().get_one("User-Agent").map(Into::into),
    })
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for RequestContext {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        Outcome::Success(of(request))
    }
}
