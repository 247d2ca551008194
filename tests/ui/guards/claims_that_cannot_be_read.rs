//~ error[E0277]
//~ Profile
//~ CustomClaims

use rocket::get;
use rocket_jwt_extended::AccessToken;

struct Profile;

#[get("/")]
fn page(_token: AccessToken<Profile>) {}

fn main() {}
