//! A real server with a store.

use std::net::SocketAddr;

use rocket::Config;
use rocket::config::LogLevel;
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::tokio::{self, sync::oneshot};
use rocket_jwt_extended::{AccessToken, Jwt, NoClaims};
use uuid::Uuid;

use crate::client::{self, Route};
use crate::store::Store;

/// The number of tokens: each connection of the client has a different one, so that concurrent
/// lookups are never the same.
const USERS: usize = 64;

#[get("/open")]
fn open() -> &'static str {
    "ada"
}

#[get("/guarded")]
fn guarded(token: AccessToken) -> String {
    token.identity().into()
}

pub struct Server {
    address: SocketAddr,
    tokens: Vec<String>,
}

impl Server {
    pub fn route(&self, name: &'static str, path: &'static str) -> Route {
        Route { name, address: self.address, path, tokens: self.tokens.clone() }
    }
}

/// Starts a server with this store, which runs until the program ends.
pub async fn start(store: &Store) -> Server {
    let config = Config { port: 0, log_level: LogLevel::Off, ..Config::release_default() };
    let secret = format!("{}{}", Uuid::new_v4(), Uuid::new_v4());
    let figment =
        Figment::from(config).merge(("jwt.secret_key", secret)).merge(("shutdown.ctrlc", false));

    let (tell, told) = oneshot::channel();
    let lifted = AdHoc::on_liftoff("Where it listens", |rocket| {
        Box::pin(async move {
            let jwt = Jwt::fetch(rocket).expect("the fairing is attached");
            let issue = |user: usize| {
                let pair = jwt.token_pair(format!("user-{user}")).issue().expect("a pair");
                pair.access_token().to_string()
            };
            let (tokens, ended) = ((0..USERS).map(issue).collect(), issue(USERS));
            let token = jwt.decode::<NoClaims>(&ended).expect("its own token");
            jwt.revoke_session(&token).await.expect("the session ends");
            let address = SocketAddr::new(rocket.config().address, rocket.config().port);
            let _ = tell.send((address, tokens, ended));
        })
    });
    let (figment, fairing) = match &store.followed {
        Some(followed) => (
            figment.merge(("jwt.blocklist_replica", "1s")),
            Jwt::fairing().replicable_blocklist(followed.clone()),
        ),
        None => (figment, Jwt::fairing().blocklist(store.blocklist.clone())),
    };
    let rocket = rocket::custom(figment)
        .attach(fairing)
        .attach(lifted)
        .mount("/", routes![open, guarded])
        .ignite()
        .await
        .expect("a server");
    tokio::spawn(rocket.launch());

    let (address, tokens, ended) = told.await.expect("a server that listens");
    let server = Server { address, tokens };
    // Checks that the server queries this store.
    let route = server.route(store.name, "/guarded");
    assert_eq!(client::status(&route, &ended).await, 401, "{}", store.name);
    server
}
