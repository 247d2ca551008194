//! The secret, the tokens, and the requests that contain them.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use peer::{Claims, USER};
use uuid::Uuid;

/// The header as this crate, PyJWT and fast-jwt write it.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const HOUR: u64 = 3600;

pub struct Issuer {
    secret: String,
}

impl Issuer {
    /// The secret has 64 random characters: one block of the hash, since a longer secret would be
    /// hashed for each token.
    pub fn new() -> Self {
        Self { secret: format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()) }
    }

    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// A token that is valid for longer than any run.
    pub fn token(&self) -> Result<String> {
        let now = now();
        self.sign(now, now + 4 * HOUR)
    }

    /// A token that expired an hour ago, which is more than any leeway.
    pub fn expired(&self) -> Result<String> {
        let now = now();
        self.sign(now - 2 * HOUR, now - HOUR)
    }

    fn sign(&self, iat: u64, exp: u64) -> Result<String> {
        let claims = Claims {
            sub: USER.into(),
            iat,
            jti: Uuid::now_v7().to_string(),
            kind: "access".into(),
            fresh: true,
            csrf: Uuid::new_v4().to_string(),
            exp,
            role: "admin".into(),
        };
        let [header, payload] = [HEADER.into(), serde_json::to_string(&claims)?]
            .map(|json: String| BASE64_URL_SAFE_NO_PAD.encode(json));
        let signed = format!("{header}.{payload}");
        let key = EncodingKey::from_secret(self.secret.as_bytes())?;
        let signature = crypto::sign(signed.as_bytes(), &key, Algorithm::HS256)?;
        Ok(format!("{signed}.{signature}"))
    }
}

/// A token with another signature of the same length.
pub fn tampered(token: &str) -> String {
    let middle = token.len() - 20;
    let other = if &token[middle..=middle] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &token[..middle], &token[middle + 1..])
}

/// The request that a client with a token sends.
pub fn request(path: &str, token: Option<&str>) -> Vec<u8> {
    let mut text = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n");
    if let Some(token) = token {
        text += &format!("Authorization: Bearer {token}\r\n");
    }
    (text + "\r\n").into_bytes()
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock past 1970").as_secs()
}
