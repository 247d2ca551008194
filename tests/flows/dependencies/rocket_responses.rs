//! What Rocket does to answers and their cookies, and what comes of it here.

use rocket::Request;
use rocket::fairing::AdHoc;
use rocket::http::{Accept, ContentType, CookieJar, Header, Status};
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, Fresh, Jwt, Optional, Rejection};

use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/teapot")]
fn teapot() -> Status {
    Status::ImATeapot
}

#[get("/unauthorized")]
fn unauthorized() -> Status {
    Status::Unauthorized
}

#[catch(401)]
fn own(request: &Request<'_>) -> String {
    match Rejection::of(request) {
        Some(rejection) => format!("own: {rejection}"),
        None => "own: nothing of ours".into(),
    }
}

#[catch(default)]
fn own_default(status: Status, _: &Request<'_>) -> String {
    format!("default: {}", status.code)
}

#[test]
fn a_catcher_and_a_fairing_find_the_refusal_with_the_request() {
    let echo = AdHoc::on_response("echo", |request, response| {
        Box::pin(async move {
            if let Some(rejection) = Rejection::of(request) {
                response.set_raw_header("X-Refusal", rejection.code());
            }
        })
    });
    let rocket = app("", Jwt::fairing(), routes![me, unauthorized]);
    let client = Client::untracked(rocket.attach(echo).register("/", catchers![own])).unwrap();

    for (token, code, body) in [
        ("", "token_missing", "own: Missing Authorization Header"),
        ("x", "token_invalid", "own: Not enough segments"),
    ] {
        let response = get(&client, "/me", token);
        assert_eq!(response.headers().get_one("X-Refusal"), Some(code));
        // The challenge is added to the application's own answer.
        assert!(response.headers().get_one("WWW-Authenticate").unwrap().starts_with("Bearer"));
        assert_eq!((response.status().code, response.into_string().unwrap()), (401, body.into()));
    }
    let response = get(&client, "/unauthorized", "");
    assert!(!response.headers().contains("WWW-Authenticate"));
    assert_eq!(response.into_string().unwrap(), "own: nothing of ours");
}

#[test]
fn a_refusal_is_json_and_other_errors_stay_rockets_own() {
    let client = client("", Jwt::fairing(), routes![me, unauthorized, teapot]);
    let response = get(&client, "/me", "");
    assert_eq!(response.content_type(), Some(ContentType::JSON));
    for (path, status) in [("/unauthorized", 401), ("/teapot", 418), ("/nowhere", 404)] {
        let response = get(&client, path, "");
        assert_eq!(response.status().code, status);
        assert_eq!(response.content_type(), Some(ContentType::HTML), "{path}");
        let response = client.get(path).header(Accept::JSON).dispatch();
        let (_, body) = answer(response);
        assert_eq!(body["error"]["code"], status, "Rocket's own page in JSON");
    }
}

#[test]
fn an_applications_own_catchers_decide_where_there_are_any() {
    let toml = "invalid_token_status = 422";
    let rocket = app(toml, Jwt::fairing(), routes![me]).register("/", catchers![own]);
    let client = Client::untracked(rocket).unwrap();
    let body = "own: Missing Authorization Header";
    assert_eq!(get(&client, "/me", "").into_string().unwrap(), body);
    // Theirs is for 401 alone.
    assert_eq!(code(get(&client, "/me", "x")), (422, "token_invalid".into()));

    let rocket = app("", Jwt::fairing(), routes![me]).register("/", catchers![own_default]);
    let client = Client::untracked(rocket).unwrap();
    assert_eq!(get(&client, "/me", "").into_string().unwrap(), "default: 401");

    let rocket = app("", Jwt::fairing(), vec![]).mount("/in", routes![me]);
    let client = Client::untracked(rocket.register("/in", catchers![own])).unwrap();
    assert_eq!(get(&client, "/in/me", "").into_string().unwrap(), body);
}

