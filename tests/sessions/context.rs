//! What an event tells of the request that it happened in.

use rocket::http::Header;
use rocket::local::blocking::{Client, LocalRequest};
use rocket_jwt_extended::{
    AccessToken, AnyToken, Error, Event, Fresh, Jwt, RefreshToken, Rejection, RequestContext,
    TokenPair,
};

use crate::support::ask::*;
use crate::support::site::{Log, ON, Store, run};
use crate::support::*;

#[get("/things/<_id>?<_page>")]
fn thing(_id: &str, _page: Option<&str>, token: AccessToken) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[get("/look")]
fn look(token: RefreshToken) -> String {
    token.identity().into()
}

#[post("/login")]
async fn login(jwt: &Jwt, request: RequestContext) -> Result<TokenPair, Error> {
    jwt.token_pair("ada").request(&request).begin().await
}

#[post("/access")]
fn access(jwt: &Jwt, token: RefreshToken, request: RequestContext) -> Result<String, Error> {
    jwt.access_token(token.identity()).session(&token).request(&request).encode()
}

#[delete("/token")]
async fn forget(jwt: &Jwt, token: AnyToken) -> Result<(), Error> {
    jwt.revoke(&token).await
}

#[delete("/guarded")]
async fn forget_fresh(jwt: &Jwt, token: Fresh) -> Result<(), Error> {
    jwt.revoke(&*token).await
}

#[post("/logout")]
async fn logout(jwt: &Jwt, token: AnyToken) -> Result<(), Error> {
    jwt.revoke_session(&token).await
}

#[post("/others")]
async fn others(jwt: &Jwt, token: AnyToken) -> Result<String, Error> {
    jwt.end_other_sessions(&token).await.map(|count| count.to_string())
}

#[post("/everywhere")]
async fn everywhere(jwt: &Jwt, token: AnyToken) -> Result<(), Error> {
    jwt.revoke_all(token.identity()).await
}

struct Site {
    client: Client,
    clock: ManualClock,
    log: Log,
}

const TOML: &str = "token_location = [\"headers\", \"cookies\", \"query_string\"]\n\
                    implicit_refresh_within = \"14m\"\n";

impl Site {
    fn new(toml: &str) -> Self {
        crate::support::log::install();
        let (clock, log) = (clock_at_start(), Log::default());
        let sink = log.clone();
        let fairing = Jwt::fairing()
            .clock(clock.clone())
            .blocklist(Store::default())
            .on_event(move |event| sink.lock().unwrap().push(event.clone()));
        let inner = routes![
            thing,
            refresh,
            look,
            login,
            access,
            forget,
            forget_fresh,
            logout,
            others,
            everywhere
        ];
        let app = app(&format!("{TOML}{toml}"), fairing, vec![]).mount("/api", inner);
        Self { client: Client::untracked(app).unwrap(), clock, log }
    }

    /// Sends a request, and returns what each event tells of it: route, or `None` without a request.
    fn told<'c>(&self, request: LocalRequest<'c>, token: &str) -> Vec<(&'static str, String)> {
        self.log.lock().unwrap().clear();
        let request = request
            .remote("192.0.2.7:4711".parse().unwrap())
            .header(Header::new("User-Agent", "Firefox"));
        match token {
            "" => request.dispatch(),
            token => request.header(Bearer(token)).dispatch(),
        };
        let events = std::mem::take(&mut *self.log.lock().unwrap());
        events.iter().map(|event| (kind(event), shown(event))).collect()
    }

    fn login(&self) -> [String; 2] {
        pair(self.client.post("/api/login").dispatch())
    }
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::Issued { .. } => "issued",
        Event::Refused { .. } => "refused",
        Event::Revoked { .. } => "revoked",
        Event::SessionBegan { .. } => "began",
        Event::SessionEnded { .. } => "ended",
        Event::Repeated { .. } => "repeated",
        Event::ReuseDetected { .. } => "reuse",
        _ => "other",
    }
}

fn shown(event: &Event) -> String {
    let Some(request) = event.request() else { return "no request".into() };
    assert_eq!(request.remote().unwrap().to_string(), "192.0.2.7");
    assert_eq!(request.user_agent(), Some("Firefox"));
    format!("{} {}", request.method(), request.route().unwrap_or("no route"))
}

