//! "My devices": users see where they are logged in, and end any of these sessions.
//!
//! The page at `/` lists them with the JSON routes below. Tokens are in cookies, so whatever changes something
//! needs the CSRF value as well.
//!
//! Run it by `cargo run --example sessions`, and log in as `ada` with the password `lovelace` in two browsers.

#[macro_use]
extern crate rocket;

use rocket::form::Form;
use rocket::http::{CookieJar, Status};
use rocket::response::content::RawHtml;
use rocket::serde::json::Json;
use rocket::serde::{Deserialize, Serialize};
use rocket::{Build, Rocket};
use rocket_jwt_extended::{
    AccessToken, AllowExpired, Error, Event, Jwt, JwtFairing, RefreshToken, RequestContext, Session,
};

#[derive(FromForm)]
struct Credentials {
    name: String,
    password: String,
    /// What the user calls the device. A name that is made from the `User-Agent` would do as well, but the label
    /// is stored, and shown to whoever is logged in.
    #[field(validate = len(..=40))]
    device: String,
}

/// What the page shows beside the label: kept with the session, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(crate = "rocket::serde")]
struct Details {
    method: String,
}

/// A line of the page.
#[derive(Serialize, Deserialize)]
#[serde(crate = "rocket::serde")]
struct Device {
    id: String,
    label: String,
    method: Option<String>,
    /// In seconds since 1970.
    began: i64,
    seen: i64,
    is_current: bool,
}

impl Device {
    fn new(session: &Session, token: &AccessToken) -> Result<Self, Error> {
        Ok(Self {
            id: session.id().into(),
            label: session.label().unwrap_or("unnamed device").into(),
            method: session.details::<Details>()?.map(|details| details.method),
            began: session.began_at().unix_timestamp(),
            seen: session.seen_at().unix_timestamp(),
            is_current: session.is_current(token),
        })
    }
}

/// The store has the session before the browser has its tokens, so none is missing in the list.
#[post("/session", data = "<who>")]
async fn login(
    jwt: &Jwt,
    jar: &CookieJar<'_>,
    request: RequestContext,
    who: Form<Credentials>,
) -> Result<Status, Error> {
    if (who.name.as_str(), who.password.as_str()) != ("ada", "lovelace") {
        return Ok(Status::Unauthorized);
    }
    let details = Details { method: "password".into() };
    let pair = jwt.token_pair(&who.name).label(&who.device).details(&details).request(&request);
    jwt.cookies(jar).set_pair(&pair.begin().await?)?;
    Ok(Status::NoContent)
}

#[post("/session/refresh")]
async fn refresh(jwt: &Jwt, jar: &CookieJar<'_>, token: RefreshToken) -> Result<Status, Error> {
    jwt.cookies(jar).set_pair(&jwt.rotate(token).await?)?;
    Ok(Status::NoContent)
}

/// Also with an access token that has expired meanwhile.
#[delete("/session")]
async fn logout(jwt: &Jwt, jar: &CookieJar<'_>, token: AllowExpired) -> Result<Status, Error> {
    jwt.revoke_session(&token).await?;
    jwt.cookies(jar).unset();
    Ok(Status::NoContent)
}

#[get("/sessions")]
async fn devices(jwt: &Jwt, token: AccessToken) -> Result<Json<Vec<Device>>, Error> {
    let sessions = jwt.sessions(token.identity()).await?;
    let devices: Result<_, _> = sessions.iter().map(|one| Device::new(one, &token)).collect();
    devices.map(Json)
}

/// An id of somebody else's session ends nothing, so there is no more to check.
#[delete("/sessions/<id>")]
async fn end(jwt: &Jwt, token: AccessToken, id: &str) -> Result<Status, Error> {
    match jwt.end_session(token.identity(), id).await? {
        true => Ok(Status::NoContent),
        false => Ok(Status::NotFound),
    }
}

#[delete("/sessions")]
async fn end_others(jwt: &Jwt, token: AccessToken) -> Result<Json<u64>, Error> {
    jwt.end_other_sessions(&token).await.map(Json)
}

