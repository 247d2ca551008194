//! The common parts of the Rust servers: their arguments, and the claims of the token.

use std::env;

use serde::{Deserialize, Serialize};

/// The identity in the token, which every route returns.
pub const USER: &str = "ada";

/// The port, and whether the route is guarded: `SERVER PORT open` or `SERVER PORT guarded`.
pub struct Start {
    pub port: u16,
    pub is_guarded: bool,
}

impl Start {
    pub fn from_args() -> Self {
        let port = env::args().nth(1).and_then(|port| port.parse().ok()).expect("a port");
        match env::args().nth(2).as_deref() {
            Some("open") => Self { port, is_guarded: false },
            Some("guarded") => Self { port, is_guarded: true },
            _ => panic!("either `open` or `guarded`"),
        }
    }
}

/// The HS256 secret, generated for each run.
pub fn secret() -> String {
    env::var("PEERS_SECRET").expect("PEERS_SECRET")
}

/// Every claim of the token.
#[derive(Clone, Serialize, Deserialize)]
pub struct Claims {
    pub sub: String,
    pub iat: u64,
    pub jti: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub fresh: bool,
    pub csrf: String,
    pub exp: u64,
    pub role: String,
}
