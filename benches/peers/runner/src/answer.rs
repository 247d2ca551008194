//! One response of a server.

use anyhow::{Context, Result, bail};

pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

/// The response in `bytes`, if it is complete.
pub fn parse(bytes: &[u8]) -> Result<Option<Answer<'_>>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(bytes)? else { return Ok(None) };
    let length = head.headers.iter().find(|it| it.name.eq_ignore_ascii_case("content-length"));
    let length = length.context("an answer without a length")?.value;
    let length: usize = std::str::from_utf8(length)?.trim().parse()?;
    let body = &bytes[start..];
    if body.len() > length {
        bail!("more than one answer");
    }
    let status = head.code.context("no status")?;
    Ok((body.len() == length).then_some(Answer { status, body }))
}