fn of(events: &[&'static str], request: &str) -> Vec<(&'static str, String)> {
    events.iter().map(|event| (*event, request.to_string())).collect()
}

#[test]
fn a_refusal_tells_the_route_as_it_is_mounted() {
    let site = Site::new("");
    let route = "GET /api/things/<_id>";
    let get = || site.client.get("/api/things/17?_page=3");
    assert_eq!(site.told(get(), ""), of(&["refused"], route));
    assert_eq!(site.told(get(), "nonsense"), of(&["refused"], route));
    let token = jwt(&site.client).access_token("ada").encode().unwrap();
    assert_eq!(site.told(get(), &token), []);
    site.clock.set(unix(START + 900));
    assert_eq!(site.told(get(), &token), of(&["refused"], route));
}

#[test]
fn what_is_done_with_an_accepted_token_tells_its_request() {
    let site = Site::new("sessions = true\n");
    let [access, refresh] = site.login();
    let post = |path: &str| site.client.post(format!("/api/{path}"));
    let issued = of(&["issued"; 2], "POST /api/refresh");
    assert_eq!(site.told(post("refresh"), &refresh), issued);
    assert_eq!(site.told(post("refresh"), &refresh), of(&["repeated"], "POST /api/refresh"));
    site.login();
    assert_eq!(site.told(post("others"), &access), of(&["ended"], "POST /api/others"));
    let [token, _] = site.login();
    let forget = site.client.delete("/api/token");
    assert_eq!(site.told(forget, &token), of(&["revoked"], "DELETE /api/token"));
    let pair = run(jwt(&site.client).token_pair("ada").fresh().begin()).unwrap();
    let forget = site.client.delete("/api/guarded");
    let told = site.told(forget, pair.access_token());
    assert_eq!(told, of(&["revoked"], "DELETE /api/guarded"));
    assert_eq!(site.told(post("logout"), &access), of(&["revoked"], "POST /api/logout"));
}

#[test]
fn theft_tells_the_request_that_showed_it() {
    for path in ["refresh", "look"] {
        let site = Site::new("rotation_grace = 0\n");
        let token = jwt(&site.client).refresh_token("ada").encode().unwrap();
        site.told(site.client.post("/api/refresh"), &token);
        let (request, route) = match path {
            "refresh" => (site.client.post("/api/refresh"), "POST /api/refresh"),
            _ => (site.client.get("/api/look"), "GET /api/look"),
        };
        let told = site.told(request, &token);
        assert_eq!(told, of(&["revoked", "reuse", "refused"], route));
    }
}

#[test]
fn a_login_tells_its_request_if_the_route_gives_it() {
    let site = Site::new(ON.split_once('\n').unwrap().0);
    let told = site.told(site.client.post("/api/login"), "");
    assert_eq!(told, of(&["began", "issued", "issued"], "POST /api/login"));
    let [_, refresh] = site.login();
    let told = site.told(site.client.post("/api/access"), &refresh);
    assert_eq!(told, of(&["issued"], "POST /api/access"));
}

#[test]
fn a_renewal_tells_the_request_that_it_answers() {
    let site = Site::new("");
    let token = jwt(&site.client).access_token("ada").encode().unwrap();
    site.clock.set(unix(START + 600));
    let told = site.told(by_cookie(site.client.get("/api/things/17"), &token), "");
    assert_eq!(told, of(&["issued"], "GET /api/things/<_id>"));
}

#[test]
fn what_has_no_token_of_a_request_tells_none() {
    let site = Site::new("");
    let manager = jwt(&site.client);
    let token = manager.access_token("ada").encode().unwrap();
    let events = || std::mem::take(&mut *site.log.lock().unwrap());
    run(manager.verify::<RefreshToken>(&token)).unwrap_err();
    let accepted = run(manager.verify::<AccessToken>(&token)).unwrap();
    run(manager.revoke_session(&accepted)).unwrap();
    run(manager.revoke_all("ada")).unwrap();
    let told: Vec<_> = events().iter().map(|event| (kind(event), shown(event))).collect();
    assert_eq!(told, of(&["issued", "refused", "revoked", "revoked"], "no request"));
    let other = manager.access_token("ada").encode().unwrap();
    // An identity is no token, so the route would have to tell it.
    let told = site.told(site.client.post("/api/everywhere"), &other);
    assert_eq!(told, of(&["revoked"], "no request"));
}

#[test]
fn neither_path_nor_query_string_is_told() {
    let site = Site::new("");
    let token = jwt(&site.client).access_token("ada").encode().unwrap();
    site.clock.set(unix(START + 900));
    site.client.get(format!("/api/things/secret-id?_page=secret-page&jwt={token}")).dispatch();
    let events = site.log.lock().unwrap();
    let refused = events.last().unwrap();
    assert_eq!(kind(refused), "refused");
    let shown = format!("{refused:?} {:?}", refused.request());
    assert!(shown.contains("/api/things/<_id>"), "{shown}");
    for hidden in ["secret", token.as_str(), "_page"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[test]
fn the_address_is_the_one_that_rocket_determines() {
    let site = Site::new("");
    let request = site.client.get("/api/things/17").remote("192.0.2.7:4711".parse().unwrap());
    request.header(Header::new("X-Real-IP", "198.51.100.9")).dispatch();
    site.client.get("/api/things/17").dispatch();
    let events = site.log.lock().unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let request = event.request().unwrap();
            (request.remote().map(|ip| ip.to_string()), request.user_agent())
        })
        .collect();
    assert_eq!(told, [(Some("198.51.100.9".to_string()), None), (None, None)]);
}
