//! The data guard that reads the token, the CSRF value and the data from one body.

use std::fmt;

use rocket::data::{self, Data, FromData, Limits};
use rocket::form::{self, Form, FromForm, ValueField};
use rocket::http::{ContentType, Status};
use rocket::outcome::Outcome;
use rocket::serde::Deserialize;
use rocket::serde::json::{self, Json};
use rocket::{Ignite, Request, Rocket, Sentinel};

use super::access::AccessToken;
use super::admit::TokenGuard;
use super::optional::Optional;
use super::run::{refuse, run};
use crate::rejection::Rejection;
use crate::request::body::{Body, is_json};
use crate::verify::policy::Policy;

/// Accepts what `G` accepts, but also looks for the token in the body, and parses the same body
/// into `B`.
///
/// A request guard cannot read a body, so this data guard is needed for the location `json`, and to
/// read the CSRF value from a form field with `csrf_check_form`. `G` is any [`TokenGuard`], or
/// [`Optional`]; `B` is `()`, `&[u8]`, [`Json<T>`], [`Form<T>`], or a custom [`FromBody`].
///
/// The body is limited to Rocket's own limit for its content type (`json`, `form`, `data-form`, or
/// `bytes`). A larger body is refused with 413.
///
/// # Example
///
/// ```rust
/// # use rocket::post;
/// use rocket::serde::{json::Json, Deserialize};
/// use rocket_jwt_extended::{AccessToken, WithBody};
///
/// #[derive(Deserialize)]
/// #[serde(crate = "rocket::serde")]
/// struct Note { text: String }
///
/// #[post("/note", data = "<note>")]
/// fn note(note: WithBody<AccessToken, Json<Note>>) -> String {
///     format!("{} notes: {}", note.token.identity(), note.body.text)
/// }
/// # fn main() {}
/// ```
pub struct WithBody<G = AccessToken, B = ()> {
    /// The guard that accepted the request.
    pub token: G,
    /// The body.
    pub body: B,
}

/// Does not show the body, which may contain the token.
impl<G: fmt::Debug, B> fmt::Debug for WithBody<G, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithBody").field("token", &self.token).finish_non_exhaustive()
    }
}

/// A type into which [`WithBody`] parses a body.
#[diagnostic::on_unimplemented(
    message = "`WithBody` cannot read a body into `{Self}`",
    note = "write `Json<{Self}>` or `Form<{Self}>`, or implement `FromBody` for it",
    note = "`FromData` is not enough: Rocket's `Data` cannot be read twice"
)]
pub trait FromBody<'r>: Sized + Send {
    /// The error if the body cannot be parsed.
    type Error: fmt::Debug + Send;

    /// Parses the body.
    ///
    /// # Errors
    ///
    /// If the body cannot be parsed; the error includes the status of the response.
    fn from_body(request: &'r Request<'_>, body: &'r [u8]) -> Result<Self, (Status, Self::Error)>;
}

/// The reason why a [`WithBody`] failed.
///
/// Rocket logs it with `Debug`. Errors of [`Json`] and [`Form`] show the value that could not be
/// parsed, as they do with Rocket's own guards.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyError<E> {
    /// The token was refused.
    Rejected(Rejection),
    /// The body is larger than the limit.
    TooLarge,
    /// The body could not be read.
    Io(std::io::Error),
    /// The body could not be parsed as a `B`.
    Body(E),
}

/// A guard that [`WithBody`] accepts: every [`TokenGuard`], and [`Optional`]. Sealed.
#[diagnostic::on_unimplemented(
    message = "`WithBody` cannot run `{Self}`",
    note = "the guard comes first, the body second: `WithBody<AccessToken, Json<Note>>`",
    note = "`WithBody` accepts any `TokenGuard` and `Optional<…>`, but not `OrForward<…>`"
)]
#[rocket::async_trait]
pub trait BodyGuard: sealed::Sealed + Sized + Send {
    #[doc(hidden)]
    const TOKEN_POLICY: Policy;

    #[doc(hidden)]
    async fn run_with(request: &Request<'_>, body: sealed::TheBody<'_>) -> Result<Self, Rejection>;
}

mod sealed {
    use super::{Body, Optional, TokenGuard};

    pub struct TheBody<'a>(pub(super) Body<'a>);

    pub trait Sealed {}
    impl<G: TokenGuard> Sealed for G {}
    impl<G: TokenGuard> Sealed for Optional<G> {}
}

#[rocket::async_trait]
impl<G: TokenGuard> BodyGuard for G {
    const TOKEN_POLICY: Policy = G::POLICY;

    async fn run_with(request: &Request<'_>, body: sealed::TheBody<'_>) -> Result<Self, Rejection> {
        run(request, Some(&body.0)).await
    }
}

#[rocket::async_trait]
impl<G: TokenGuard> BodyGuard for Optional<G> {
    const TOKEN_POLICY: Policy = G::POLICY;

