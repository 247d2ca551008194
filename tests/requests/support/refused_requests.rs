//! An application in which a request can be refused for every reason there is, and a request for
//! each.

use crate::support::common::*;
use crate::support::store_stub::{Answer, Call, StoreStub};
use crate::support::users::{Admin, Profile, User};
use crate::support::*;
use rocket::http::{Cookie, Header, Method};
use rocket::local::blocking::{Client, LocalRequest};
use rocket::{Build, Rocket, Route};
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{
    AccessToken, CurrentUser, Fresh, Jwt, JwtFairing, RefreshToken, Rejection, Require, Standing,
    TokenPair, VerifyingKey, rocket,
};
use serde_json::{Value, json};

#[get("/access")]
fn access_route(token: AccessToken) -> String {
    token.identity().into()
}
#[post("/access")]
fn unsafe_route(token: AccessToken) -> String {
    token.identity().into()
}
#[get("/refresh")]
fn refresh_route(token: RefreshToken) -> String {
    token.identity().into()
}
#[get("/fresh")]
fn fresh_route(token: Fresh) -> String {
    token.identity().into()
}
#[get("/user")]
fn user_route(user: CurrentUser<User>) -> String {
    user.name.clone()
}
#[get("/profile")]
fn profile_route(token: AccessToken<Profile>) -> String {
    token.claims.role.clone()
}
#[get("/admin")]
fn admin_route(token: Require<Admin, AccessToken<Profile>>) -> String {
    token.identity().into()
}
#[get("/rotate")]
async fn rotate_route(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

pub fn routes() -> Vec<Route> {
    routes![
        access_route,
        unsafe_route,
        refresh_route,
        fresh_route,
        user_route,
        profile_route,
        admin_route,
        rotate_route
    ]
}

/// A store in which tokens stand as their `jti` says.
fn by_name() -> StoreStub {
    StoreStub::new(|call| match call {
        Call::Standing(ids) => match ids.jti() {
            Some("revoked") => Answer::Standing(Standing::Revoked),
            Some("unreachable") => Answer::Fail("no connection"),
            _ => Answer::Standing(Standing::Live),
        },
        _ => Answer::FromMemory,
    })
}

/// It verifies only, by a hook that knows one key but not for the key id `unknown`.
pub fn fairing() -> JwtFairing {
    Jwt::fairing()
        .clock(clock_at_start())
        .blocklist(by_name())
        .verifying_key(|header, _| match header.kid.as_deref() {
            Some("unknown") => None,
            _ => VerifyingKey::from_secret(Algorithm::HS256, secret().as_bytes()).ok(),
        })
        .verify_claims(|token| token.claims.get("bad").is_none())
}

/// Such an application with `toml`, without its routes.
pub fn bare(toml: &str, fairing: JwtFairing) -> Rocket<Build> {
    let places = "token_location = [\"headers\", \"cookies\", \"query_string\"]";
    let own = "decode_audience = \"me\"\ndecode_issuer = \"us\"\nmax_token_length = 2048";
    rocket::custom(raw_figment(&format!("[default.jwt]\n{places}\n{own}\n{toml}"))).attach(fairing)
}

/// A request, and how it is refused.
pub struct Case {
    pub name: &'static str,
    method: Method,
    pub uri: String,
    headers: Vec<Header<'static>>,
    cookies: Vec<Cookie<'static>>,
    /// `None` is `invalid_token_status`.
    pub status: Option<u16>,
    pub code: &'static str,
    pub text: &'static str,
    /// What follows the scheme in the challenge.
    pub challenge: Option<&'static str>,
    pub hint: bool,
}

impl Case {
    pub fn send<'c>(&self, client: &'c Client, base: &str) -> LocalRequest<'c> {
        let mut request = client.req(self.method, format!("{base}{}", self.uri));
        self.headers.iter().for_each(|header| request.add_header(header.clone()));
        self.cookies.iter().fold(request, |request, cookie| request.cookie(cookie.clone()))
    }

    pub fn body(&self, key: &str) -> Value {
        let mut body = json!({key: self.text, "code": self.code});
        if self.hint {
            body["hint"] = "send the value of the cookie `csrf_access_token` in the header \
                            `X-CSRF-TOKEN`"
                .into();
        }
        body
    }

    fn header(mut self, header: impl Into<Header<'static>>) -> Self {
        self.headers.push(header.into());
        self
    }

    fn cookie(mut self, token: &str) -> Self {
        (self.method, self.hint) = (Method::Post, true);
        self.cookies.push(in_cookie(token));
        self
    }
}

