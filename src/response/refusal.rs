//! The response to a refused request.

use rocket::http::{ContentType, Header};
use rocket::response::{self, Responder};
use rocket::{Request, Response};
use serde_json::Value;

use super::challenge;
use crate::jwt::Jwt;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::request::cache::RequestCache;

impl Rejection {
    /// The request's last refusal by a guard, for catchers and response fairings.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::catch;
    /// use rocket::{http::Status, Request};
    /// use rocket_jwt_extended::Rejection;
    ///
    /// #[catch(401)]
    /// fn unauthorized(request: &Request) -> String {
    ///     match Rejection::of(request) {
    ///         Some(rejection) => format!("refused: {rejection}"),
    ///         None => "refused".into(),
    ///     }
    /// }
    /// # fn main() {}
    /// ```
    pub fn of(request: &Request<'_>) -> Option<Rejection> {
        RequestCache::of(request).refusal(request)
    }
}

/// Responds with the result of the [`on_rejection`](crate::JwtFairing::on_rejection) hook. Without
/// a hook, responds with JSON, and with the status and the challenge of the table.
impl<'r> Responder<'r, 'static> for Rejection {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let cache = RequestCache::of(request);
        let settings = request.rocket().state::<Jwt>().map(Jwt::settings);
        let rejection = match settings {
            Some(settings) => self.configured(settings.invalid_token_status),
            None => self,
        };
        // The challenge and the renewal need this: a route may refuse although no guard did.
        cache.refuse(rejection.clone());
        let hook =
            request.rocket().state::<Jwt>().and_then(|jwt| jwt.hooks().on_rejection.as_ref());
        match hook {
            // A rejection that the hook returns is answered from the table.
            Some(hook) if cache.enter_hook() => {
                let answer = hook(&rejection, request);
                cache.leave_hook();
                answer
            }
            _ => respond_from_table(&rejection, request),
        }
    }
}

fn respond_from_table(rejection: &Rejection, request: &Request<'_>) -> response::Result<'static> {
    let settings = request.rocket().state::<Jwt>().map(Jwt::settings);
    let body = body(rejection, settings.map_or("msg", |settings| &settings.error_message_key));
    let mut response = Response::build();
    response
        .status(rejection.status())
        .header(ContentType::JSON)
        .sized_body(body.len(), std::io::Cursor::new(body));
    let scheme = settings.map_or("", |settings| &settings.header_type);
    if let Some(value) = challenge::value(rejection, scheme) {
        response.header(Header::new("WWW-Authenticate", value));
    }
    response.ok()
}

fn body(rejection: &Rejection, message_key: &str) -> String {
    let mut members = vec![(message_key, rejection.to_string()), ("code", rejection.code().into())];
    if let Reason::CsrfMissing(hint) | Reason::CsrfMismatch(hint) = rejection.reason() {
        members.push(("hint", hint.to_string()));
    }
    let text = |text: &str| Value::from(text).to_string();
    let members = members.iter().map(|(key, value)| format!("{}:{}", text(key), text(value)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
