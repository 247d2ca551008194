//! A WebSocket and an event stream that end when their token does.
//!
//! A guard verifies the token once, when the connection is opened. An open connection must verify
//! it repeatedly, or it continues after the token's expiry and the user's logout.
//!
//! Run it with `cargo run --example websocket`.

#[macro_use]
extern crate rocket;

use std::pin::pin;
use std::time::Duration;

use rocket::futures::{SinkExt, StreamExt};
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome};
use rocket::response::stream::{Event, EventStream};
use rocket::time::OffsetDateTime;
use rocket::tokio::sync::broadcast::{Receiver, Sender, channel, error::RecvError};
use rocket::tokio::{select, time};
use rocket::{Build, Request, Rocket, Shutdown, State};
use rocket_jwt_extended::{
    AccessToken, Cookies, Error, Headers, In, Jwt, JwtFairing, NoClaims, Rejection, Token,
    TokenPair,
};
use rocket_ws::frame::{CloseCode, CloseFrame};
use rocket_ws::result::Result as SocketResult;
use rocket_ws::stream::DuplexStream;
use rocket_ws::{Channel, Config, Message, WebSocket};

/// The origins whose pages may open a WebSocket, exactly as browsers send them: lower case, without a
/// slash at the end and without the scheme's default port.
const PAGES: [&str; 1] = ["https://app.example.test"];

/// The longest message. The default of `rocket_ws` is 64 MiB.
const MAX_MESSAGE: usize = 4 << 10;

/// The state that all connections share.
struct Chat {
    messages: Sender<String>,
    /// How often an open connection verifies its token: a logout takes effect within this time.
    recheck: Duration,
    /// The time limit for the first message with the token.
    first_message: Duration,
}

/// Accepts a handshake only from a page of this application.
///
/// Browsers let a page on any site open a WebSocket to this server, send the cookies with the
/// handshake, and let the page read the messages: cross-site WebSocket hijacking. CORS does not
/// apply to WebSockets, and a page cannot add the CSRF header to a handshake, so the origin must be
/// compared.
struct OurPage;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for OurPage {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let mut origins = request.headers().get("Origin");
        match (origins.next(), origins.next()) {
            (Some(origin), None) if PAGES.contains(&origin) => Outcome::Success(Self),
            _ => Outcome::Error((Status::Forbidden, ())),
        }
    }
}

/// There is no password check, since the example is about the steps after it.
#[post("/login", data = "<name>")]
fn login(jwt: &Jwt, name: &str) -> Result<TokenPair, Error> {
    jwt.token_pair(name).issue()
}

/// For pages with the token in a cookie.
#[get("/chat")]
fn chat<'r>(
    _page: OurPage,
    token: In<Cookies>,
    socket: WebSocket,
    jwt: &'r Jwt,
    chat: &'r State<Chat>,
    shutdown: Shutdown,
) -> Channel<'r> {
    open(socket, jwt, chat, Some(token.into_inner().into_inner()), shutdown)
}

/// For programs, which can set a header. A page cannot, so the origin does not matter.
#[get("/chat/program")]
fn chat_of_a_program<'r>(
    token: In<Headers>,
    socket: WebSocket,
    jwt: &'r Jwt,
    chat: &'r State<Chat>,
    shutdown: Shutdown,
) -> Channel<'r> {
    open(socket, jwt, chat, Some(token.into_inner().into_inner()), shutdown)
}

/// For pages that keep the token in memory: the first message is the token. It must not be in the
/// URL, which ends up in logs. A page on another site has no token to send, so the origin does not
/// matter.
#[get("/chat/first-message")]
fn chat_after_a_message<'r>(
    socket: WebSocket,
    jwt: &'r Jwt,
    chat: &'r State<Chat>,
    shutdown: Shutdown,
) -> Channel<'r> {
    open(socket, jwt, chat, None, shutdown)
}

