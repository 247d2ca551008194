//! The keys of the entries: their names, their values, and how they are read.

use rocket_db_pools::deadpool_redis::redis::{self, RedisError};

use super::shared_connection::SharedConnection;
use crate::blocklist::database::batch::Reader;
use crate::blocklist::database::rows::{self, Columns, Row};
use crate::blocklist::entry::EntryKey;
use crate::blocklist::store::StoreError;

/// The key of the stream of changes, after the prefix. It is not the key of an entry, as no kind
/// has the letter `c`.
const STREAM: &str = "changes";

/// All keys that begin with a prefix.
pub(super) struct Keyspace {
    pub(super) connection: SharedConnection,
    pub(super) prefix: String,
}

impl Keyspace {
    /// The name of an entry's key.
    pub(super) fn name(&self, key: &EntryKey) -> String {
        rows::name(&self.prefix, key)
    }

    /// The name of the stream to which each write of an entry is appended.
    pub(super) fn stream(&self) -> String {
        format!("{}{STREAM}", self.prefix)
    }

    /// Reads the values of keys that are all strings or missing.
    async fn values<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a EntryKey>,
    ) -> Result<Vec<Row>, StoreError> {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut request = redis::pipe();
        for key in &keys {
            request.get(self.name(key));
        }
        let values: Vec<Option<Vec<u8>>> = self.connection.read(request).await?;
        if values.len() != keys.len() {
            return Err(rows::malformed());
        }
        let found = keys.into_iter().zip(values).filter_map(|(key, value)| Some((*key, value?)));
        let row = |(key, value): (_, Vec<u8>)| {
            let fields = parse_value(&value).and_then(|(columns, _)| columns.fields(&key));
            Row { key, fields }
        };
        Ok(found.map(row).collect())
    }

    /// Reads the keys by their types, if one of them is not a string. The row of such a key is
    /// malformed.
    async fn by_type(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let mut request = redis::pipe();
        for key in keys {
            request.cmd("TYPE").arg(self.name(key));
        }
        let types: Vec<String> = self.connection.read(request).await?;
        if types.len() != keys.len() {
            return Err(rows::malformed());
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
        // A pipeline rather than MGET, which returns nil for a value of another type than a string.
        match self.values(keys).await {
            Err(error) if is_wrong_type(&error) => self.by_type(keys).await,
            result => result,
        }
    }
}

fn is_wrong_type(error: &StoreError) -> bool {
    let error = error.0.downcast_ref::<RedisError>();
    error.is_some_and(|error| error.code() == Some("WRONGTYPE"))
}

/// Parses `revoked cut_off expires changed`, which for the row of a session that was exchanged or begun
/// continues with `current last exchanged seed ended_by subject seen ends`. Returns the columns, and
/// `expires`.
pub(super) fn parse_value(value: &[u8]) -> Option<(Columns, Option<i64>)> {
    let mut fields = std::str::from_utf8(value).ok()?.split(' ').peekable();
    let revoked = match fields.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let (cut_off, expires) = (time(fields.next()?)?, time(fields.next()?)?);
    time(fields.next()?)??;
    let mut columns = Columns { revoked, cut_off, ..Columns::default() };
    if fields.peek().is_some() {
        columns.current = id(fields.next()?)?;
        columns.last = id(fields.next()?)?;
        columns.exchanged = time(fields.next()?)?;
        columns.seed = id(fields.next()?)?;
        columns.ended_by = id(fields.next()?)?;
        // Only the scripts read these fields; a lookup does not need them.
        id(fields.next()?)?;
        time(fields.next()?)?;
        time(fields.next()?)?;
    }
    fields.next().is_none().then_some((columns, expires))
}

fn time(text: &str) -> Option<Option<i64>> {
    match text {
        "-" => Some(None),
        millis => millis.parse().ok().map(Some),
    }
}

fn id(text: &str) -> Option<Option<Vec<u8>>> {
    match text {
        "-" => Some(None),
        digits => Some(Some(rows::parse_id(digits)?.to_vec())),
    }
}
