//! `sessions = "adopt"`: the way from a site without recorded sessions to one with them.

use crate::support::ask::*;
use crate::support::site::*;
use crate::support::*;

const ADOPT: &str = "sessions = \"adopt\"\n";

/// A site that adopts, and one as it was before.
fn sites() -> (Site, Site) {
    let adopting = Site::new(ADOPT);
    let off = adopting.beside("");
    (adopting, off)
}

#[test]
fn a_session_without_a_row_gets_it_with_its_exchange() {
    let (site, off) = sites();
    let pair = off.jwt().token_pair("ada").issue().unwrap();
    let alone = off.jwt().refresh_token("ada").encode().unwrap();
    for token in [pair.refresh_token(), &alone] {
        assert_eq!(site.get("/look", token).0, LIVE);
    }
    assert_eq!(site.ids("ada"), Vec::<String>::new());
    site.clock.set(unix(START + 60));
    let [access, refresh] = site.rotate(pair.refresh_token());
    assert_eq!(site.ids("ada"), [text(&access, "sid")]);
    let session = site.sessions("ada").remove(0);
    let times = [session.began_at(), session.seen_at(), session.expires_at().unwrap()];
    let exp = payload(&refresh)["exp"].as_i64().unwrap();
    assert_eq!(times.map(|time| time.unix_timestamp()), [START, START + 60, exp]);
    assert_eq!(session.label(), None);
    assert!(session.is_current(&site.accepted(&access)));
    let [derived, _] = site.rotate(&alone);
    assert!(site.ids("ada").contains(&text(&derived, "sid")));
    // Afterwards it is a session like any other.
    let on = site.beside(ON);
    assert_eq!(on.get("/look", &refresh).0, LIVE);
    let next = on.rotate(&refresh);
    assert_eq!(on.ids("ada").len(), 2);
    assert!(run(on.jwt().end_session("ada", &text(&next[0], "sid"))).unwrap());
    assert_eq!(on.get("/me", &next[0]), revoked());
}

#[test]
fn a_row_of_before_gets_the_owner_that_it_lacks() {
    let (site, off) = sites();
    let pair = off.jwt().token_pair("ada").issue().unwrap();
    let [_, refresh] = off.rotate(pair.refresh_token());
    assert_eq!(site.ids("ada"), Vec::<String>::new());
    site.rotate(&refresh);
    assert_eq!(site.ids("ada"), [pair.session_id().unwrap()]);
}

#[test]
fn a_session_that_has_ended_is_not_adopted() {
    let (site, off) = sites();
    let pair = off.jwt().token_pair("ada").issue().unwrap();
    off.post("/logout", pair.access_token());
    assert_eq!(site.post("/refresh", pair.refresh_token()), revoked());
    assert_eq!(site.ids("ada"), Vec::<String>::new());
}

#[test]
fn a_session_keeps_its_owner_whoever_presents_a_token_of_it() {
    let site = Site::new(ADOPT);
    let pair = site.begin("ada");
    // Nobody is given such a token: it needs the key.
    let mut claims = payload(pair.refresh_token());
    claims["sub"] = "mallory".into();
    let rotated = site.rotate(&sign(&claims));
    assert_eq!(site.ids("ada"), [pair.session_id().unwrap()]);
    assert_eq!(site.ids("mallory"), Vec::<String>::new());
    assert!(!run(site.jwt().end_session("mallory", pair.session_id().unwrap())).unwrap());
    assert_eq!(site.get("/me", &rotated[0]).0, LIVE);
}

#[test]
fn adopted_sessions_count_at_the_next_login() {
    let (adopting, off) = sites();
    let site = adopting.beside(&format!("{ADOPT}max_sessions = 2\n"));
    let tokens: Vec<_> = (0..3)
        .map(|second| {
            site.clock.set(unix(START + second));
            off.jwt().token_pair("ada").issue().unwrap().refresh_token().to_string()
        })
        .collect();
    let pairs: Vec<_> = tokens.iter().map(|token| site.rotate(token)).collect();
    assert_eq!(site.ids("ada").len(), 3, "an exchange is not refused");
    site.clock.set(unix(START + 10));
    let new = site.begin("ada");
    assert_eq!(site.ids("ada"), [new.session_id().unwrap().into(), text(&pairs[2][0], "sid")]);
    assert_eq!(site.get("/me", &pairs[0][0]), revoked());
}

#[test]
fn an_access_token_without_a_row_is_renewed_meanwhile() {
    let renewing =
        "token_location = [\"headers\", \"cookies\"]\nimplicit_refresh_within = \"14m\"\n";
    let site = Site::new(&format!("{ADOPT}{renewing}"));
    let off = site.beside(renewing);
    let token = off.jwt().token_pair("ada").issue().unwrap().access_token().to_string();
    site.clock.set(unix(START + 600));
    assert!(site.renewed(&token).is_some());
    assert_eq!(site.ids("ada"), Vec::<String>::new());
}
