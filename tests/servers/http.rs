//! A client: one request, one connection.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Nothing here takes as long; a test would rather fail than hang.
const GIVE_UP: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// The member `code` of a refusal.
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().into()
    }

    #[track_caller]
    pub fn pair(&self) -> Pair {
        assert_eq!(self.status, 200, "{self:?}");
        let body: Value = serde_json::from_str(&self.body).expect("JSON");
        let token = |name: &str| body[name].as_str().expect("a token").to_string();
        Pair { access: token("access_token"), refresh: token("refresh_token") }
    }

    #[track_caller]
    pub fn is_revoked(&self) {
        assert_eq!((self.status, &*self.code()), (401, "token_revoked"), "{self:?}");
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pair {
    pub access: String,
    pub refresh: String,
}

/// An error is a connection that was refused or cut.
pub fn send(port: u16, method: &str, path: &str, token: Option<&str>) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(GIVE_UP))?;
    stream.set_nodelay(true)?;
    let authorization =
        token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\
         {authorization}\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;

    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
    let field = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_string())
        })
    };
    let length = field("content-length").and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length != body.len()) {
        return Err(cut());
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    Ok(Answer { status, body: body.into() })
}
