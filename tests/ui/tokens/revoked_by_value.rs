//~ error[E0277]
//~ consider borrowing here

use rocket_jwt_extended::{AccessToken, Error, Jwt};

async fn logout(jwt: &Jwt, token: AccessToken) -> Result<(), Error> {
    jwt.revoke(token).await
}

fn main() {}
