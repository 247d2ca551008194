//! One connection, on which many ask at the same time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rocket::tokio::time::timeout;
use rocket_db_pools::deadpool_redis::redis::aio::MultiplexedConnection;
use rocket_db_pools::deadpool_redis::redis::{self, FromRedisValue, RedisError, RedisResult};
use rocket_db_pools::deadpool_redis::Connection;

/// A connection with its place in the pool, where it is counted as in use.
///
/// Redis answers in the order in which it was asked, and an answer that nobody waits for any more is
/// dropped when it comes. Nothing that is asked here changes the state of the connection (`SELECT`,
/// `WATCH`, `MULTI`), or keeps it waiting, so none is in another's way.
pub(super) struct Line {
    connection: MultiplexedConnection,
    place: Mutex<Option<Connection>>,
    is_broken: AtomicBool,
    /// How many answers have come, plus one.
    answers: AtomicU64,
    /// What `answers` was when the latest of the questions that were given up began.
    given_up: AtomicU64,
}

impl Line {
    /// With `apart`, the pool no longer counts the connection.
    pub(super) fn new(place: Connection, apart: bool) -> Self {
        let connection = place.clone();
        let place = match apart {
            true => {
                drop(Connection::take(place));
                None
            }
            false => Some(place),
        };
        Self {
            connection,
            place: Mutex::new(place),
            is_broken: AtomicBool::new(false),
            answers: AtomicU64::new(1),
            given_up: AtomicU64::new(0),
        }
    }

    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        question: &redis::Pipeline,
    ) -> RedisResult<T> {
        let waiting = Waiting { line: self, since: self.answers.load(Ordering::SeqCst) };
        let result = question.query_async(&mut self.connection.clone()).await;
        waiting.end();
        match &result {
            Err(error) if breaks(error) => self.throw_away(),
            _ => _ = self.answers.fetch_add(1, Ordering::SeqCst),
        }
        result
    }

    /// Whether it answers in that time.
    pub(super) async fn answers_within(&self, limit: Duration) -> bool {
        timeout(limit, self.ask::<(String,)>(&ping())).await.is_ok_and(|answer| answer.is_ok())
    }

    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::SeqCst)
    }

    /// Whether somebody waited in vain, and nobody was answered since that one began to wait.
    ///
    /// A request that gives up says little by itself: its client may have left at once. But a
    /// connection that still takes questions and never answers (its server is stopped, the network
    /// is gone) shows itself by nothing else. Where many ask, one answer to any of them clears it.
    pub(super) fn is_suspect(&self) -> bool {
        self.given_up.load(Ordering::SeqCst) == self.answers.load(Ordering::SeqCst)
    }

    /// The pool never hands it out again, and opens another in its place. Who still waits is answered
    /// if an answer comes.
    pub(super) fn throw_away(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(place.map(Connection::take));
    }
}

/// Marks the line if it is dropped before it is over.
struct Waiting<'a> {
    line: &'a Line,
    since: u64,
}

impl Waiting<'_> {
    fn end(self) {
        std::mem::forget(self);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.line.given_up.fetch_max(self.since, Ordering::SeqCst);
    }
}

pub(super) fn ping() -> redis::Pipeline {
    let mut ping = redis::pipe();
    ping.cmd("PING");
    ping
}

/// Whether this is no answer, but the end of the connection.
fn breaks(error: &RedisError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error()
}
