//~ error[E0277]
//~ implement `LoadUser` for it
//~ LoadUser

use rocket::get;
use rocket_jwt_extended::CurrentUser;

struct User;

#[get("/")]
fn page(_user: CurrentUser<User>) {}

fn main() {}