    async fn run_with(request: &Request<'_>, body: sealed::TheBody<'_>) -> Result<Self, Rejection> {
        Optional::of(run(request, Some(&body.0)).await)
    }
}

#[rocket::async_trait]
impl<'r, G: BodyGuard, B: FromBody<'r>> FromData<'r> for WithBody<G, B> {
    type Error = BodyError<B::Error>;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        let bytes: &'r [u8] = match data.open(limit(request)).into_bytes().await {
            Ok(bytes) if bytes.is_complete() => request.local_cache(|| Bytes(bytes.into_inner())),
            Ok(_) => return Outcome::Error((Status::PayloadTooLarge, BodyError::TooLarge)),
            Err(error) => return Outcome::Error((Status::BadRequest, BodyError::Io(error))),
        };
        let body = Body { bytes, content_type: request.content_type() };
        let token = match G::run_with(request, sealed::TheBody(body)).await {
            Ok(token) => token,
            Err(rejection) => {
                let (status, rejection) = refuse(request, rejection);
                return Outcome::Error((status, BodyError::Rejected(rejection)));
            }
        };
        match B::from_body(request, bytes) {
            Ok(body) => Outcome::Success(Self { token, body }),
            Err((status, error)) => Outcome::Error((status, BodyError::Body(error))),
        }
    }
}

/// Accepts `In<JsonBody>`, unlike the sentinel of a request guard.
impl<G: BodyGuard, B> Sentinel for WithBody<G, B> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        super::sentinel::is_unattached::<Self>(rocket)
            || super::sentinel::is_contradictory::<Self>(G::TOKEN_POLICY)
    }
}

struct Bytes(Vec<u8>);

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

fn limit(request: &Request<'_>) -> data::ByteUnit {
    let (name, default) = match request.content_type() {
        Some(content_type) if is_json(content_type) => ("json", Limits::JSON),
        Some(content_type) if content_type.is_form() => ("form", Limits::FORM),
        Some(content_type) if content_type.is_form_data() => ("data-form", Limits::DATA_FORM),
        _ => ("bytes", Limits::BYTES),
    };
    request.limits().get(name).unwrap_or(default)
}

impl<'r> FromBody<'r> for () {
    type Error = std::convert::Infallible;

    fn from_body(_: &'r Request<'_>, _: &'r [u8]) -> Result<Self, (Status, Self::Error)> {
        Ok(())
    }
}

impl<'r> FromBody<'r> for &'r [u8] {
    type Error = std::convert::Infallible;

    fn from_body(_: &'r Request<'_>, body: &'r [u8]) -> Result<Self, (Status, Self::Error)> {
        Ok(body)
    }
}

/// The statuses are those of Rocket's own [`Json`] guard, and 415 for another content type, which a
/// page of another site could send without a CORS preflight.
impl<'r, T: Deserialize<'r> + Send> FromBody<'r> for Json<T> {
    type Error = json::Error<'r>;

    fn from_body(request: &'r Request<'_>, body: &'r [u8]) -> Result<Self, (Status, Self::Error)> {
        if !request.content_type().is_some_and(is_json) {
            return Err((Status::UnsupportedMediaType, invalid_data("not a JSON content type")));
        }
        let text = std::str::from_utf8(body)
            .map_err(|_| (Status::BadRequest, invalid_data("the body is not UTF-8")))?;
        serde_json::from_str(text).map(Json).map_err(|error| {
            let status = match error.is_data() {
                true => Status::UnprocessableEntity,
                false => Status::BadRequest,
            };
            (status, json::Error::Parse("", error))
        })
    }
}

fn invalid_data<'r>(text: &'static str) -> json::Error<'r> {
    json::Error::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, text))
}

/// The statuses are those of Rocket's own [`Form`] guard, and 415 for another content type. Only
/// the text fields of a multipart form can be parsed into a `T` here, not its files.
impl<'r, T: FromForm<'r>> FromBody<'r> for Form<T> {
    type Error = form::Errors<'r>;

    fn from_body(request: &'r Request<'_>, bytes: &'r [u8]) -> Result<Self, (Status, Self::Error)> {
        struct Fields(Vec<(String, String)>);

        let content_type: Option<&ContentType> = request.content_type();
        let Some(fields) = (Body { bytes, content_type }).form_fields() else {
            let error = form::Error::validation("not a form");
            return Err((Status::UnsupportedMediaType, error.into()));
        };
        let fields: &'r Fields = request.local_cache(|| Fields(fields));
        let fields = fields.0.iter().map(|(name, value)| ValueField {
            name: form::name::NameView::new(name.as_str()),
            value,
        });
        let parsed: form::Result<'r, T> = Form::parse_iter(fields);
        parsed.map(Form::from).map_err(|errors| (errors.status(), errors))
    }
}
