//! A minimal client: fixed requests over kept-alive connections.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rocket::futures::future::join_all;
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::TcpStream;

/// The server's address, and the tokens: each connection takes the next one.
pub struct Route {
    pub name: &'static str,
    pub address: SocketAddr,
    pub path: &'static str,
    pub tokens: Vec<String>,
}

/// Sends requests for `time` over this many connections, and returns the number of responses per
/// second. Every response must be 200.
pub async fn drive(route: &Route, connections: usize, time: Duration) -> f64 {
    let tokens = route.tokens.iter().cycle().take(connections);
    let mut connections = join_all(tokens.map(|token| Connection::open(route, token))).await;
    // During this warm-up the server opens connections and prepares statements.
    join_all(connections.iter_mut().map(Connection::ask)).await;

    let start = Instant::now();
    let answers = join_all(connections.iter_mut().map(|connection| async move {
        let mut answers = 0;
        while start.elapsed() < time {
            assert_eq!(connection.ask().await, 200, "{}", route.name);
            answers += 1;
        }
        answers
    }));
    f64::from(answers.await.iter().sum::<u32>()) / start.elapsed().as_secs_f64()
}

/// The status of the response to one request with this token.
pub async fn status(route: &Route, token: &str) -> u16 {
    Connection::open(route, token).await.ask().await
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(route: &Route, token: &str) -> Self {
        let stream = TcpStream::connect(route.address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n",
            route.path
        );
        Self { stream, request: request.into(), answer: Vec::with_capacity(4096) }
    }

    /// Sends the request, reads the whole response, and returns the status.
    async fn ask(&mut self) -> u16 {
        self.stream.write_all(&self.request).await.expect("a request is sent");
        self.answer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.answer).await.expect("an answer");
            assert_ne!(read, 0, "the server closed the connection");
            if let Some(status) = whole(&self.answer) {
                return status;
            }
        }
    }
}

/// The status of a complete response.
fn whole(answer: &[u8]) -> Option<u16> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).expect("a head in ASCII");
    let length = text
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
        })
        .expect("a length")
        .expect("a number");
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    (answer.len() >= head + 4 + length).then_some(status)
}
