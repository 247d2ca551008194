//! A network between a store and its server that a test can break.
#![cfg(any(feature = "sqlx_mysql", feature = "deadpool_postgres", feature = "deadpool_redis"))]

use std::sync::Arc;

use rocket::tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::sync::watch;
use rocket::tokio::{self, select};

/// Passes on what comes, in both directions, until it is told otherwise.
pub struct Relay {
    pub url: String,
    network: Arc<Network>,
}

struct Network {
    /// How many connections there have been.
    accepted: watch::Sender<usize>,
    /// How many pieces clients have sent.
    heard: watch::Sender<usize>,
    /// What comes is kept back.
    is_held: watch::Sender<bool>,
    /// The first so many connections stay open, and lose what comes.
    deaf: watch::Sender<usize>,
    /// The first so many connections are closed.
    cut: watch::Sender<usize>,
    /// One connection ends instead of an answer once clients have sent more than so many pieces.
    last_answered: watch::Sender<usize>,
}

impl Relay {
    /// To the server with this URL.
    pub async fn to(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("an address");
        let (login, server) = rest
            .rsplit_once('@')
            .map_or(("", rest), |(login, server)| (&rest[..login.len() + 1], server));
        let (server, database) = server.split_once('/').unwrap_or((server, ""));

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let network = Arc::new(Network {
            accepted: watch::Sender::new(0),
            heard: watch::Sender::new(0),
            is_held: watch::Sender::new(false),
            deaf: watch::Sender::new(0),
            cut: watch::Sender::new(0),
            last_answered: watch::Sender::new(usize::MAX),
        });
        tokio::spawn(accept(listener, server.to_owned(), network.clone()));
        Self { url: format!("{scheme}://{login}127.0.0.1:{port}/{database}"), network }
    }

    pub fn accepted(&self) -> usize {
        *self.network.accepted.borrow()
    }

    pub fn heard(&self) -> usize {
        *self.network.heard.borrow()
    }

    /// Waits until clients have sent more than so many pieces.
    pub async fn hears_more_than(&self, pieces: usize) {
        let mut heard = self.network.heard.subscribe();
        heard.wait_for(|heard| *heard > pieces).await.expect("a network");
    }

    pub async fn has_accepted(&self, connections: usize) {
        let mut accepted = self.network.accepted.subscribe();
        accepted.wait_for(|accepted| *accepted >= connections).await.expect("a network");
    }

    /// As if the server were stopped, or goes on.
    pub fn hold(&self, is_held: bool) {
        self.network.is_held.send_replace(is_held);
    }

    /// Those connections that there are never hear of each other again.
    pub fn deafen(&self) {
        self.network.deaf.send_replace(self.accepted());
    }

    /// Those connections that there are end.
    pub fn cut(&self) {
        self.network.cut.send_replace(self.accepted());
    }

    /// The next piece after those reaches the server, and the connection ends before its answer.
    pub fn lose_the_answer_after(&self, pieces: usize) {
        self.network.last_answered.send_replace(pieces);
    }
}

async fn accept(listener: TcpListener, server: String, network: Arc<Network>) {
    while let Ok((client, _)) = listener.accept().await {
        network.accepted.send_modify(|accepted| *accepted += 1);
        let (number, network) = (*network.accepted.borrow(), network.clone());
        let server = TcpStream::connect(&server).await.expect("the server");
        tokio::spawn(async move {
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            let mut cut = network.cut.subscribe();
            select! {
                _ = pass(from_client, to_server, number, true, &network) => {}
                _ = pass(from_server, to_client, number, false, &network) => {}
                _ = cut.wait_for(|cut| number <= *cut) => {}
            }
        });
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    number: usize,
    is_request: bool,
    network: &Network,
) {
    let mut held = network.is_held.subscribe();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        if is_request {
            network.heard.send_modify(|heard| *heard += 1);
        } else if *network.heard.borrow() > *network.last_answered.borrow() {
            network.last_answered.send_replace(usize::MAX);
            return;
        }
        let _ = held.wait_for(|is_held| !is_held).await;
        if number > *network.deaf.borrow() && to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
