//! Custom claims in a type of the application, and permissions that check them.
//!
//! Run it with `cargo run --example custom_claims_and_permissions`.

#[macro_use]
extern crate rocket;

use rocket::http::Status;
use rocket::serde::{Deserialize, Serialize};
use rocket_jwt_extended::{AccessToken, Claims, Jwt, Permission, Require, Token};

#[derive(Serialize, Deserialize)]
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
    groups: Vec<String>,
}

/// The user may write.
struct Writer;

impl Permission for Writer {
    type Claims = Profile;

    fn permits(token: &Token<Profile>) -> bool {
        matches!(token.claims.role, Role::Editor | Role::Admin)
    }
}

/// The user belongs to the staff.
struct Staff;

impl Permission for Staff {
    type Claims = Profile;

    fn permits(token: &Token<Profile>) -> bool {
        token.claims.groups.iter().any(|group| group == "staff")
    }
}

/// A type alias for the requirements of a route.
type Editor = Require<Writer, AccessToken<Profile>>;
type StaffEditor = Require<Staff, Editor>;

/// There is no password check, since the example is about the steps after it.
#[post("/login/<name>")]
fn login(jwt: &Jwt, name: &str) -> Result<String, Status> {
    let (role, groups) = match name {
        "ada" => (Role::Admin, vec!["staff".into(), "pioneers".into()]),
        "grace" => (Role::Editor, vec![]),
        "alan" => (Role::Reader, vec!["staff".into()]),
        _ => return Err(Status::Unauthorized),
    };
    Ok(jwt.access_token(name).claims(&Profile { role, groups }).encode()?)
}

#[get("/article")]
fn read(token: AccessToken<Profile>) -> String {
    format!("an article for {}", token.claims.groups.join(" and "))
}

#[post("/article")]
fn write(editor: Editor) -> String {
    format!("written by {}", editor.identity())
}

#[delete("/article")]
fn delete(editor: StaffEditor) -> String {
    format!("deleted by {}", editor.identity())
}

/// Shows all claims of a token unchanged.
#[get("/claims")]
fn claims(token: AccessToken<Claims>) -> String {
    token.claims.keys().cloned().collect::<Vec<_>>().join(" ")
}

#[launch]
fn rocket() -> _ {
    rocket::build().attach(Jwt::fairing()).mount("/", routes![login, read, write, delete, claims])
}

#[cfg(test)]
mod tests {
    use rocket::http::Method;
    use rocket::local::blocking::Client;
    use rocket_jwt_extended::testing::Bearer;

    use super::*;

    struct Site(Client);

    impl Site {
        fn new() -> Self {
            Self(Client::untracked(rocket()).expect("the example launches"))
        }

        fn token(&self, name: &str) -> String {
            self.0.post(format!("/login/{name}")).dispatch().into_string().unwrap()
        }

        fn ask(&self, method: Method, path: &'static str, token: &str) -> (u16, String) {
            let answer = self.0.req(method, path).header(Bearer(token)).dispatch();
            (answer.status().code, answer.into_string().unwrap())
        }
    }

    #[test]
    fn permissions_go_by_claims() {
        let site = Site::new();
        for (name, post, delete) in [("ada", 200, 200), ("grace", 200, 403), ("alan", 403, 403)] {
            let token = site.token(name);
            assert_eq!(site.ask(Method::Get, "/article", &token).0, 200, "{name}");
            assert_eq!(site.ask(Method::Post, "/article", &token).0, post, "{name}");
            let (status, body) = site.ask(Method::Delete, "/article", &token);
            assert_eq!(status, delete, "{name}");
            assert_eq!(body.contains("insufficient_scope"), delete == 403, "{body}");
        }
    }

    #[test]
    fn custom_claims_are_read_into_their_type() {
        let site = Site::new();
        let (_, body) = site.ask(Method::Get, "/article", &site.token("ada"));
        assert_eq!(body, "an article for staff and pioneers");
        let (_, body) = site.ask(Method::Get, "/claims", &site.token("ada"));
        assert!(body.contains("role") && body.contains("exp"), "{body}");
    }

    #[test]
    fn a_token_whose_claims_are_none_of_ours_is_invalid() {
        let site = Site::new();
        let jwt = Jwt::fetch(site.0.rocket()).unwrap();
        let odd = Claims::from_iter([("role".to_string(), "emperor".into())]);
        let token = jwt.access_token("ada").claims(&odd).encode().unwrap();
        let (status, body) = site.ask(Method::Post, "/article", &token);
        assert_eq!(status, 401);
        assert!(body.contains("token_invalid"), "{body}");
    }
}