fn open<'r>(
    socket: WebSocket,
    jwt: &'r Jwt,
    chat: &'r Chat,
    token: Option<Token<NoClaims>>,
    shutdown: Shutdown,
) -> Channel<'r> {
    let limits = Config {
        max_message_size: Some(MAX_MESSAGE),
        max_frame_size: Some(MAX_MESSAGE),
        ..Config::default()
    };
    socket.config(limits).channel(move |mut stream| {
        Box::pin(async move {
            let token = match token {
                Some(token) => token,
                None => match first_message(&mut stream, jwt, chat.first_message).await {
                    Ok(token) => token,
                    Err(reason) => return close(stream, reason).await,
                },
            };
            // The conversation stops when the token is no longer accepted, whatever it is waiting
            // for.
            let reason = select! {
                biased;
                refusal = ended(jwt, &token, chat.recheck) => refusal.code(),
                () = shutdown => "shutdown",
                result = converse(&mut stream, chat, token.identity()) => return result,
            };
            close(stream, reason).await
        })
    })
}

/// The token from the first message, or the reason for closing the connection.
async fn first_message(
    stream: &mut DuplexStream,
    jwt: &Jwt,
    limit: Duration,
) -> Result<Token<NoClaims>, &'static str> {
    match time::timeout(limit, stream.next()).await {
        Ok(Some(Ok(Message::Text(text)))) => {
            jwt.verify::<AccessToken>(&text).await.map_err(|refusal| refusal.code())
        }
        _ => Err("token_missing"),
    }
}

/// Resolves when the token is no longer accepted: it has expired, its session has ended, or the
/// blocklist is unavailable.
async fn ended(jwt: &Jwt, token: &Token<NoClaims>, recheck: Duration) -> Rejection {
    loop {
        time::sleep(pause(token.expires_at(), OffsetDateTime::now_utc(), recheck)).await;
        if let Err(refusal) = jwt.verify::<AccessToken>(token.encoded()).await {
            return refusal;
        }
    }
}

/// The time until the next verification: `recheck`, or less if the token expires sooner.
fn pause(expires_at: Option<OffsetDateTime>, now: OffsetDateTime, recheck: Duration) -> Duration {
    // The conversion fails if `exp` has passed, but not the leeway.
    let left = expires_at.and_then(|exp| Duration::try_from(exp - now).ok());
    left.map_or(recheck, |left| left.min(recheck))
}

async fn converse(stream: &mut DuplexStream, chat: &Chat, identity: &str) -> SocketResult<()> {
    let mut messages = chat.messages.subscribe();
    loop {
        select! {
            message = next(&mut messages) => match message {
                Some(text) => stream.send(Message::Text(text)).await?,
                None => return Ok(()),
            },
            received = stream.next() => match received {
                Some(Ok(Message::Text(text))) => {
                    // There may be no subscribers.
                    let _ = chat.messages.send(format!("{identity}: {text}"));
                }
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                // `rocket_ws` answers pings itself.
                Some(Ok(_)) => (),
                Some(Err(error)) => return Err(error),
            },
        }
    }
}

/// The next message. A slow receiver misses some messages.
async fn next(messages: &mut Receiver<String>) -> Option<String> {
    loop {
        match messages.recv().await {
            Ok(text) => return Some(text),
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return None,
        }
    }
}

/// The page reads the reason from its `CloseEvent`: after `token_expired` it refreshes and
/// reconnects.
async fn close(mut stream: DuplexStream, reason: &'static str) -> SocketResult<()> {
    let frame = CloseFrame { code: CloseCode::Policy, reason: reason.into() };
    // A client that does not read must not keep the connection open.
    let closed = time::timeout(Duration::from_secs(5), stream.close(Some(frame))).await;
    closed.unwrap_or(Ok(()))
}