/// Claims that this application accepts, with changes.
pub fn claimed(changes: Value) -> Value {
    let mut claims = with(json!({"aud": "me", "iss": "us", "role": "cook"}));
    changes.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
    claims
}

fn token(changes: Value) -> String {
    sign(&claimed(changes))
}

fn lacking(name: &str) -> String {
    let mut claims = claimed(json!({}));
    claims.as_object_mut().unwrap().remove(name);
    sign(&claims)
}

fn headed(header: &str) -> String {
    sign_text(header, &claimed(json!({})).to_string())
}

pub fn cases() -> Vec<Case> {
    use Challenge::{Invalid, No, Plain, Scope};
    let other_site = Header::new("X-CSRF-TOKEN", "not-the-value");
    let good = || token(json!({}));
    let missing = "Missing JWT in headers, cookies or query_string (Missing Authorization Header; \
                   Missing cookie \"access_token_cookie\"; Missing 'jwt' query parameter)";
    let bad = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'";
    let alg = "The specified alg value is not allowed";
    let (two, few) = ("More than one token was sent", "Not enough segments");
    let unknown = r#"{"alg":"HS256","kid":"unknown"}"#;
    let crit = r#"{"alg":"HS256","crit":["exp"]}"#;
    let expired = token(json!({"exp": START - 1}));
    let forged = format!("{}.{}", good().rsplit_once('.').unwrap().0, "A".repeat(43));
    let long = format!("{}{}", good(), "A".repeat(2048));
    let by_header = |uri: &str, token: String, status, code, text, challenge: Challenge| {
        case("", uri, status, code, text, challenge).header(Bearer(&token))
    };
    let bearing = |name, uri, token, status, code, text, challenge| Case {
        name,
        ..by_header(uri, token, status, code, text, challenge)
    };
    let invalid =
        |name, token, text| bearing(name, "/access", token, None, "token_invalid", text, Invalid);
    vec![
        case("nothing", "/access", Some(401), "token_missing", missing, Plain),
        case("csrf missing", "/access", Some(401), "csrf_missing", "Missing CSRF token", Plain)
            .cookie(&good()),
        case(
            "csrf wrong",
            "/access",
            Some(401),
            "csrf_mismatch",
            "CSRF double submit tokens do not match",
            Plain,
        )
        .cookie(&good())
        .header(other_site),
        case("two tokens", "/access", None, "token_invalid", two, Invalid)
            .header(Bearer(&good()))
            .header(Bearer(&good())),
        case("misplaced", "/access", None, "token_invalid", bad, Invalid)
            .header(Header::new("Authorization", format!("Bearer {} x", good()))),
        case("in the query", "/access?jwt=x", None, "token_invalid", few, Invalid),
        invalid("too long", long, "Token is too long"),
        invalid("few parts", "x".into(), few),
        invalid("many parts", "a.b.c.d".into(), "Too many segments"),
        invalid("bad header", format!("!{}", good()), "Invalid header padding"),
        invalid("header no JSON", headed("x"), "Invalid header string"),
        invalid("critical", headed(crit), "Unsupported critical extension"),
        invalid("no algorithm", headed("{}"), "Algorithm not specified"),
        invalid("alg none", headed(r#"{"alg":"none"}"#), alg),
        invalid("alg of another key", headed(r#"{"alg":"HS512"}"#), alg),
        invalid("unknown key", headed(unknown), "No key for this token"),
        invalid("forged", forged, "Signature verification failed"),
        invalid("payload no JSON", sign_text(r#"{"alg":"HS256"}"#, "x"), "Invalid payload string"),
        invalid(
            "exp no number",
            token(json!({"exp": "x"})),
            "Expiration Time claim (exp) must be an integer.",
        ),
        invalid(
            "iat to come",
            token(json!({"iat": START + 1})),
            "The token is not yet valid (iat)",
        ),
        invalid(
            "nbf to come",
            token(json!({"nbf": START + 1})),
            "The token is not yet valid (nbf)",
        ),
        invalid("other issuer", token(json!({"iss": "them"})), "Invalid issuer"),
        invalid("no issuer", lacking("iss"), "Token is missing the \"iss\" claim"),
        invalid("other audience", token(json!({"aud": "you"})), "Audience doesn't match"),
        invalid("no audience", lacking("aud"), "Token is missing the \"aud\" claim"),
        invalid("odd subject", token(json!({"sub": 5})), "Subject must be a string"),
        invalid("no subject", lacking("sub"), "Missing claim: sub"),
        invalid("no expiry", lacking("exp"), "Missing claim: exp"),
        bearing(
            "odd claims",
            "/profile",
            token(json!({"role": 5})),
            None,
            "token_invalid",
            "Claims are not of the expected form",
            Invalid,
        ),
        bearing(
            "no access token",
            "/access",
            token(json!({"type": "refresh"})),
            None,
            "wrong_token_type",
            "Only non-refresh tokens are allowed",
            Invalid,
        ),
        bearing(
            "no refresh token",
            "/refresh",
            good(),
            None,
            "wrong_token_type",
            "Only refresh tokens are allowed",
            Invalid,
        ),
        bearing(
            "expired",
            "/access",
            expired,
            Some(401),
            "token_expired",
            "Token has expired",
            Invalid,
        ),
        bearing(
            "revoked",
            "/access",
            token(json!({"jti": "revoked"})),
            Some(401),
            "token_revoked",
            "Token has been revoked",
            Invalid,
        ),
        bearing(
            "stale",
            "/fresh",
            good(),
            Some(401),
            "fresh_token_required",
            "Fresh token required",
            Invalid,
        ),
        bearing(
            "no user",
            "/user",
            token(json!({"sub": "eve"})),
            Some(401),
            "user_not_found",
            "Error loading the user",
            Invalid,
        ),
        bearing(
            "claims rejected",
            "/access",
            token(json!({"bad": 1})),
            Some(400),
            "claims_rejected",
            "User claims verification failed",
            No,
        ),
        bearing(
            "no permission",
            "/admin",
            good(),
            Some(403),
            "insufficient_scope",
            "Insufficient scope",
            Scope,
        ),
        bearing(
            "blocklist away",
            "/access",
            token(json!({"jti": "unreachable"})),
            Some(503),
            "store_unavailable",
            "Token store is unavailable",
            No,
        ),
        bearing(
            "users away",
            "/user",
            token(json!({"sub": "down"})),
            Some(503),
            "store_unavailable",
            "Token store is unavailable",
            No,
        ),
        bearing(
            "no signing key",
            "/rotate",
            token(json!({"type": "refresh"})),
            Some(500),
            "not_issued",
            "No token could be issued",
            No,
        ),
    ]
}

enum Challenge {
    No,
    Plain,
    Invalid,
    Scope,
}

fn case(
    name: &'static str,
    uri: &str,
    status: Option<u16>,
    code: &'static str,
    text: &'static str,
    challenge: Challenge,
) -> Case {
    let challenge = match challenge {
        Challenge::No => None,
        Challenge::Plain => Some(""),
        Challenge::Invalid => Some(" error=\"invalid_token\""),
        Challenge::Scope => Some(" error=\"insufficient_scope\""),
    };
    Case {
        name,
        method: Method::Get,
        uri: uri.into(),
        headers: vec![],
        cookies: vec![],
        status,
        code,
        text,
        challenge,
        hint: false,
    }
}
