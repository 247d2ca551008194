//! A separate key for each tenant, so that a leaked key affects only one tenant.
//!
//! The tenant in the identity selects the key, both for issuing and for verifying. The claims that
//! the hook `verifying_key` gets are not verified yet, which is harmless: a token that is verified
//! with a tenant's key is valid only for that tenant.
//!
//! Run it with
//!
//! ```sh
//! export ROCKET_TENANTS="{analytical=\"$(openssl rand -base64 48)\"}"
//! cargo run --example key_per_tenant
//! ```

#[macro_use]
extern crate rocket;

use std::collections::HashMap;
use std::sync::Arc;

use rocket::figment::Figment;
use rocket::http::Status;
use rocket::{Build, Rocket};
use rocket_jwt_extended::jsonwebtoken::Algorithm::HS256;
use rocket_jwt_extended::{AccessToken, Error, Jwt, SigningKey, VerifyingKey};

/// The keys by tenant.
struct Keys(HashMap<String, (SigningKey, VerifyingKey)>);

impl Keys {
    fn new(secrets: HashMap<String, String>) -> Result<Self, Error> {
        let mut keys = HashMap::new();
        for (tenant, secret) in secrets {
            let signing = SigningKey::from_secret(HS256, secret.as_bytes())?;
            let verifying = VerifyingKey::from_secret(HS256, secret.as_bytes())?;
            keys.insert(tenant, (signing, verifying));
        }
        Ok(Self(keys))
    }

    /// The keys for an identity such as `ada@analytical`.
    fn of(&self, identity: &str) -> Option<&(SigningKey, VerifyingKey)> {
        let (_, tenant) = identity.rsplit_once('@')?;
        self.0.get(tenant)
    }
}

/// There is no password check, since the example is about the steps after it.
#[post("/login", data = "<identity>")]
fn login(jwt: &Jwt, identity: &str) -> Result<String, Status> {
    match jwt.access_token(identity).encode() {
        // There is no such tenant, and `[default.jwt]` contains no default key.
        Err(Error::NoSigningKey) => Err(Status::NotFound),
        token => Ok(token?),
    }
}

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

fn application(figment: Figment) -> Rocket<Build> {
    let secrets = figment.extract_inner("tenants").expect("`tenants` is a table of secrets");
    let signing = Arc::new(Keys::new(secrets).expect("every secret is good enough"));
    let verifying = signing.clone();
    let fairing = Jwt::fairing()
        .signing_key(move |identity| Some(signing.of(identity)?.0.clone()))
        .verifying_key(move |_header, unverified| {
            let identity = unverified.get("sub")?.as_str()?;
            Some(verifying.of(identity)?.1.clone())
        });
    rocket::custom(figment).attach(fairing).mount("/", routes![login, me])
}

#[launch]
fn rocket() -> _ {
    application(rocket::Config::figment())
}

#[cfg(test)]
mod tests {
    use rocket::local::blocking::Client;
    use rocket_jwt_extended::testing::Bearer;

    use super::*;

    fn client(secrets: &[(&str, &str)]) -> Client {
        let secrets: HashMap<_, _> = secrets.iter().copied().collect();
        let figment = rocket::Config::figment().merge(("tenants", secrets));
        Client::untracked(application(figment)).expect("the example launches")
    }

    fn secret() -> String {
        format!("{}{}", uuid::Uuid::new_v4(), uuid::Uuid::new_v4())
    }

    fn login(client: &Client, identity: &str) -> (u16, String) {
        let answer = client.post("/login").body(identity).dispatch();
        (answer.status().code, answer.into_string().unwrap())
    }

    fn me(client: &Client, token: &str) -> (u16, String) {
        let answer = client.get("/me").header(Bearer(token)).dispatch();
        (answer.status().code, answer.into_string().unwrap())
    }

    #[test]
    fn every_tenant_has_its_key() {
        let client = client(&[("analytical", &secret()), ("difference", &secret())]);
        for identity in ["ada@analytical", "charles@difference"] {
            let (_, token) = login(&client, identity);
            assert_eq!(me(&client, &token), (200, identity.to_string()));
        }
        assert_eq!(login(&client, "ada@nowhere").0, 404);
        assert_eq!(login(&client, "ada").0, 404);
    }

    #[test]
    fn a_leaked_key_opens_one_tenants_doors_only() {
        let leaked = secret();
        let ours = client(&[("analytical", &secret()), ("difference", &leaked)]);
        let thief = client(&[("analytical", &leaked), ("difference", &leaked)]);
        let (_, token) = login(&thief, "charles@difference");
        assert_eq!(me(&ours, &token).0, 200);
        let (_, token) = login(&thief, "ada@analytical");
        let (status, body) = me(&ours, &token);
        assert!(status == 401 && body.contains("Signature verification failed"), "{body}");
    }
}
