//! Applications' users and permissions, for several tests.

use rocket::Request;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome};
use rocket::serde::Deserialize;
use rocket::tokio::task::yield_now;
use rocket_jwt_extended::{LoadUser, NoClaims, Permission, Token};

/// What an application claims of its users.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(crate = "rocket::serde")]
pub struct Profile {
    pub role: String,
}

/// `ada` and `bob` are users; `crash` and `down` show what goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub name: String,
}

/// What a user is loaded with: a guard that waits, as a database connection would.
pub struct Connection;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Connection {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        yield_now().await;
        match request.headers().contains("X-No-Connection") {
            true => Outcome::Error((Status::ServiceUnavailable, ())),
            false => Outcome::Success(Connection),
        }
    }
}

#[rocket::async_trait]
impl LoadUser for User {
    type Claims = NoClaims;
    type Error = String;

    async fn load(token: &Token<NoClaims>, request: &Request<'_>) -> Result<Option<Self>, String> {
        request.guard::<Connection>().await.succeeded().ok_or("no connection")?;
        yield_now().await;
        match token.identity() {
            "down" => Err("the store is down".into()),
            "crash" => panic!("a loader that panics"),
            name @ ("ada" | "bob") => Ok(Some(User { name: name.into() })),
            _ => Ok(None),
        }
    }
}

/// A user with a role, who is loaded by it.
pub struct Member(pub Profile);

#[rocket::async_trait]
impl LoadUser for Member {
    type Claims = Profile;
    type Error = std::convert::Infallible;

    async fn load(token: &Token<Profile>, _: &Request<'_>) -> Result<Option<Self>, Self::Error> {
        Ok((token.claims.role != "banned").then(|| Member(token.claims.clone())))
    }
}

/// Holds for the role `admin`.
pub struct Admin;

impl Permission for Admin {
    type Claims = Profile;

    fn permits(token: &Token<Profile>) -> bool {
        token.claims.role == "admin"
    }
}

/// Holds for every identity but `bob`.
pub struct NotBob;

impl Permission for NotBob {
    type Claims = NoClaims;

    fn permits(token: &Token<NoClaims>) -> bool {
        token.identity() != "bob"
    }
}
