//~ error[E0277]: a blocklist in a database needs a feature of `rocket_jwt_extended`, and none is switched on
//~ `sqlx_sqlite`, `sqlx_postgres`, `sqlx_mysql`, `deadpool_postgres` or `deadpool_redis`
//~ features = ["sqlx_sqlite"] }

use rocket_jwt_extended::Jwt;

struct Main;

fn main() {
    let _ = rocket::build().attach(Jwt::fairing().database_blocklist::<Main>());
}
