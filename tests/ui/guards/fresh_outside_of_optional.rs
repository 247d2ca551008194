//~ error[E0277]
//~ TokenGuard

use rocket::get;
use rocket_jwt_extended::{Fresh, Optional};

#[get("/")]
fn page(_token: Fresh<Optional>) {}

fn main() {}
