//! A permission and a user for anybody.

use std::convert::Infallible;

use rocket::Request;
use rocket_jwt_extended::{LoadUser, NoClaims, Permission, Token};

pub struct Anybody;

impl Permission for Anybody {
    type Claims = NoClaims;

    fn permits(_: &Token<NoClaims>) -> bool {
        true
    }
}

pub struct Somebody;

#[rocket::async_trait]
impl LoadUser for Somebody {
    type Claims = NoClaims;
    type Error = Infallible;

    async fn load(_: &Token<NoClaims>, _: &Request<'_>) -> Result<Option<Self>, Infallible> {
        Ok(Some(Self))
    }
}
