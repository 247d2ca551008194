//! Over a real socket: what Rocket's server makes of a request before a guard sees it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::support::common::*;
use crate::support::*;
use rocket::Shutdown;
use rocket::fairing::AdHoc;
use rocket_jwt_extended::{AccessToken, Jwt, Optional};

#[get("/")]
fn protected(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/")]
fn posted(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/optional")]
fn optional(token: Optional) -> String {
    token.token().map_or("nobody", |token| token.identity()).into()
}

/// A server on a free port, until it is dropped.
struct Server {
    port: u16,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start() -> Self {
        let (sender, receiver) = mpsc::channel();
        let toml = format!(
            "{FLASK}token_location = [\"headers\", \"cookies\"]\n\
                            access_cookie_name = \"__Host-at\"\ncookie_secure = true\n"
        );
        let figment = figment(&toml)
            .merge(("port", 0))
            .merge(("address", "127.0.0.1"))
            .merge(("workers", 1))
            .merge(("shutdown.ctrlc", false));
        let rocket = rocket::custom(figment)
            .attach(Jwt::fairing().clock(clock_at_start()))
            .attach(AdHoc::on_liftoff("port", move |rocket| {
                let told = (rocket.config().port, rocket.shutdown());
                Box::pin(async move { sender.send(told).unwrap() })
            }))
            .mount("/", routes![protected, posted, optional]);
        let thread = thread::spawn(|| {
            rocket::execute(rocket.launch()).expect("the server ran");
        });
        let (port, shutdown) = receiver.recv().expect("the server launches");
        Self { port, shutdown, thread: Some(thread) }
    }

    /// Sends these header lines, byte for byte; status and body.
    fn ask(&self, request_line: &str, lines: &[&[u8]]) -> (u16, String) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let head = format!("{request_line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        let mut request = head.into_bytes();
        for line in lines {
            request.extend_from_slice(line);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        stream.write_all(&request).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or_default();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        (status.unwrap_or(0), json["msg"].as_str().unwrap_or(body).into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.clone().notify();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[test]
fn over_a_socket_the_rules_are_the_same() {
    let server = Server::start();
    let token = access();
    let line = |text: String| text.into_bytes();
    let get = |lines: &[Vec<u8>]| {
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        (server.ask("GET /", &lines), server.ask("GET /optional", &lines))
    };
    let both = |(status, text): (u16, &str)| {
        let answer = (status, text.to_string());
        (answer.clone(), answer)
    };
    let missing = "Missing JWT in headers or cookies (Missing Authorization Header; \
                   Missing cookie \"__Host-at\")";
    let nobody = |text: &str| ((401, text.to_string()), let_in("nobody"));

    // One header, in any case, with any white space.
    let bearer = line(format!("Authorization: Bearer {token}"));
    assert_eq!(get(std::slice::from_ref(&bearer)), both((200, "ada")));
    assert_eq!(get(&[line(format!("authorization:bearer   {token}  "))]), both((200, "ada")));
    assert_eq!(get(&[]), nobody(missing));
    // Two lines are seen as two.
    let two = "More than one token was sent";
    assert_eq!(get(&[bearer.clone(), bearer.clone()]), both((422, two)));
    assert_eq!(get(&[b"Authorization: Basic x".to_vec(), bearer.clone()]), both((200, "ada")));

    // A line that is not UTF-8 is dropped by Rocket: nobody was seen there.
    let mut odd = b"Authorization: Bearer \xff".to_vec();
    odd.extend_from_slice(token.as_bytes());
    assert_eq!(get(&[odd.clone()]), nobody(missing));
    assert_eq!(get(&[odd, bearer]), both((200, "ada")));
    let mut odd = format!("Cookie: __Host-at={token}; a=").into_bytes();
    odd.push(0xff);
    assert_eq!(get(&[odd]), nobody(missing));

    // Cookies: by the very name, once.
    let cookie = |name: &str| line(format!("Cookie: a=b; {name}={token}"));
    assert_eq!(get(&[cookie("__Host-at")]), both((200, "ada")));
    assert_eq!(get(&[cookie("%5f_Host-at")]), nobody(missing));
    assert_eq!(get(&[cookie("__Host-at"), cookie("%5f_Host-at")]), both((200, "ada")));
    assert_eq!(get(&[cookie("__Host-at"), line("Cookie: __Host-at=x".into())]), both((422, two)));
    let tossed = line("Cookie: %5f_Host-at=x".into());
    assert_eq!(get(&[tossed, cookie("__Host-at")]), both((200, "ada")));

    // CSRF.
    let post = |value: &[u8]| {
        let mut header = b"X-CSRF-Token: ".to_vec();
        header.extend_from_slice(value);
        server.ask("POST /", &[&cookie("__Host-at"), &header])
    };
    assert_eq!(post(b"the-csrf-value"), let_in("ada"));
    assert_eq!(post(b""), (401, "Missing CSRF token".into()));
    assert_eq!(post(b"\xff"), (401, "Missing CSRF token".into()));
    assert_eq!(post("ä".as_bytes()), (401, "CSRF double submit tokens do not match".into()));

    // Long headers are refused unread, by this crate or by the server.
    let long = line(format!("Authorization: Bearer {}", "a".repeat(100_000)));
    assert_eq!(get(&[long]), both((422, "Token is too long")));
    let commas = line(format!("Authorization: {}", ",".repeat(300_000)));
    let (status, _) = server.ask("GET /", &[&commas]);
    assert_eq!(status, 401);
    // The connection was good to the end: the server still answers.
    assert_eq!(server.ask("GET /optional", &[]), let_in("nobody"));
}
