//! A guard that loads the application's user, since the user may have been deleted after the token
//! was issued.
//!
//! Here the users are in memory. `LoadUser::load` gets the request, so it can get a database
//! connection with `request.guard::<Connection<Db>>().await`, as any guard can.
//!
//! Run it with `cargo run --example user_loading`.

#[macro_use]
extern crate rocket;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::RwLock;

use rocket::{Request, State};
use rocket_jwt_extended::{CurrentUser, Error, Fresh, Identity, Jwt, LoadUser, NoClaims, Token};

#[derive(Clone)]
struct User {
    id: u64,
    name: String,
}

/// The user to whom a token is issued. The name is not in the token, since it may change.
impl Identity for User {
    fn identity(&self) -> Cow<'_, str> {
        self.id.to_string().into()
    }
}

#[derive(Default)]
struct Users(RwLock<BTreeMap<u64, User>>);

/// The user table is unavailable: the response is 503, never "no such user".
#[derive(Debug)]
struct Unreachable;

impl Users {
    fn find(&self, id: u64) -> Result<Option<User>, Unreachable> {
        Ok(self.0.read().map_err(|_| Unreachable)?.get(&id).cloned())
    }

    fn remove(&self, id: u64) -> Result<(), Unreachable> {
        self.0.write().map_err(|_| Unreachable)?.remove(&id);
        Ok(())
    }
}

#[rocket::async_trait]
impl LoadUser for User {
    type Claims = NoClaims;
    type Error = Unreachable;

    async fn load(
        token: &Token<NoClaims>,
        request: &Request<'_>,
    ) -> Result<Option<Self>, Unreachable> {
        let users: &Users = request.rocket().state().ok_or(Unreachable)?;
        match token.parse_identity() {
            Ok(id) => users.find(id),
            Err(_) => Ok(None),
        }
    }
}

/// There is no password check, since the example is about the steps after it.
#[post("/login/<id>")]
fn login(jwt: &Jwt, users: &State<Users>, id: u64) -> Option<Result<String, Error>> {
    let user = users.find(id).ok()??;
    Some(jwt.access_token(&user).fresh().encode())
}

#[get("/me")]
fn me(user: CurrentUser<User>) -> String {
    format!("{} is number {}", user.name, user.id)
}

/// Guards nest: this loads the user if the token is fresh.
#[delete("/me")]
fn delete_account(user: Fresh<CurrentUser<User>>, users: &State<Users>) -> Option<String> {
    users.remove(user.id).ok()?;
    Some(format!("farewell, {}", user.name))
}

#[launch]
fn rocket() -> _ {
    let ada = User { id: 1, name: "Ada".into() };
    rocket::build()
        .manage(Users(RwLock::new(BTreeMap::from([(ada.id, ada)]))))
        .attach(Jwt::fairing())
        .mount("/", routes![login, me, delete_account])
}

#[cfg(test)]
mod tests {
    use rocket::http::Method;
    use rocket::local::blocking::Client;
    use rocket_jwt_extended::testing::Bearer;

    use super::*;

    fn ask(client: &Client, method: Method, token: &str) -> (u16, String) {
        let answer = client.req(method, "/me").header(Bearer(token)).dispatch();
        (answer.status().code, answer.into_string().unwrap())
    }

    #[test]
    fn a_user_is_loaded_until_there_is_none() {
        let client = Client::untracked(rocket()).expect("the example launches");
        let token = client.post("/login/1").dispatch().into_string().unwrap();
        assert_eq!(ask(&client, Method::Get, &token), (200, "Ada is number 1".into()));
        assert_eq!(ask(&client, Method::Delete, &token), (200, "farewell, Ada".into()));

        let (status, body) = ask(&client, Method::Get, &token);
        assert_eq!(status, 401);
        assert!(body.contains("user_not_found"), "{body}");
        assert_eq!(client.post("/login/1").dispatch().status().code, 404);
    }

    #[test]
    fn a_token_that_is_not_fresh_deletes_nothing() {
        let client = Client::untracked(rocket()).expect("the example launches");
        let jwt = Jwt::fetch(client.rocket()).unwrap();
        let token = jwt.access_token(1_u64).encode().unwrap();
        assert_eq!(ask(&client, Method::Delete, &token).0, 401);
        assert_eq!(ask(&client, Method::Get, &token).0, 200);
    }

    #[test]
    fn an_identity_of_another_kind_is_nobody() {
        let client = Client::untracked(rocket()).expect("the example launches");
        let jwt = Jwt::fetch(client.rocket()).unwrap();
        let token = jwt.access_token("ada").encode().unwrap();
        let (status, body) = ask(&client, Method::Get, &token);
        assert_eq!(status, 401);
        assert!(body.contains("user_not_found"), "{body}");
    }
}
