//! Cookies over a real socket: what a browser keeps of the lines as the server writes them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use rocket::Shutdown;
use rocket::fairing::AdHoc;
use rocket_jwt_extended::Jwt;

use super::in_a_browser::{CHANGES, COMMON, HOST, few_routes, url};
use crate::support::browser::*;
use crate::support::*;

/// The application on a free port, until it is dropped.
struct Server {
    port: u16,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(toml: &str) -> Self {
        let (sender, receiver) = mpsc::channel();
        let figment = figment(&format!("{COMMON}{toml}"))
            .merge(("port", 0))
            .merge(("address", "127.0.0.1"))
            .merge(("workers", 1))
            .merge(("shutdown.ctrlc", false));
        let port = AdHoc::on_liftoff("port", move |rocket| {
            let told = (rocket.config().port, rocket.shutdown());
            Box::pin(async move { sender.send(told).unwrap() })
        });
        let rocket = rocket::custom(figment)
            .attach(Jwt::fairing().clock(clock_at_start()))
            .attach(port)
            .mount("/", few_routes());
        let thread = thread::spawn(|| {
            rocket::execute(rocket.launch()).expect("the server ran");
        });
        let (port, shutdown) = receiver.recv().expect("the server launches");
        Self { port, shutdown, thread: Some(thread) }
    }

    /// The status of a request by that browser.
    fn ask(&self, browser: &mut Browser, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let cookies = browser.cookie_line(&url(path));
        let host = HOST.trim_start_matches("https://");
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}:{}\r\n", self.port);
        let rest = format!("Cookie: {cookies}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all((head + &rest).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        for line in head.lines() {
            if let Some(("set-cookie", line)) = line.split_once(": ") {
                browser.receive(&url(path), line);
            }
        }
        let status = head.split(' ').nth(1).unwrap();
        format!("{status} {body}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.clone().notify();
        self.thread.take().map(JoinHandle::join);
    }
}

#[test]
fn over_a_socket_the_removals_come_first_and_the_host_is_the_browsers() {
    for identity in IDENTITIES {
        for [before, after] in [CHANGES[0], CHANGES[1], CHANGES[4]] {
            let [old, new] = [before, after].map(Server::start);
            let mut browser = Browser::new(&clock_at_start(), identity);
            for (server, name) in [(&old, "bob"), (&new, "alice")] {
                assert!(
                    server.ask(&mut browser, "POST", &format!("/login/{name}")).starts_with("200")
                );
                assert!(server.ask(&mut browser, "GET", "/me").starts_with("200"), "{after}");
                assert_eq!(browser.count("access_token_cookie"), 1, "{after}");
            }
            assert!(new.ask(&mut browser, "POST", "/logout").starts_with("200"));
            assert_eq!(browser.stored().len(), 0, "{after}");

            browser.receive(&url("/"), "access_token_cookie=a; Path=/");
            let planted = "access_token_cookie=b; Path=/; Domain=example.test";
            browser.receive("https://evil.example.test/", planted);
            assert!(new.ask(&mut browser, "GET", "/me").starts_with("401"));
            assert_eq!(browser.stored().len(), 0, "{after}");
        }
    }
}
