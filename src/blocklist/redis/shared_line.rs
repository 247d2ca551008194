//! The line that all requests share: opened once for all of them, and again when it is no good.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rocket::futures::future::{BoxFuture, FutureExt, Shared};
use rocket::tokio;
use rocket_db_pools::deadpool_redis::redis::{FromRedisValue, Pipeline};
use rocket_db_pools::deadpool_redis::{Pool, PoolError, Timeouts};

use super::line::{ping, Line};
use super::StoreError;

/// How long a connection that is under suspicion may take to answer a ping. Well below what a request
/// waits, so that the one which finds a dead connection is answered on the next.
const PATIENCE: Duration = Duration::from_millis(500);

/// A line, or what became of the attempt to open one, for all who wait for it.
type Opening = Shared<BoxFuture<'static, Result<Arc<Line>, Arc<PoolError>>>>;

pub(super) struct SharedLine {
    pool: Pool,
    opening: Mutex<Option<Opening>>,
}

impl SharedLine {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool, opening: Mutex::new(None) }
    }

    /// Asks what changes nothing. A connection that was closed since it was last used is only found
    /// out by asking, so the question is then put once more, on another.
    pub(super) async fn read<T: FromRedisValue>(
        &self,
        question: &Pipeline,
    ) -> Result<T, StoreError> {
        let line = self.line().await?;
        match line.ask(question).await {
            Err(_) if line.is_broken() => self.ask(question).await,
            result => result.map_err(StoreError::new),
        }
    }

    /// Asks what changes something. It is never repeated: where the connection breaks, nobody knows
    /// whether it was done. That the connection is still there is asked before, by a ping.
    pub(super) async fn write<T: FromRedisValue>(
        &self,
        question: &Pipeline,
    ) -> Result<T, StoreError> {
        self.read::<(String,)>(&ping()).await?;
        self.ask(question).await
    }

    async fn ask<T: FromRedisValue>(&self, question: &Pipeline) -> Result<T, StoreError> {
        self.line().await?.ask(question).await.map_err(StoreError::new)
    }

    async fn line(&self) -> Result<Arc<Line>, StoreError> {
        let opening = match self.ready() {
            Ok(line) => return Ok(line),
            Err(opening) => opening,
        };
        opening.await.map_err(StoreError::new)
    }

    /// The line if there is one to be used, or else the opening of the next, which is begun if there
    /// is none yet: all who ask meanwhile wait for the same one.
    fn ready(&self) -> Result<Arc<Line>, Opening> {
        let mut current = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let mut suspect = None;
        if let Some(opening) = &*current {
            match opening.clone().now_or_never() {
                None => return Err(opening.clone()),
                // It is returned to the pool, which is closed too, or has been thrown away.
                Some(Ok(line)) if self.pool.is_closed() || line.is_broken() => drop(line),
                Some(Ok(line)) if line.is_suspect() => suspect = Some(line),
                Some(Ok(line)) => return Ok(line),
                Some(Err(_)) => {}
            }
        }
        let opening = opening(self.pool.clone(), suspect);
        *current = Some(opening.clone());
        Err(opening)
    }
}

/// Opens a line in a task of its own: if the request that began it stops waiting, it goes on for the
/// others. Otherwise, where opening one takes longer than a request waits, none would ever be opened.
fn opening(pool: Pool, suspect: Option<Arc<Line>>) -> Opening {
    let opening = tokio::spawn(async move {
        let opened = match suspect {
            Some(line) => recover(&pool, line).await,
            None => open(&pool).await,
        };
        opened.map_err(Arc::new)
    });
    async { opening.await.unwrap_or_else(|_| Err(Arc::new(PoolError::Closed))) }.boxed().shared()
}

/// The same line, if it answers. A ping is all that a client costs which asks and leaves, however
/// often it does so; only a connection that is silent is replaced.
async fn recover(pool: &Pool, line: Arc<Line>) -> Result<Arc<Line>, PoolError> {
    let begin = Instant::now();
    if line.answers_within(PATIENCE).await {
        return Ok(line);
    }
    line.throw_away();
    // What else lies in the pool and has not answered since either goes as well: the pool would
    // wait for one after the other.
    pool.retain(|_, metrics| metrics.recycled.unwrap_or(metrics.created) > begin);
    open(pool).await
}

async fn open(pool: &Pool) -> Result<Arc<Line>, PoolError> {
    let timeouts = pool.timeouts();
    let recycle = timeouts.recycle.map_or(PATIENCE, |limit| limit.min(PATIENCE));
    let connection = pool.timeout_get(&Timeouts { recycle: Some(recycle), ..timeouts }).await?;
    // The application keeps the only connection of its pool.
    let apart = pool.status().max_size == 1;
    Ok(Arc::new(Line::new(connection, apart)))
}