/// The labels come from users, so the script writes them as text, never as HTML.
#[get("/")]
fn page() -> RawHtml<&'static str> {
    RawHtml(
        r##"<!doctype html>
<meta charset="utf-8">
<title>My devices</title>
<form id="login">
  <input name="name" placeholder="name" required>
  <input name="password" type="password" placeholder="password" required>
  <input name="device" placeholder="this device" maxlength="40" required>
  <button>Log in</button>
</form>
<h1>My devices</h1>
<ul id="devices"></ul>
<button id="others">End all others</button>
<button id="logout">Log out</button>
<script type="module">
  const csrf = (name) => document.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1] ?? "";
  const send = (method, path, token = "access") =>
    fetch(path, { method, headers: { "X-CSRF-TOKEN": csrf(`csrf_${token}_token`) } });

  async function show() {
    let answer = await fetch("/sessions");
    if (answer.status === 401 && csrf("csrf_refresh_token")) {
      const refreshed = await send("POST", "/session/refresh", "refresh");
      if (refreshed.ok) answer = await fetch("/sessions");
    }
    const devices = answer.ok ? await answer.json() : [];
    document.querySelector("#login").hidden = answer.ok;
    document.querySelector("#devices").replaceChildren(...devices.map(item));
  }

  function item(device) {
    const line = document.createElement("li");
    const seen = new Date(device.seen * 1000).toLocaleString();
    line.textContent = `${device.label}, last seen ${seen} `;
    if (device.is_current) {
      line.append("(this device)");
    } else {
      const button = document.createElement("button");
      button.textContent = "End";
      button.onclick = () => send("DELETE", `/sessions/${device.id}`).then(show);
      line.append(button);
    }
    return line;
  }

  document.querySelector("#login").onsubmit = async (event) => {
    event.preventDefault();
    await fetch("/session", { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
    await show();
  };
  document.querySelector("#others").onclick = () => send("DELETE", "/sessions").then(show);
  document.querySelector("#logout").onclick = () => send("DELETE", "/session").then(show);
  await show();
</script>
"##,
    )
}

/// What a security log has: who, from where, by which route.
fn audit(event: &Event) {
    let from = event.request().and_then(RequestContext::remote);
    match event {
        Event::SessionBegan { identity, .. } => info!("{identity:?} logged in from {from:?}"),
        Event::SessionEnded { identity, why, .. } => info!("session of {identity:?}: {why:?}"),
        Event::Repeated { identity, .. } => warn!("{identity:?} refreshed twice, from {from:?}"),
        Event::ReuseDetected { identity, .. } => {
            error!("stolen from {identity:?}, seen at {from:?}")
        }
        _ => (),
    }
}

fn application(fairing: JwtFairing) -> Rocket<Build> {
    // An application of its own has these lines in `Rocket.toml`, under `[default.jwt]`.
    let figment = rocket::Config::figment()
        .merge(("jwt.sessions", true))
        .merge(("jwt.max_sessions", 10))
        .merge(("jwt.session_lifetime", "90d"))
        .merge(("jwt.token_location", "cookies"))
        .merge(("jwt.session_cookie", false))
        .merge(("jwt.refresh_cookie_path", "/session/refresh"))
        .merge(("jwt.implicit_refresh_within", "5m"));
    rocket::custom(figment)
        .attach(fairing)
        .mount("/", routes![page, login, refresh, logout, devices, end, end_others])
}

#[launch]
fn rocket() -> _ {
    application(Jwt::fairing().on_event(audit))
}

#[cfg(test)]
mod tests {
    use rocket::http::{ContentType, Header, Method};
    use rocket::local::blocking::{Client, LocalResponse};

    use super::*;

    /// Browsers of one site: clones of a cookie jar would share it, so each has its own client of one server.
    struct Browsers {
        client: Client,
    }

    /// The cookies of one browser: names and values.
    type Cookies = Vec<(String, String)>;

    impl Browsers {
        fn new() -> Self {
            let client = Client::untracked(application(Jwt::fairing()));
            Self { client: client.expect("the example launches") }
        }

        fn login(&self, device: &str) -> Cookies {
            let form = format!("name=ada&password=lovelace&device={device}");
            let response =
                self.client.post("/session").header(ContentType::Form).body(form).dispatch();
            assert_eq!(response.status(), Status::NoContent);
            let cookies = response.cookies().iter();
            cookies.map(|one| (one.name().into(), one.value().into())).collect()
        }

