//~ error[E0277]
//~ TokenGuard
//~ write `Optional<Fresh<…>>`, not `Fresh<Optional<…>>`

use rocket::get;
use rocket_jwt_extended::{NoClaims, Optional, Permission, Require, Token};

struct Staff;

impl Permission for Staff {
    type Claims = NoClaims;

    fn permits(_token: &Token<NoClaims>) -> bool {
        true
    }
}

#[get("/")]
fn page(_token: Require<Staff, Optional>) {}

fn main() {}
