//~ error[E0277]: `Graphs` cannot hold a blocklist
//~ a pool without a store, or whose feature is not switched on
//~ `deadpool_redis::Pool` (`deadpool_redis`)
//~ implement `Blocklist` and attach it with `Jwt::fairing().blocklist(…)`

use rocket::figment::Figment;
use rocket_db_pools::{Database, Pool};
use rocket_jwt_extended::rocket_db_pools;
use rocket_jwt_extended::Jwt;

struct Graphs;

#[rocket::async_trait]
impl Pool for Graphs {
    type Connection = ();
    type Error = std::io::Error;

    async fn init(_: &Figment) -> Result<Self, Self::Error> {
        Ok(Self)
    }

    async fn get(&self) -> Result<(), Self::Error> {
        Ok(())
    }

    async fn close(&self) {}
}

struct Main(Graphs);

impl From<Graphs> for Main {
    fn from(pool: Graphs) -> Self {
        Self(pool)
    }
}

impl std::ops::Deref for Main {
    type Target = Graphs;

    fn deref(&self) -> &Graphs {
        &self.0
    }
}

impl std::ops::DerefMut for Main {
    fn deref_mut(&mut self) -> &mut Graphs {
        &mut self.0
    }
}

impl Database for Main {
    type Pool = Graphs;

    const NAME: &'static str = "main";
}

fn main() {
    let _ = rocket::build().attach(Jwt::fairing().database_blocklist::<Main>());
}
