//~ error[E0277]
//~ or implement `FromBody` for it
//~ FromBody

use rocket::post;
use rocket_jwt_extended::{AccessToken, WithBody};

struct Body;

#[post("/", data = "<_body>")]
fn page(_body: WithBody<AccessToken, Body>) {}

fn main() {}