/// The same with server-sent events. Pages on other sites cannot read them unless CORS allows it,
/// so the origin does not matter.
#[get("/events")]
fn events<'r>(
    jwt: &'r Jwt,
    chat: &'r State<Chat>,
    token: AccessToken,
    mut shutdown: Shutdown,
) -> EventStream![Event + 'r] {
    EventStream! {
        let mut messages = chat.messages.subscribe();
        let mut ended = pin!(ended(jwt, &token, chat.recheck));
        loop {
            let event = select! {
                biased;
                refusal = &mut ended => Err(refusal.code()),
                () = &mut shutdown => Err("shutdown"),
                message = next(&mut messages) => message.ok_or("shutdown"),
            };
            match event {
                Ok(text) => yield Event::data(text),
                Err(reason) => {
                    yield Event::data(reason).event("ended");
                    break;
                }
            }
        }
    }
}

fn application(fairing: JwtFairing, recheck: Duration, first_message: Duration) -> Rocket<Build> {
    let figment =
        rocket::Config::figment().merge(("jwt.token_location", ["cookies", "headers"].to_vec()));
    rocket::custom(figment)
        .attach(fairing)
        .manage(Chat { messages: channel(64).0, recheck, first_message })
        .mount("/", routes![login, chat, chat_of_a_program, chat_after_a_message, events])
}

