//~ error[E0277]
//~ TokenGuard
//~ write `Optional<Fresh<…>>`, not `Fresh<Optional<…>>`

use rocket::get;
use rocket_jwt_extended::{Fresh, Optional};

#[get("/")]
fn page(_token: Fresh<Optional>) {}

fn main() {}
