//! Checks that each server behaves as its figures assume.

use anyhow::{Context, Result, ensure};
use peer::USER;

use crate::ask::ask;
use crate::peers::{Bench, Guard, Target};
use crate::token;

pub fn all(bench: &Bench) -> Result<()> {
    for target in &bench.targets {
        let name = &bench.servers[target.server].name;
        check(bench, target).with_context(|| format!("{name} at {}", target.path))?;
    }
    Ok(())
}

fn check(bench: &Bench, target: &Target) -> Result<()> {
    let port = bench.servers[target.server].port;
    let lets_in = |token: Option<&str>| -> Result<bool> {
        let (status, body) = ask(port, &token::request(target.path, token))?;
        match status {
            200 => {
                ensure!(body == USER, "the body is {body:?}");
                Ok(true)
            }
            400..500 => Ok(false),
            _ => anyhow::bail!("status {status}"),
        }
    };
    let good = bench.issuer.token()?;
    ensure!(lets_in(Some(&good))?, "a good token is refused");
    ensure!(lets_in(None)? == (target.guard == Guard::None), "no token, and the wrong answer");
    let lets_all = target.guard != Guard::Token;
    ensure!(lets_in(Some(&token::tampered(&good)))? == lets_all, "a wrong signature is let in");
    ensure!(lets_in(Some(&bench.issuer.expired()?))? == lets_all, "an expired token is let in");
    Ok(())
}
