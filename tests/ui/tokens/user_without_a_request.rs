//~ error[E0277]
//~ needs a request
//~ CurrentUser<U>
//~ RequestFree

use rocket_jwt_extended::{CurrentUser, Jwt, LoadUser, Rejection};

async fn who<U: LoadUser>(jwt: &Jwt, token: &str) -> Result<(), Rejection> {
    jwt.verify::<CurrentUser<U>>(token).await.map(|_| ())
}

fn main() {}
