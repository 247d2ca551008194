//! Measures the latency of a guarded route while a million expired entries are pruned together.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rocket::futures::future::{join, join_all};
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::TcpStream;
use rocket::tokio::runtime::Builder;
use rocket::tokio::time;

use crate::{child, quartiles};

const LEAVING: u64 = 1_000_000;
const REPETITIONS: usize = 15;
const BEFORE: Duration = Duration::from_millis(400);

pub fn table() -> String {
    let mut text = String::from(
        "| connections | other entries | p99 before, µs | p99 during pruning, µs | ratio | pruning, ms |\n\
         |---:|---:|---:|---:|---:|---:|\n",
    );
    for (connections, live) in [(1, 0), (16, 0), (16, LEAVING)] {
        let runs = repeat(connections, live);
        let row = |of: fn(&Run) -> f64, digits| {
            let [low, middle, high] = quartiles(runs.iter().map(of));
            format!("{middle:.digits$} ({low:.digits$}–{high:.digits$})")
        };
        text += &format!(
            "| {connections} | {live} | {} | {} | {} | {} |\n",
            row(|run| run.before, 0),
            row(|run| run.meanwhile, 0),
            row(|run| run.meanwhile / run.before, 2),
            row(|run| run.takes * 1e3, 0),
        );
    }
    text += &format!("\nMedians of {REPETITIONS} times, with the first and third quartile.\n");
    text
}

struct Run {
    before: f64,
    meanwhile: f64,
    takes: f64,
}

fn repeat(connections: usize, live: u64) -> Vec<Run> {
    let mut server = child::command(&["serve", &live.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a server");
    let mut line = String::new();
    let output = server.stdout.take().expect("its output");
    BufReader::new(output).read_line(&mut line).expect("a line");
    let (address, token) = line.trim().split_once(' ').expect("an address and a token");
    let address = address.parse().expect("an address");

    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let runs = runtime.block_on(async {
        let mut runs = vec![];
        // The first run warms up.
        for _ in 0..=REPETITIONS {
            runs.push(once(address, token, connections).await);
        }
        runs.split_off(1)
    });
    server.kill().expect("ended");
    server.wait().expect("ended");
    runs
}

async fn once(address: SocketAddr, token: &str, connections: usize) -> Run {
    let mut by_hand = Connection::open(address).await;
    by_hand.ask("POST", &format!("/fill/{LEAVING}"), "").await;

    let asked = RefCell::new(vec![]);
    let is_over = Cell::new(false);
    let askers = join_all((0..connections).map(|_| async {
        let mut connection = Connection::open(address).await;
        while !is_over.get() {
            let start = Instant::now();
            connection.ask("GET", "/guarded", token).await;
            asked.borrow_mut().push((start, Instant::now()));
        }
    }));
    let pruned = async {
        time::sleep(BEFORE).await;
        let start = Instant::now();
        let answer = by_hand.ask("POST", "/prune", "").await;
        let end = Instant::now();
        assert!(answer.ends_with(&format!("\r\n\r\n{LEAVING}")), "not all have left");
        is_over.set(true);
        (start, end)
    };
    let (_, (start, end)) = join(askers, pruned).await;

    let asked = asked.into_inner();
    let p99 = |is_of: &dyn Fn(Instant, Instant) -> bool| {
        let of = asked.iter().filter(|(from, to)| is_of(*from, *to));
        let mut times: Vec<f64> = of.map(|(from, to)| (*to - *from).as_secs_f64() * 1e6).collect();
        times.sort_by(f64::total_cmp);
        times[(times.len() * 99).div_ceil(100) - 1]
    };
    Run {
        before: p99(&|_, to| to < start),
        meanwhile: p99(&|from, to| to > start && from < end),
        takes: (end - start).as_secs_f64(),
    }
}

struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, answer: Vec::with_capacity(4096) }
    }

    /// Sends a request, and returns the response, which must have the status 200.
    async fn ask(&mut self, method: &str, path: &str, token: &str) -> String {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: 0\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await.expect("a request is sent");
        self.answer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.answer).await.expect("an answer");
            assert_ne!(read, 0, "the server closed the connection");
            let text = String::from_utf8_lossy(&self.answer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.and_then(|text| text.parse().ok()) == Some(body.len()) {
                assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                return text.into_owned();
            }
        }
    }
}
