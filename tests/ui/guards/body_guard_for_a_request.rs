//~ error[E0277]
//~ FromRequest

use rocket::get;
use rocket_jwt_extended::{AccessToken, WithBody};

#[get("/")]
fn page(_body: WithBody<AccessToken>) {}

fn main() {}
