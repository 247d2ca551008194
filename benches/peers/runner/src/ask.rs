//! A single request, outside the measured time.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::answer;

/// The status, and the body.
pub fn ask(port: u16, request: &[u8]) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request)?;
    let mut bytes = vec![];
    let mut piece = [0; 4096];
    loop {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            bail!("the connection was closed");
        }
        bytes.extend_from_slice(&piece[..length]);
        if let Some(answer) = answer::parse(&bytes)? {
            return Ok((answer.status, String::from_utf8_lossy(answer.body).into()));
        }
    }
}