        fn send<'c>(
            &'c self,
            browser: &Cookies,
            method: Method,
            path: &str,
            csrf: &str,
        ) -> LocalResponse<'c> {
            let value = browser.iter().find(|(name, _)| name == csrf);
            let value = value.map(|(_, value)| value.clone()).unwrap_or_default();
            let request = self.client.req(method, path.to_string());
            let request = request.header(Header::new("X-CSRF-TOKEN", value));
            request.cookies(browser.clone()).dispatch()
        }

        fn devices(&self, browser: &Cookies) -> Option<Vec<Device>> {
            let response = self.send(browser, Method::Get, "/sessions", "");
            let is_ok = response.status() == Status::Ok;
            is_ok.then(|| response.into_json().expect("a list"))
        }

        fn labels(&self, browser: &Cookies) -> Option<Vec<String>> {
            let devices = self.devices(browser)?;
            Some(devices.into_iter().map(|device| device.label).collect())
        }
    }

    const CSRF: &str = "csrf_access_token";

    #[test]
    fn a_user_sees_the_devices_and_which_is_this_one() {
        let site = Browsers::new();
        let [laptop, phone] = ["laptop", "phone"].map(|device| site.login(device));
        for (browser, current) in [(&laptop, "laptop"), (&phone, "phone")] {
            let devices = site.devices(browser).unwrap();
            assert_eq!(devices.len(), 2);
            for device in devices {
                assert_eq!(device.is_current, device.label == current);
                assert_eq!(device.method.as_deref(), Some("password"));
                assert!(device.began <= device.seen);
            }
        }
        assert_eq!(site.labels(&vec![]), None);
    }

    #[test]
    fn a_user_ends_one_device() {
        let site = Browsers::new();
        let [laptop, phone] = ["laptop", "phone"].map(|device| site.login(device));
        let devices = site.devices(&laptop).unwrap();
        let other = devices.iter().find(|device| !device.is_current).unwrap();
        let path = format!("/sessions/{}", other.id);
        // The cookie alone ends nothing.
        let refused = site.send(&laptop, Method::Delete, &path, "");
        assert_eq!(refused.status(), Status::Unauthorized);
        for status in [Status::NoContent, Status::NotFound] {
            assert_eq!(site.send(&laptop, Method::Delete, &path, CSRF).status(), status);
        }
        assert_eq!(site.labels(&laptop).unwrap(), ["laptop"]);
        assert_eq!(site.labels(&phone), None);
        let refreshed = site.send(&phone, Method::Post, "/session/refresh", "csrf_refresh_token");
        assert_eq!(refreshed.status(), Status::Unauthorized);
    }

    #[test]
    fn a_user_ends_all_other_devices() {
        let site = Browsers::new();
        let [laptop, phone, tablet] =
            ["laptop", "phone", "tablet"].map(|device| site.login(device));
        let refused = site.send(&phone, Method::Delete, "/sessions", "");
        assert_eq!(refused.status(), Status::Unauthorized);
        let ended = site.send(&phone, Method::Delete, "/sessions", CSRF);
        assert_eq!(ended.into_json::<u64>(), Some(2));
        assert_eq!(site.labels(&phone).unwrap(), ["phone"]);
        for browser in [&laptop, &tablet] {
            assert_eq!(site.labels(browser), None);
        }
    }

    #[test]
    fn a_refresh_is_the_same_device_and_a_logout_ends_it() {
        let site = Browsers::new();
        let [laptop, phone] = ["laptop", "phone"].map(|device| site.login(device));
        let refreshed = site.send(&phone, Method::Post, "/session/refresh", "csrf_refresh_token");
        assert_eq!(refreshed.status(), Status::NoContent);
        assert_eq!(site.labels(&laptop).unwrap(), ["phone", "laptop"]);
        let logout = site.send(&phone, Method::Delete, "/session", CSRF);
        assert_eq!(logout.status(), Status::NoContent);
        assert_eq!(site.labels(&laptop).unwrap(), ["laptop"]);
    }

    #[test]
    fn a_wrong_password_and_a_long_name_begin_no_session() {
        let site = Browsers::new();
        let laptop = site.login("laptop");
        for (form, status) in [
            ("name=ada&password=x&device=phone".to_string(), Status::Unauthorized),
            (
                format!("name=ada&password=lovelace&device={}", "x".repeat(41)),
                Status::PayloadTooLarge,
            ),
        ] {
            let request = site.client.post("/session").header(ContentType::Form).body(form);
            assert_eq!(request.dispatch().status(), status);
        }
        assert_eq!(site.labels(&laptop).unwrap(), ["laptop"]);
    }

    #[test]
    fn the_page_calls_the_routes_that_there_are() {
        let site = Browsers::new();
        let page = site.client.get("/").dispatch();
        assert_eq!(page.content_type(), Some(ContentType::HTML));
        let page = page.into_string().unwrap();
        for path in ["\"/session\"", "\"/session/refresh\"", "\"/sessions\"", "`/sessions/${"] {
            assert!(page.contains(path), "{path}");
        }
        assert!(!page.contains("innerHTML"), "a label is text");
    }
}