#[launch]
fn rocket() -> _ {
    application(Jwt::fairing(), Duration::from_secs(30), Duration::from_secs(10))
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use rocket::fairing::AdHoc;
    use rocket::http::Cookie;
    use rocket::local::asynchronous::Client;
    use rocket::tokio::net::TcpStream;
    use rocket::tokio::sync::oneshot;
    use rocket_jwt_extended::testing::{Bearer, ManualClock};
    use rocket_jwt_extended::{Blocklist, MemoryBlocklist, Revocation};
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    use tokio_tungstenite::tungstenite::{Error, Message};
    use tokio_tungstenite::{WebSocketStream, client_async};

    use super::*;

    const OURS: &str = PAGES[0];
    const SHORT: Duration = Duration::from_millis(5);
    const LONG: Duration = Duration::from_secs(3600);

    /// The running example, with its port, clock and blocklist.
    struct Server {
        address: SocketAddr,
        clock: ManualClock,
        blocklist: Arc<MemoryBlocklist>,
        pair: TokenPair,
        shutdown: Shutdown,
    }

    type Socket = WebSocketStream<TcpStream>;

    impl Server {
        async fn start() -> Self {
            // So long that only the test with a silent client reaches it.
            Self::start_with(SHORT, LONG).await
        }

        async fn start_with(recheck: Duration, first_message: Duration) -> Self {
            let clock = ManualClock::new();
            let blocklist = Arc::new(MemoryBlocklist::new());
            let fairing = Jwt::fairing().clock(clock.clone()).blocklist(blocklist.clone());
            let rocket = application(fairing, recheck, first_message);
            let figment = rocket.figment().clone().merge(("port", 0)).merge(("log_level", "off"));
            let (tell, told) = oneshot::channel();
            let liftoff = AdHoc::on_liftoff("address", |rocket| {
                let config = rocket.config();
                let address = SocketAddr::new(config.address, config.port);
                Box::pin(async move { tell.send(address).expect("somebody waits for it") })
            });
            let rocket = rocket.configure(figment).attach(liftoff).ignite().await;
            let rocket = rocket.expect("the example ignites");
            let jwt = Jwt::fetch(&rocket).expect("it is attached");
            let pair = jwt.token_pair("ada").issue().expect("it is issued");
            let shutdown = rocket.shutdown();
            rocket::tokio::spawn(rocket.launch());
            let address = told.await.expect("the example launches");
            Self { address, clock, blocklist, pair, shutdown }
        }

        async fn open(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
            let url = format!("ws://{}{path}", self.address);
            let mut request = url.into_client_request().expect("it is a URL");
            for (name, value) in headers {
                request.headers_mut().append(*name, value.parse().expect("it is a value"));
            }
            let stream = TcpStream::connect(self.address).await.expect("the server listens");
            match client_async(request, stream).await {
                Ok((socket, _)) => Ok(socket),
                Err(Error::Http(answer)) => Err(answer.status().as_u16()),
                Err(error) => panic!("{error}"),
            }
        }

        fn cookie(&self) -> String {
            format!("access_token_cookie={}", self.pair.access_token())
        }

        async fn page(&self) -> Socket {
            let headers = [("cookie", &*self.cookie()), ("origin", OURS)];
            self.open("/chat", &headers).await.expect("it is let in")
        }

        async fn log_out(&self) {
            let session = self.pair.session_id().expect("a pair has a session");
            self.blocklist.revoke(&Revocation::session(session, None)).await.expect("in memory");
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            self.shutdown.clone().notify();
        }
    }

    async fn say(socket: &mut Socket, text: &str) {
        socket.send(Message::Text(text.into())).await.expect("the connection is open");
    }

    /// The next message; for a close message, its reason.
    async fn hear(socket: &mut Socket) -> String {
        // A connection that stays open must fail the test instead of blocking it forever.
        let next = time::timeout(Duration::from_secs(30), socket.next()).await;
        match next.expect("something comes in time") {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(Some(frame)))) => {
                assert_eq!(u16::from(frame.code), 1008);
                format!("closed: {}", frame.reason)
            }
            other => format!("{other:?}"),
        }
    }

    #[rocket::async_test]
    async fn a_message_reaches_every_connection() {
        let server = Server::start().await;
        let mut page = server.page().await;
        let bearer = format!("Bearer {}", server.pair.access_token());
        let headers = [("authorization", &*bearer)];
        let mut program = server.open("/chat/program", &headers).await.expect("it is let in");
        // Each client receives its own message after it has subscribed, so all have subscribed by
        // then.
        for socket in [&mut page, &mut program] {
            say(socket, "here").await;
            assert_eq!(hear(socket).await, "ada: here");
        }
        say(&mut program, "hello").await;
        while hear(&mut page).await != "ada: hello" {}
    }

    #[rocket::async_test]
    async fn a_page_of_another_origin_is_refused() {
        let server = Server::start().await;
        let cookie = server.cookie();
        for origin in [
            "https://evil.example",
            "https://app.example.test.evil.example",
            "https://evil.app.example.test",
            "https://app.example.test/",
            "https://app.example.test:8443",
            "http://app.example.test",
            "HTTPS://APP.EXAMPLE.TEST",
            "null",
            "",
        ] {
            let headers = [("cookie", &*cookie), ("origin", origin)];
            assert_eq!(server.open("/chat", &headers).await.err(), Some(403), "{origin}");
        }
        let without = [("cookie", &*cookie)];
        assert_eq!(server.open("/chat", &without).await.err(), Some(403));
        let two = [("cookie", &*cookie), ("origin", OURS), ("origin", "https://evil.example")];
        assert_eq!(server.open("/chat", &two).await.err(), Some(403));
    }

    #[rocket::async_test]
    async fn a_handshake_needs_a_token_where_the_route_looks_for_it() {
        let server = Server::start().await;
        let (cookie, bearer) = (server.cookie(), format!("Bearer {}", server.pair.access_token()));
        let in_url = format!("/chat/program?jwt={}", server.pair.access_token());
        for (path, header) in [
            ("/chat", None),
            ("/chat", Some(("authorization", &*bearer))),
            ("/chat/program", None),
            ("/chat/program", Some(("cookie", &*cookie))),
            (&in_url, None),
        ] {
            let headers: Vec<_> = header.into_iter().chain([("origin", OURS)]).collect();
            assert_eq!(server.open(path, &headers).await.err(), Some(401), "{path} {header:?}");
        }
    }

    #[rocket::async_test]
    async fn a_logout_ends_open_connections() {
        let server = Server::start().await;
        let mut socket = server.page().await;
        server.log_out().await;
        assert_eq!(hear(&mut socket).await, "closed: token_revoked");
    }

    #[rocket::async_test]
    async fn a_connection_ends_when_its_token_expires() {
        let server = Server::start().await;
        let mut socket = server.page().await;
        server.clock.advance(rocket_jwt_extended::Duration::minutes(15));
        assert_eq!(hear(&mut socket).await, "closed: token_expired");
    }

    #[rocket::async_test]
    async fn a_shutdown_ends_open_connections() {
        let server = Server::start().await;
        let mut socket = server.page().await;
        server.shutdown.clone().notify();
        assert_eq!(hear(&mut socket).await, "closed: shutdown");
    }

    #[rocket::async_test]
    async fn a_message_that_is_too_long_ends_the_connection() {
        let server = Server::start().await;
        let mut socket = server.page().await;
        say(&mut socket, &"x".repeat(MAX_MESSAGE)).await;
        assert_eq!(hear(&mut socket).await.len(), MAX_MESSAGE + "ada: ".len());
        say(&mut socket, &"x".repeat(MAX_MESSAGE + 1)).await;
        let end = socket.next().await;
        assert!(!matches!(end, Some(Ok(Message::Text(_)))), "{end:?}");
    }

    #[rocket::async_test]
    async fn the_first_message_must_be_a_valid_access_token() {
        let server = Server::start().await;
        let opened = server.open("/chat/first-message", &[]).await;
        let mut socket = opened.expect("it is open");
        say(&mut socket, server.pair.access_token()).await;
        say(&mut socket, "hello").await;
        assert_eq!(hear(&mut socket).await, "ada: hello");

        server.log_out().await;
        assert_eq!(hear(&mut socket).await, "closed: token_revoked");

        // The first verification refuses it, not a later one.
        let server = Server::start_with(LONG, LONG).await;
        for (text, reason) in [
            ("hello", "closed: token_invalid"),
            (server.pair.refresh_token(), "closed: wrong_token_type"),
        ] {
            let opened = server.open("/chat/first-message", &[]).await;
            let mut socket = opened.expect("it is open");
            say(&mut socket, text).await;
            assert_eq!(hear(&mut socket).await, reason);
        }
    }

    #[rocket::async_test]
    async fn a_connection_without_a_first_message_is_closed() {
        let server = Server::start_with(LONG, SHORT).await;
        let mut socket = server.open("/chat/first-message", &[]).await.expect("it is open");
        assert_eq!(hear(&mut socket).await, "closed: token_missing");
    }

    #[rocket::async_test]
    async fn an_event_stream_ends_with_its_token() {
        for (log_out, reason) in [(true, "token_revoked"), (false, "token_expired")] {
            let clock = ManualClock::new();
            let blocklist = Arc::new(MemoryBlocklist::new());
            let fairing = Jwt::fairing().clock(clock.clone()).blocklist(blocklist.clone());
            let client = Client::untracked(application(fairing, SHORT, SHORT)).await.unwrap();
            let jwt = Jwt::fetch(client.rocket()).unwrap();
            let pair = jwt.token_pair("ada").issue().unwrap();
            let cookie = Cookie::new("access_token_cookie", pair.access_token().to_string());

            assert_eq!(client.get("/events").dispatch().await.status(), Status::Unauthorized);
            let answer = client.get("/events").cookie(cookie).dispatch().await;
            assert_eq!(answer.status(), Status::Ok);
            match log_out {
                true => {
                    let entry = Revocation::session(pair.session_id().unwrap(), None);
                    blocklist.revoke(&entry).await.unwrap();
                }
                false => clock.advance(rocket_jwt_extended::Duration::minutes(15)),
            }
            let text = answer.into_string().await.unwrap();
            assert!(text.contains("event:ended") && text.contains(reason), "{text}");
            let answer = client.get("/events").header(Bearer(pair.access_token())).dispatch().await;
            assert_eq!(answer.status(), Status::Unauthorized);
        }
    }

    #[test]
    fn a_token_is_verified_again_when_it_expires_or_earlier() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let [second, minute, hour] = [1, 60, 3600].map(Duration::from_secs);
        assert_eq!(pause(Some(now + hour), now, minute), minute);
        assert_eq!(pause(Some(now + second), now, minute), second);
        assert_eq!(pause(Some(now), now, minute), Duration::ZERO);
        // Within the leeway, it is not verified in a busy loop.
        assert_eq!(pause(Some(now - second), now, minute), minute);
        assert_eq!(pause(None, now, minute), minute);
    }
}
