//! Generates the load: kept-alive connections, each with one request in flight.

use std::io::{ErrorKind, Read, Write};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use peer::USER;

use crate::answer;

pub const CONNECTIONS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(10);

/// The CPU clocks, which are read at the beginning and at the end of a slice.
pub struct Slice<T> {
    pub answers: u64,
    pub time: Duration,
    pub before: T,
    pub after: T,
}

/// Sends requests for `lead`, which is not counted, and then for `time`. The requests take turns.
pub fn drive<T>(
    port: u16,
    requests: &[Vec<u8>],
    lead: Duration,
    time: Duration,
    read: impl Fn() -> Result<T>,
) -> Result<Slice<T>> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(CONNECTIONS);
    let mut turns = requests.iter().cycle();
    let mut next = || turns.next().context("no request");

    let mut connections = vec![];
    for place in 0..CONNECTIONS {
        let mut connection = Connection::open(port)?;
        poll.registry().register(&mut connection.stream, Token(place), Interest::READABLE)?;
        connection.send(next()?)?;
        connections.push(connection);
    }

    let launched = Instant::now();
    while launched.elapsed() < lead {
        turn(&mut poll, &mut events, &mut connections, &mut next)?;
    }
    let before = read()?;
    let started = Instant::now();
    let mut answers = 0;
    while started.elapsed() < time {
        answers += turn(&mut poll, &mut events, &mut connections, &mut next)?;
    }
    let time = started.elapsed();
    Ok(Slice { answers, time, before, after: read()? })
}

/// Reads the available responses, and sends the next requests.
fn turn<'a>(
    poll: &mut Poll,
    events: &mut Events,
    connections: &mut [Connection],
    next: &mut impl FnMut() -> Result<&'a Vec<u8>>,
) -> Result<u64> {
    poll.poll(events, Some(PATIENCE))?;
    ensure!(!events.is_empty(), "no answer in {PATIENCE:?}");
    let mut answers = 0;
    for event in events.iter() {
        let connection = connections.get_mut(event.token().0).context("no such connection")?;
        if connection.receive()? {
            answers += 1;
            connection.send(next()?)?;
        }
    }
    Ok(answers)
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    fn open(port: u16) -> Result<Self> {
        let stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream: TcpStream::from_std(stream), buffer: vec![0; 4096], filled: 0 })
    }

    /// A request is much smaller than the buffer of an empty socket.
    fn send(&mut self, request: &[u8]) -> Result<()> {
        let sent = self.stream.write(request)?;
        ensure!(sent == request.len(), "a request was cut");
        Ok(())
    }

    /// Whether the response is complete. If not, another event follows with more of it.
    fn receive(&mut self) -> Result<bool> {
        match self.stream.read(&mut self.buffer[self.filled..]) {
            Ok(0) => bail!("the connection was closed"),
            Ok(length) => self.filled += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let Some(answer) = answer::parse(&self.buffer[..self.filled])? else { return Ok(false) };
        ensure!(answer.status == 200, "an answer with status {}", answer.status);
        ensure!(answer.body == USER.as_bytes(), "an answer with another body");
        self.filled = 0;
        Ok(true)
    }
}
