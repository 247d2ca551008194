//! A request header that carries a token.

use rocket::http::Header;

/// The header `Authorization: Bearer …`, for requests of Rocket's local client.
///
/// # Example
///
/// ```rust
/// # use rocket::{get, routes};
/// use rocket::local::blocking::Client;
/// use rocket_jwt_extended::testing::Bearer;
/// use rocket_jwt_extended::{AccessToken, Jwt};
///
/// #[get("/me")]
/// fn me(token: AccessToken) -> String {
///     token.identity().to_string()
/// }
///
/// # fn main() {
/// let rocket = rocket::build().attach(Jwt::fairing()).mount("/", routes![me]);
/// let client = Client::debug(rocket).unwrap();
/// let token = Jwt::fetch(client.rocket()).unwrap().access_token("ada").encode().unwrap();
/// let response = client.get("/me").header(Bearer(&token)).dispatch();
/// assert_eq!(response.into_string().unwrap(), "ada");
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Bearer<'a>(
    /// The token.
    pub &'a str,
);

impl From<Bearer<'_>> for Header<'static> {
    fn from(Bearer(token): Bearer<'_>) -> Self {
        Header::new("Authorization", format!("Bearer {token}"))
    }
}
