//! The keys of the entries, and how they are asked for.

use rocket_db_pools::deadpool_redis::redis::{self, RedisError};

use super::shared_line::SharedLine;
use super::{fields, EntryKey, StoreError};
use crate::blocklist::gather::Reader;
use crate::blocklist::shared::{self, Row};

/// All keys that begin with a prefix, over a line.
pub(super) struct Keyspace {
    pub(super) line: SharedLine,
    pub(super) prefix: String,
}

impl Keyspace {
    /// The name of an entry's key.
    pub(super) fn name(&self, key: &EntryKey) -> String {
        shared::name(&self.prefix, key)
    }

    /// The values of these keys, all of which are strings or missing.
    async fn values<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a EntryKey>,
    ) -> Result<Vec<Row>, StoreError> {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut question = redis::pipe();
        for key in &keys {
            question.get(self.name(key));
        }
        let values: Vec<Option<Vec<u8>>> = self.line.read(&question).await?;
        if values.len() != keys.len() {
            return Err(shared::malformed());
        }
        let found = keys.into_iter().zip(values).filter_map(|(key, value)| Some((*key, value?)));
        let row = |(key, value): (_, Vec<u8>)| {
            let fields = fields(&value).map(|(fields, _)| fields);
            Row { key, fields }
        };
        Ok(found.map(row).collect())
    }

    /// Looks closer, where one of the keys is no string. Its row can't be read.
    async fn by_type(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let mut question = redis::pipe();
        for key in keys {
            question.cmd("TYPE").arg(self.name(key));
        }
        let types: Vec<String> = self.line.read(&question).await?;
        if types.len() != keys.len() {
            return Err(shared::malformed());
        }
        let is_string = |name: &str| matches!(name, "string" | "none");
        let (strings, others): (Vec<_>, Vec<_>) =
            keys.iter().zip(&types).partition(|(_, name)| is_string(name));
        let mut rows = match strings.is_empty() {
            true => vec![],
            false => self.values(strings.iter().map(|(key, _)| *key)).await?,
        };
        rows.extend(others.iter().map(|(key, _)| Row { key: **key, fields: None }));
        Ok(rows)
    }
}

#[rocket::async_trait]
impl Reader for Keyspace {
    async fn read(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        // Pipelined, not MGET, which answers "none" for a value of another type than a string.
        match self.values(keys).await {
            Err(error) if is_of_another_type(&error) => self.by_type(keys).await,
            result => result,
        }
    }
}

fn is_of_another_type(error: &StoreError) -> bool {
    let error = error.0.downcast_ref::<RedisError>();
    error.is_some_and(|error| error.code() == Some("WRONGTYPE"))
}