#[test]
fn a_catcher_can_unset_cookies_which_a_guard_that_fails_can_not() {
    #[get("/guarded")]
    fn guarded(jar: &CookieJar<'_>, _first: Adds, _token: AccessToken) {
        jar.add(("of-the-route", "1"));
    }

    /// Adds a cookie on its way.
    struct Adds;

    #[rocket::async_trait]
    impl<'r> rocket::request::FromRequest<'r> for Adds {
        type Error = ();

        async fn from_request(request: &'r Request<'_>) -> rocket::request::Outcome<Self, ()> {
            request.cookies().add(("of-the-guard", "1"));
            rocket::request::Outcome::Success(Adds)
        }
    }

    #[catch(401)]
    fn unset(request: &Request<'_>) -> &'static str {
        let jwt = Jwt::fetch(request.rocket()).unwrap();
        jwt.cookies(request.cookies()).unset();
        "logged out"
    }

    let rocket = app("token_location = \"cookies\"", Jwt::fairing(), routes![guarded]);
    let client = Client::untracked(rocket.register("/", catchers![unset])).unwrap();
    let response = client.get("/guarded").cookie(("access_token_cookie", "x")).dispatch();
    let expected =
        ["access_token_cookie", "csrf_access_token", "csrf_refresh_token", "refresh_token_cookie"];
    assert_eq!(names_set(&response), expected);
}

#[test]
fn the_fairings_cookies_are_sent_though_the_jar_was_written_before() {
    // See `implicit_refresh` for all about it: here next to a cookie of the jar.
    #[get("/")]
    fn index(token: AccessToken, jar: &CookieJar<'_>) -> String {
        jar.add(("of-the-route", "1"));
        token.identity().into()
    }

    let toml = "token_location = \"cookies\"\nimplicit_refresh_within = \"5m\"";
    let (client, clock) = clocked(toml, routes![index]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    clock.set(unix(START + 800));
    let response = by_cookie(client.get("/"), &token).dispatch();
    let expected = ["access_token_cookie", "csrf_access_token", "of-the-route"];
    assert_eq!(names_set(&response), expected);
}

#[test]
fn samesite_is_what_is_configured_and_not_the_jars_own_default() {
    #[post("/login")]
    fn login(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<(), rocket_jwt_extended::Error> {
        jar.add(("of-the-route", "1"));
        jwt.cookies(jar).set_access(&jwt.access_token("ada").encode()?)
    }

    for (toml, samesite) in [
        ("", "SameSite=Lax"),
        ("cookie_samesite = \"Strict\"", "SameSite=Strict"),
        ("cookie_samesite = \"None\"\ncookie_secure = true", "SameSite=None"),
    ] {
        let client = client(toml, Jwt::fairing(), routes![login]);
        let response = post(&client, "/login", "");
        let (_, attributes) = set_cookie(&response, "of-the-route");
        assert!(attributes.contains(&"SameSite=Strict".to_string()), "the jar's default");
        for name in ["access_token_cookie", "csrf_access_token"] {
            let (_, attributes) = set_cookie(&response, name);
            assert!(attributes.contains(&samesite.to_string()), "{toml}: {attributes:?}");
        }
    }
    // Browsers drop `SameSite=None` without `Secure`.
    assert!(!launches("cookie_samesite = \"None\"\ncookie_secure = false"));
}

#[test]
fn a_refresh_cookie_of_another_path_is_unset_by_a_request_that_did_not_have_it() {
    #[post("/logout")]
    fn logout(jwt: &Jwt, jar: &CookieJar<'_>) {
        // What the jar does by itself: nothing.
        jar.remove("refresh_token_cookie");
        jwt.cookies(jar).unset();
    }

    let client = client("refresh_cookie_path = \"/refresh\"", Jwt::fairing(), routes![logout]);
    let response = post(&client, "/logout", "");
    let (value, attributes) = set_cookie(&response, "refresh_token_cookie");
    assert_eq!(value, "");
    for expected in ["Path=/refresh", "Max-Age=0", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"] {
        assert!(attributes.contains(&expected.to_string()), "{attributes:?}");
    }
}

/// **Not to be imitated**: it lets everybody in.
#[get("/option")]
fn option(token: Option<AccessToken>) -> &'static str {
    match token {
        Some(_) => "a token",
        None => "no token",
    }
}

#[get("/optional")]
fn optional(token: Optional) -> &'static str {
    match &*token {
        Some(_) => "a token",
        None => "no token",
    }
}

#[test]
fn option_takes_a_bad_token_for_none_and_optional_does_not() {
    let (client, clock) = clocked("", routes![option, optional]);
    let good = jwt(&client).access_token("ada").encode().unwrap();
    let refresh = jwt(&client).refresh_token("ada").encode().unwrap();
    for path in ["/option", "/optional"] {
        assert_eq!(get(&client, path, &good).into_string().unwrap(), "a token");
        assert_eq!(get(&client, path, "").into_string().unwrap(), "no token");
    }
    let forged = format!("{}.AAAA", good.rsplit_once('.').unwrap().0);
    for bad in [forged.as_str(), "x", &refresh] {
        assert_eq!(get(&client, "/option", bad).into_string().unwrap(), "no token", "the trap");
        assert_eq!(get(&client, "/optional", bad).status().code, 401);
    }
    clock.set(unix(START + 900));
    assert_eq!(get(&client, "/option", &good).status().code, 200);
    assert_eq!(code(get(&client, "/optional", &good)), (401, "token_expired".into()));
}

#[test]
fn a_route_can_take_the_refusal_itself_and_its_cookies_are_kept() {
    #[get("/handled")]
    fn handled(fresh: Result<Fresh, Rejection>, jar: &CookieJar<'_>) -> String {
        jar.add(("seen", "1"));
        match fresh {
            Ok(token) => format!("fresh {}", token.identity()),
            Err(rejection) => format!("{} {}", rejection.status().code, rejection.code()),
        }
    }

    let client = client("", Jwt::fairing(), routes![handled]);
    let stale = jwt(&client).access_token("ada").encode().unwrap();
    let fresh = jwt(&client).access_token("ada").fresh().encode().unwrap();
    for (token, body) in [
        ("", "401 token_missing"),
        ("x", "401 token_invalid"),
        (&stale, "401 fresh_token_required"),
        (&fresh, "fresh ada"),
    ] {
        let response = get(&client, "/handled", token);
        assert_eq!(names_set(&response), ["seen"]);
        // It was let in after all: no challenge.
        assert!(!response.headers().contains("WWW-Authenticate"));
        assert_eq!((response.status().code, response.into_string().unwrap()), (200, body.into()));
    }
}

#[test]
fn a_challenge_of_the_applications_own_stays() {
    #[catch(401)]
    fn basic() -> (Status, Challenged) {
        (Status::Unauthorized, Challenged)
    }

    #[derive(Responder)]
    struct Realm(&'static str, Header<'static>);

    struct Challenged;

    impl<'r> rocket::response::Responder<'r, 'static> for Challenged {
        fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
            Realm("", Header::new("WWW-Authenticate", "Bearer realm=\"x\"")).respond_to(request)
        }
    }

    let rocket = app("", Jwt::fairing(), routes![me]).register("/", catchers![basic]);
    let client = Client::untracked(rocket).unwrap();
    let response = get(&client, "/me", "");
    let challenges: Vec<_> = response.headers().get("WWW-Authenticate").collect();
    assert_eq!(challenges, ["Bearer realm=\"x\""]);
}

#[test]
fn a_status_of_an_own_catcher_that_is_none_of_the_refusals_gets_no_challenge() {
    #[catch(401)]
    fn hidden() -> (Status, &'static str) {
        (Status::NotFound, "nothing here")
    }

    let rocket = app("", Jwt::fairing(), routes![me]).register("/", catchers![hidden]);
    let client = Client::untracked(rocket).unwrap();
    let response = get(&client, "/me", "");
    assert!(!response.headers().contains("WWW-Authenticate"));
    assert_eq!(response.status(), Status::NotFound);
}
