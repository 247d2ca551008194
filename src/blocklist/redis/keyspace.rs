//! The keys of the entries, and how they are asked for.

use rocket_db_pools::deadpool_redis::redis;
use uuid::Uuid;

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
    pub(super) fn name(&self, [kind, id @ ..]: &EntryKey) -> String {
        let mut digits = Uuid::encode_buffer();
        let digits = Uuid::from_bytes_ref(id).as_simple().encode_lower(&mut digits);
        let mut name = String::with_capacity(self.prefix.len() + 1 + digits.len());
        name.push_str(&self.prefix);
        name.push(char::from(*kind));
        name.push_str(digits);
        name
    }

    /// Looks closer, where there is a key that is no string. Its row can't be read.
    async fn by_type(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let mut types = redis::pipe();
        for key in keys {
            types.cmd("TYPE").arg(self.name(key));
        }
        let types: Vec<String> = self.line.read(&types).await?;
        if types.len() != keys.len() {
            return Err(shared::malformed());
        }
        let is_other = |name: &str| !matches!(name, "string" | "none");
        let (others, strings): (Vec<_>, Vec<_>) =
            keys.iter().zip(&types).partition(|(_, name)| is_other(name));

        let mut values = redis::pipe();
        for (key, _) in &strings {
            values.get(self.name(key));
        }
        let values: Vec<Option<Vec<u8>>> = match strings.len() {
            0 => vec![],
            _ => self.line.read(&values).await?,
        };
        if values.len() != strings.len() {
            return Err(shared::malformed());
        }
        let mut rows = rows(strings.iter().map(|(key, _)| *key), values);
        rows.extend(others.iter().map(|(key, _)| Row { key: **key, fields: None }));
        Ok(rows)
    }
}

#[rocket::async_trait]
impl Reader for Keyspace {
    async fn read(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let names: Vec<_> = keys.iter().map(|key| self.name(key)).collect();
        // For a key of another type than a string MGET answers as for none at all; EXISTS counts it.
        let mut question = redis::pipe();
        question.cmd("MGET").arg(&names).cmd("EXISTS").arg(&names);
        let (values, there): (Vec<Option<Vec<u8>>>, usize) = self.line.read(&question).await?;
        match values.len() == keys.len() && values.iter().flatten().count() == there {
            true => Ok(rows(keys, values)),
            false => self.by_type(keys).await,
        }
    }
}

fn rows<'a>(
    keys: impl IntoIterator<Item = &'a EntryKey>,
    values: Vec<Option<Vec<u8>>>,
) -> Vec<Row> {
    let rows = keys.into_iter().zip(values);
    rows.filter_map(|(key, value)| Some(Row { key: *key, fields: fields(&value?) })).collect()
}
