//! Roles in tokens, and how to change them: a refresh reads the role again, and removing a role
//! ends the user's sessions.
//!
//! Run it with `cargo run --example changing_roles`.

#[macro_use]
extern crate rocket;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rocket::http::Status;
use rocket::serde::{Deserialize, Serialize};
use rocket::{Build, Rocket, State};
use rocket_jwt_extended::{
    AccessToken, Error, Jwt, Permission, RefreshToken, Rejection, Require, Token, TokenPair,
};

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, PartialOrd, FromFormField)]
#[serde(crate = "rocket::serde", rename_all = "lowercase")]
enum Role {
    Reader,
    Editor,
    Admin,
}

#[derive(Serialize, Deserialize)]
#[serde(crate = "rocket::serde")]
struct Profile {
    role: Role,
}

struct Admin;

impl Permission for Admin {
    type Claims = Profile;

    fn permits(token: &Token<Profile>) -> bool {
        token.claims.role == Role::Admin
    }
}

/// A placeholder for a table of users.
struct Users(Mutex<HashMap<String, Role>>);

impl Users {
    async fn profile(&self, name: &str) -> Option<Profile> {
        let roles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        roles.get(name).map(|&role| Profile { role })
    }

    /// Returns the previous role of the user.
    async fn set_role(&self, name: &str, role: Role) -> Option<Role> {
        let mut roles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        roles.get_mut(name).map(|old| std::mem::replace(old, role))
    }
}

/// There is no password check, since the example is about the steps after it.
#[post("/login", data = "<name>")]
async fn login(jwt: &Jwt, users: &State<Users>, name: &str) -> Result<TokenPair, Status> {
    let profile = users.profile(name).await.ok_or(Status::Unauthorized)?;
    Ok(jwt.token_pair(name).claims(&profile).issue()?)
}

/// Reads the role again: without `.claims()`, the new pair would have the role of the login.
///
/// It does not read the old token's claims, so that tokens from before a change of `Profile` still
/// work.
#[post("/refresh")]
async fn refresh(
    jwt: &Jwt,
    users: &State<Users>,
    token: RefreshToken,
) -> Result<TokenPair, Result<Status, Rejection>> {
    let profile = users.profile(token.identity()).await.ok_or(Ok(Status::Unauthorized))?;
    jwt.rotate(token).claims(&profile).await.map_err(Err)
}

#[get("/me")]
fn me(token: AccessToken<Profile>) -> &'static str {
    match token.claims.role {
        Role::Reader => "reader",
        Role::Editor => "editor",
        Role::Admin => "admin",
    }
}

#[put("/users/<name>/role?<role>")]
async fn set_role(
    jwt: &Jwt,
    users: &State<Users>,
    _admin: Require<Admin>,
    name: &str,
    role: Role,
) -> Result<Status, Result<Status, Error>> {
    let old = users.set_role(name, role).await.ok_or(Ok(Status::NotFound))?;
    // Issued tokens still have the old role. A higher role can wait for the next refresh. A lower
    // role cannot, so the user has to log in again. The table is changed first, so that a refresh
    // that has read the old role meanwhile is refused. An unchanged role also ends the sessions,
    // since this route may be called again after a 503.
    if role <= old {
        jwt.revoke_all(name).await.map_err(Err)?;
    }
    Ok(Status::NoContent)
}

fn application() -> Rocket<Build> {
    // Without a longest lifetime, the entry that ends a user's sessions would never expire.
    let figment = rocket::Config::figment().merge(("jwt.max_token_lifetime", "30d"));
    let roles = [("ada", Role::Admin), ("alan", Role::Editor)];
    let users = Users(Mutex::new(roles.map(|(name, role)| (name.into(), role)).into()));
    rocket::custom(figment)
        .attach(Jwt::fairing())
        .manage(users)
        .mount("/", routes![login, refresh, me, set_role])
}

#[launch]
fn rocket() -> _ {
    application()
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use rocket::http::Method;
    use rocket::local::blocking::{Client, LocalResponse};
    use rocket::serde::json::Value;
    use rocket_jwt_extended::testing::Bearer;

    use super::*;

    struct Api(Client);

    impl Api {
        fn new() -> Self {
            Self(Client::untracked(application()).expect("the example launches"))
        }

        /// An access and a refresh token.
        fn pair(answer: LocalResponse<'_>) -> [String; 2] {
            let pair: Value = answer.into_json().unwrap();
            ["access_token", "refresh_token"].map(|key| pair[key].as_str().unwrap().into())
        }

        fn login(&self, name: &'static str) -> [String; 2] {
            Self::pair(self.0.post("/login").body(name).dispatch())
        }

        fn ask(&self, method: Method, path: &'static str, token: &str) -> LocalResponse<'_> {
            self.0.req(method, path).header(Bearer(token)).dispatch()
        }

        fn role(&self, token: &str) -> String {
            self.ask(Method::Get, "/me", token).into_string().unwrap()
        }
    }

    #[test]
    fn a_refresh_gives_the_higher_role_without_a_login() {
        let api = Api::new();
        let ([admin, _], [access, refresh]) = (api.login("ada"), api.login("alan"));
        let answer = api.ask(Method::Put, "/users/alan/role?role=admin", &admin);
        assert_eq!(answer.status(), Status::NoContent);
        assert_eq!(api.role(&access), "editor");
        let [access, refresh] = Api::pair(api.ask(Method::Post, "/refresh", &refresh));
        assert_eq!(api.role(&access), "admin");
        let [access, _] = Api::pair(api.ask(Method::Post, "/refresh", &refresh));
        assert_eq!(api.role(&access), "admin");
    }

    #[test]
    fn a_lower_role_ends_the_users_sessions_at_once() {
        let api = Api::new();
        let ([admin, _], [access, refresh]) = (api.login("ada"), api.login("alan"));
        let answer = api.ask(Method::Put, "/users/alan/role?role=reader", &admin);
        assert_eq!(answer.status(), Status::NoContent);
        assert!(api.role(&access).contains("token_revoked"));
        let answer = api.ask(Method::Post, "/refresh", &refresh);
        assert!(answer.into_string().unwrap().contains("token_revoked"));
        let [access, _] = api.login("alan");
        assert_eq!(api.role(&access), "reader");
        assert_eq!(api.role(&admin), "admin");
    }

    #[test]
    fn a_change_that_is_repeated_ends_the_sessions() {
        let api = Api::new();
        let ([admin, _], [access, _]) = (api.login("ada"), api.login("alan"));
        api.ask(Method::Put, "/users/alan/role?role=editor", &admin);
        assert!(api.role(&access).contains("token_revoked"));
    }

    #[test]
    fn only_an_admin_changes_roles() {
        let api = Api::new();
        let ([admin, _], [access, _]) = (api.login("ada"), api.login("alan"));
        let answer = api.ask(Method::Put, "/users/alan/role?role=admin", &access);
        assert_eq!(answer.status(), Status::Forbidden);
        assert_eq!(api.role(&access), "editor");
        let answer = api.ask(Method::Put, "/users/nobody/role?role=admin", &admin);
        assert_eq!(answer.status(), Status::NotFound);
    }
}
