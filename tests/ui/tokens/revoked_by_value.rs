//~ error[E0277]
//~ pass a reference to the token or its guard
//~ consider borrowing here

use rocket_jwt_extended::{AccessToken, Error, Jwt};

async fn logout(jwt: &Jwt, token: AccessToken) -> Result<(), Error> {
    jwt.revoke(token).await
}

fn main() {}
