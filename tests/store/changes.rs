//! Reading the changes of a store misses nothing: neither entries that are committed late or in another
//! order than they were written, nor those recorded after the store lost entries it had returned.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rocket::futures::future::join_all;
use rocket::time::{Duration, OffsetDateTime};
use rocket::tokio;
use rocket_jwt_extended::blocklist::{
    BlocklistPool, Cursor, EntryKey, ReplicableBlocklist, Revocation, StoreError,
};
use uuid::Uuid;

use crate::store_support::{self, pool, server};

/// A reader of a store's changes.
struct ChangeReader {
    store: Arc<dyn ReplicableBlocklist>,
    cursor: Option<Cursor>,
    seen: HashSet<EntryKey>,
}

impl ChangeReader {
    fn new(store: Arc<dyn ReplicableBlocklist>) -> Self {
        Self { store, cursor: None, seen: HashSet::new() }
    }

    /// The keys that one pass returns.
    async fn pass(&mut self) -> Result<HashSet<EntryKey>, StoreError> {
        let mut keys = HashSet::new();
        loop {
            let changes = self.store.changes(self.cursor.as_ref()).await?;
            keys.extend(changes.entries.iter().map(|entry| entry.key));
            self.cursor = Some(changes.cursor);
            if !changes.more {
                self.seen.extend(&keys);
                return Ok(keys);
            }
        }
    }

    async fn returns(&mut self, entry: &Revocation, what: &str) {
        assert!(self.pass().await.expect("a pass").contains(&entry.key()), "{what}");
    }

    async fn omits(&mut self, entry: &Revocation, what: &str) {
        assert!(!self.pass().await.expect("a pass").contains(&entry.key()), "{what}");
    }
}

fn session() -> Revocation {
    Revocation::session(Uuid::now_v7().to_string(), OffsetDateTime::now_utc() + Duration::HOUR)
}

/// Many write while one reads: every entry acknowledged before a pass began is known after it.
async fn acknowledged_entries_are_returned(stores: [Arc<dyn ReplicableBlocklist>; 2]) {
    let (over, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let write = |store: Arc<dyn ReplicableBlocklist>| {
        let (over, acknowledged) = (&over, &acknowledged);
        async move {
            while !over.load(Ordering::SeqCst) {
                let entry = session();
                // SQLite may give up waiting for a lock: the entry is then not acknowledged.
                if store.revoke(&entry).await.is_ok() {
                    acknowledged.lock().expect("no panic").push(entry.key());
                }
            }
        }
    };
    let read = async {
        let mut reader = ChangeReader::new(stores[0].clone());
        while acknowledged.lock().expect("no panic").len() < 600 {
            let before = acknowledged.lock().expect("no panic").clone();
            if reader.pass().await.is_err() {
                continue;
            }
            let missed = before.iter().filter(|key| !reader.seen.contains(*key)).count();
            assert_eq!(missed, 0, "of {}", before.len());
            tokio::task::yield_now().await;
        }
        over.store(true, Ordering::SeqCst);
    };
    let writers = join_all((0..6).map(|index| write(stores[index % 2].clone())));
    tokio::join!(read, writers);
}

/// Each of these writes touches ten thousand entries, which a reader gets in pages; so does one that begins
/// later.
async fn many_entries_are_returned(
    store: Arc<dyn ReplicableBlocklist>,
    writes: &[&str],
    write: impl AsyncFn(&str),
) -> ChangeReader {
    let mut reader = ChangeReader::new(store);
    reader.pass().await.expect("a pass");
    for statement in writes {
        write(statement).await;
        assert_eq!(reader.pass().await.expect("a pass").len(), 10_000, "{statement}");
    }
    let mut other = ChangeReader::new(reader.store.clone());
    assert_eq!(other.pass().await.expect("a pass").len(), 10_000);
    reader
}

async fn two<P: BlocklistPool>(url: &str) -> [Arc<dyn ReplicableBlocklist>; 2] {
    [server::<P>(url).await, server::<P>(url).await]
}

/// A transaction in which the store's own statement has recorded an entry, not yet committed.
macro_rules! held_open {
    ($pool:expr, $store:expr, $entry:expr) => {{
        let mut transaction = $pool.begin().await.expect("a transaction");
        held_open!(in &mut transaction, $store, $entry);
        transaction
    }};
    (in $transaction:expr, $store:expr, $entry:expr) => {{
        let statements = $store.statements();
        let (_, insert) = statements.iter().find(|(name, _)| *name == "insert").expect("its name");
        let until = $entry.until().expect("an end").unix_timestamp() * 1000;
        let query = sqlx::query(insert).bind($entry.key().to_vec()).bind(true);
        let query = query.bind(None::<i64>).bind(until);
        query.execute(&mut **$transaction).await.expect("it is written");
    }};
}

mod postgres {
    use rocket_db_pools::deadpool_postgres;
    use rocket_db_pools::sqlx::{self, Executor, PgPool};
    use rocket_jwt_extended::blocklist::SqlxBlocklist;

    use super::*;
    use store_support::sqlx_postgres::Home;

    #[rocket::async_test]
    async fn entries_committed_late_or_out_of_order_are_returned() {
        let home = Home::new().await;
        let others = pool::<PgPool>(&home.url).await;
        let store = SqlxBlocklist::new(others.clone());
        store.create_table().await.expect("a table");
        for reader in
            [server::<PgPool>(&home.url).await, server::<deadpool_postgres::Pool>(&home.url).await]
        {
            let mut reader = ChangeReader::new(reader);
            reader.pass().await.expect("a pass");
            let [first, second, third, fourth, undone] = [(); 5].map(|()| session());

            // Begun in this order, each with its id, one of them before it writes anything.
            let mut writes_late = others.begin().await.expect("a transaction");
            writes_late.execute("SELECT txid_current()").await.expect("a number");
            let held = held_open!(others, store, first);
            let ends_early = held_open!(others, store, second);
            let rolled_back = held_open!(others, store, undone);
            server::<PgPool>(&home.url).await.revoke(&third).await.expect("it is recorded");

            reader.returns(&third, "the last that was begun, committed first").await;
            ends_early.commit().await.expect("committed");
            reader.returns(&second, "committed in another order").await;
            for _ in 0..3 {
                reader.omits(&first, "not yet committed").await;
            }
            held.commit().await.expect("committed");
            reader.returns(&first, "committed late").await;
            rolled_back.rollback().await.expect("rolled back");
            reader.omits(&undone, "rolled back").await;
            held_open!(in &mut writes_late, store, fourth);
            reader.omits(&fourth, "not yet committed").await;
            writes_late.commit().await.expect("committed");
            reader.returns(&fourth, "written and committed late").await;
        }
        home.end().await;
    }

    #[rocket::async_test]
    async fn acknowledged_entries_are_returned() {
        let home = Home::new().await;
        let stores =
            [server::<PgPool>(&home.url).await, server::<deadpool_postgres::Pool>(&home.url).await];
        super::acknowledged_entries_are_returned(stores).await;
        home.end().await;
    }

    #[rocket::async_test]
    async fn many_entries_are_returned_in_pages() {
        let home = Home::new().await;
        let admin = pool::<PgPool>(&home.url).await;
        // In one transaction, as others write one each.
        let insert = "INSERT INTO jwt_blocklist (entry, revoked, changed) \
                      SELECT convert_to('t' || lpad(i::text, 16, '0'), 'UTF8'), true, \
                      txid_current() FROM generate_series(1, 10000) AS i";
        for store in
            [server::<PgPool>(&home.url).await, server::<deadpool_postgres::Pool>(&home.url).await]
        {
            let write = async |sql: &str| {
                admin.execute(sql).await.expect("rows");
            };
            many_entries_are_returned(store, &[insert], write).await;
            admin.execute("DELETE FROM jwt_blocklist").await.expect("no rows");
        }
        home.end().await;
    }

    /// Each query uses an index, with and without statistics.
    #[rocket::async_test]
    async fn the_newest_are_found_without_the_others() {
        let home = Home::new().await;
        let mut reader = ChangeReader::new(server::<PgPool>(&home.url).await);
        let admin = pool::<PgPool>(&home.url).await;
        let insert = "INSERT INTO jwt_blocklist (entry, revoked, changed) \
                      SELECT convert_to('t' || lpad(i::text, 16, '0'), 'UTF8'), true, 1 \
                      FROM generate_series(1, 10000) AS i";
        admin.execute(insert).await.expect("rows");
        assert_eq!(reader.pass().await.expect("a pass").len(), 10_000);
        for _ in 0..2 {
            let entry = session();
            reader.store.revoke(&entry).await.expect("it is recorded");
            let keys = reader.pass().await.expect("a pass");
            assert!(keys.contains(&entry.key()) && keys.len() <= 2, "{}", keys.len());
            admin.execute("ANALYZE jwt_blocklist").await.expect("statistics");
        }
        home.end().await;
    }
}

mod mysql {
    use rocket_db_pools::sqlx::mysql::MySqlPoolOptions;
    use rocket_db_pools::sqlx::{self, Executor, MySqlPool};
    use rocket_jwt_extended::blocklist::SqlxBlocklist;

    use super::*;
    use store_support::sqlx_mysql::Home;

    #[rocket::async_test]
    async fn entries_committed_late_or_out_of_order_are_returned() {
        // By itself, the second takes no lock on what a statement only reads.
        for isolation in ["REPEATABLE READ", "READ COMMITTED"] {
            committed_late(isolation).await;
        }
    }

    async fn committed_late(isolation: &'static str) {
        let home = Home::new().await;
        let options = MySqlPoolOptions::new().after_connect(move |connection, _| {
            Box::pin(async move {
                let set = format!("SET SESSION TRANSACTION ISOLATION LEVEL {isolation}");
                connection.execute(&*set).await.map(|_| ())
            })
        });
        let others = options.connect(&home.url).await.expect("a pool");
        let store = SqlxBlocklist::new(others.clone());
        store.create_table().await.expect("a table");
        let mut reader = ChangeReader::new(server::<MySqlPool>(&home.url).await);
        reader.pass().await.expect("a pass");
        let [first, second, third, fourth, undone] = [(); 5].map(|()| session());

        let mut writes_late = others.begin().await.expect("a transaction");
        // At REPEATABLE READ this is what the transaction sees from now on.
        writes_late.execute("SELECT * FROM jwt_blocklist_epoch").await.expect("a snapshot");
        let held = held_open!(others, store, first);
        let ends_early = held_open!(others, store, second);
        let rolled_back = held_open!(others, store, undone);
        // Writers do not block each other.
        server::<MySqlPool>(&home.url).await.revoke(&third).await.expect("it is recorded");

        // A poll that may have missed an entry fails.
        assert!(reader.pass().await.is_err(), "three are open, {isolation}");
        ends_early.commit().await.expect("committed");
        rolled_back.rollback().await.expect("rolled back");
        assert!(reader.pass().await.is_err(), "one is open");
        held.commit().await.expect("committed");
        let keys = reader.pass().await.expect("a pass");
        for entry in [&first, &second, &third] {
            assert!(keys.contains(&entry.key()), "committed late");
        }
        assert!(!keys.contains(&undone.key()), "rolled back");

        held_open!(in &mut writes_late, store, fourth);
        assert!(reader.pass().await.is_err(), "one is open");
        writes_late.commit().await.expect("committed");
        reader.returns(&fourth, "written and committed late").await;
        home.end().await;
    }

    #[rocket::async_test]
    async fn acknowledged_entries_are_returned() {
        let home = Home::new().await;
        super::acknowledged_entries_are_returned(two::<MySqlPool>(&home.url).await).await;
        home.end().await;
    }

    /// As after a fail-over that lost the last epochs, which are then assigned again.
    #[rocket::async_test]
    async fn after_a_loss_all_entries_are_returned() {
        let home = Home::new().await;
        let admin = pool::<MySqlPool>(&home.url).await;
        let mut reader = ChangeReader::new(server::<MySqlPool>(&home.url).await);
        let mut other = ChangeReader::new(server::<MySqlPool>(&home.url).await);
        reader.pass().await.expect("a pass");
        other.pass().await.expect("a pass");
        admin.execute("CREATE TABLE kept SELECT * FROM jwt_blocklist_epoch").await.expect("kept");
        for _ in 0..4 {
            reader.pass().await.expect("a pass");
        }
        admin.execute("REPLACE INTO jwt_blocklist_epoch SELECT * FROM kept").await.expect("lost");
        let entry = session();
        other.store.revoke(&entry).await.expect("it is recorded");
        for _ in 0..10 {
            other.pass().await.expect("a pass");
        }
        reader.returns(&entry, "recorded in an epoch that had been assigned before").await;
        home.end().await;
    }

    /// All tables were truncated: whoever comes first restores the epoch, and nothing is missed.
    #[rocket::async_test]
    async fn a_missing_epoch_is_restored_and_all_is_read_again() {
        let home = Home::new().await;
        let admin = pool::<MySqlPool>(&home.url).await;
        let mut reader = ChangeReader::new(server::<MySqlPool>(&home.url).await);
        reader.pass().await.expect("a pass");
        let remove = async || {
            admin.execute("TRUNCATE jwt_blocklist_epoch").await.expect("no epoch");
        };
        for _ in 0..3 {
            // By a write, by a reader, and by a launch.
            remove().await;
            let entry = session();
            reader.store.revoke(&entry).await.expect("it is recorded");
            reader.returns(&entry, "recorded when the epoch was missing").await;

            remove().await;
            reader.pass().await.expect("a pass");

            remove().await;
            let launched = server::<MySqlPool>(&home.url).await;
            let entry = session();
            launched.revoke(&entry).await.expect("it is recorded");
            reader.returns(&entry, "recorded after a launch").await;
        }
        // By none, where the right is missing: nothing is acknowledged then.
        admin.execute("DROP TABLE jwt_blocklist_epoch").await.expect("no table");
        assert!(reader.store.revoke(&session()).await.is_err(), "no epoch");
        assert!(reader.pass().await.is_err(), "no epoch");
        home.end().await;
    }

    #[rocket::async_test]
    async fn many_entries_are_returned_in_pages() {
        let home = Home::new().await;
        let admin = pool::<MySqlPool>(&home.url).await;
        let digits = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 \
                      UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
        let insert = format!(
            "INSERT INTO jwt_blocklist (entry, revoked, changed) SELECT \
             CONCAT('t', LPAD(a.d + 10 * b.d + 100 * c.d + 1000 * e.d, 16, '0')), 1, epoch \
             FROM {digits} a, {digits} b, {digits} c, {digits} e, jwt_blocklist_epoch"
        );
        let store = server::<MySqlPool>(&home.url).await;
        let write = async |sql: &str| {
            admin.execute(sql).await.expect("rows");
        };
        let mut reader = many_entries_are_returned(store, &[&insert], write).await;
        // The epoch has ended, and there is nothing new.
        assert!(reader.pass().await.expect("a pass").is_empty());
        home.end().await;
    }
}

mod sqlite {
    use rocket_db_pools::sqlx::{Executor, SqlitePool};

    use super::*;
    use store_support::sqlite::Home;

    #[rocket::async_test]
    async fn acknowledged_entries_are_returned() {
        let home = Home::new().await;
        super::acknowledged_entries_are_returned(two::<SqlitePool>(&home.url).await).await;
        let admin = pool::<SqlitePool>(&home.url).await;
        admin.execute("PRAGMA journal_mode = WAL").await.expect("the mode is set");
        super::acknowledged_entries_are_returned(two::<SqlitePool>(&home.url).await).await;
        home.end().await;
    }

    /// As when the clock was set back, and the row with the highest number was pruned.
    #[rocket::async_test]
    async fn after_the_highest_number_was_pruned_all_entries_are_returned() {
        let home = Home::new().await;
        let admin = pool::<SqlitePool>(&home.url).await;
        let mut reader = ChangeReader::new(server::<SqlitePool>(&home.url).await);
        let [stays, leaves, later] = [(); 3].map(|()| session());
        reader.store.revoke(&stays).await.expect("it is recorded");
        reader.store.revoke(&leaves).await.expect("it is recorded");
        let ahead = "UPDATE jwt_blocklist SET changed = changed + 1000000000";
        admin.execute(ahead).await.expect("numbers ahead");
        reader.pass().await.expect("a pass");
        let leave = "DELETE FROM jwt_blocklist";
        admin.execute(leave).await.expect("no rows");
        reader.store.revoke(&later).await.expect("it is recorded");
        reader.returns(&later, "with a lower number").await;
        home.end().await;
    }

    #[rocket::async_test]
    async fn many_entries_are_returned_in_pages() {
        let home = Home::new().await;
        let admin = pool::<SqlitePool>(&home.url).await;
        let insert = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 10000) \
                      INSERT INTO jwt_blocklist (entry, revoked, changed) \
                      SELECT CAST(printf('t%016d', i) AS BLOB), 1, 1 + i / 5000 FROM n";
        let again = "UPDATE jwt_blocklist SET changed = changed + 10";
        let store = server::<SqlitePool>(&home.url).await;
        let write = async |sql: &str| {
            admin.execute(sql).await.expect("rows");
        };
        many_entries_are_returned(store, &[insert, again], write).await;
        home.end().await;
    }
}

mod redis {
    use rocket_jwt_extended::blocklist::RedisBlocklist;

    use super::*;
    use store_support::deadpool_redis::Home;

    fn store(home: &Home) -> Arc<dyn ReplicableBlocklist> {
        Arc::new(RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix))
    }

    #[rocket::async_test]
    async fn acknowledged_entries_are_returned() {
        let home = Home::new().await;
        super::acknowledged_entries_are_returned([store(&home), store(&home)]).await;
        home.end().await;
    }

    /// Trimmed beyond the last record read, or flushed with all keys.
    #[rocket::async_test]
    async fn after_the_stream_was_trimmed_all_entries_are_returned() {
        let home = Home::new().await;
        let mut reader = ChangeReader::new(store(&home));
        reader.pass().await.expect("a pass");
        let [first, second, third, last] = [(); 4].map(|()| session());
        reader.store.revoke(&first).await.expect("it is recorded");
        home.ask::<i64>(&["XTRIM", &home.stream(), "MAXLEN", "0"]).await;
        reader.store.revoke(&second).await.expect("it is recorded");
        let keys = reader.pass().await.expect("a pass");
        assert!(keys.contains(&first.key()) && keys.contains(&second.key()));

        for key in home.keys().await.into_iter().chain([home.stream()]) {
            home.ask::<()>(&["DEL", &key]).await;
        }
        reader.store.revoke(&third).await.expect("it is recorded");
        assert_eq!(reader.pass().await.expect("a pass"), HashSet::from([third.key()]));
        reader.store.revoke(&last).await.expect("it is recorded");
        assert_eq!(reader.pass().await.expect("a pass"), HashSet::from([last.key()]));
        assert!(reader.pass().await.expect("a pass").is_empty());
        home.end().await;
    }

    /// Another record has the id of the last one read.
    #[rocket::async_test]
    async fn a_record_of_the_same_number_is_not_taken_for_the_one_that_was_lost() {
        let home = Home::new().await;
        let mut reader = ChangeReader::new(store(&home));
        reader.pass().await.expect("a pass");
        let [first, lost] = [(); 2].map(|()| session());
        reader.store.revoke(&first).await.expect("it is recorded");
        reader.pass().await.expect("a pass");
        let newest: Vec<Vec<rocket_db_pools::deadpool_redis::redis::Value>> =
            home.ask(&["XREVRANGE", &home.stream(), "+", "-", "COUNT", "1"]).await;
        let id: String =
            rocket_db_pools::deadpool_redis::redis::from_redis_value(&newest[0][0]).expect("an id");
        // As on a server with another history, whose stream was shorter.
        reader.store.revoke(&lost).await.expect("it is recorded");
        home.ask::<()>(&["DEL", &home.stream()]).await;
        home.ask::<String>(&["XADD", &home.stream(), &id, "entry", "- other"]).await;
        reader.returns(&lost, "lost from the stream").await;
        home.end().await;
    }

    #[rocket::async_test]
    async fn many_entries_are_returned_in_pages() {
        let home = Home::new().await;
        let mut reader = ChangeReader::new(store(&home));
        reader.pass().await.expect("a pass");
        let write = |count: usize| {
            let store = store(&home);
            async move {
                let entries: Vec<_> = (0..count).map(|_| session()).collect();
                for some in entries.chunks(200) {
                    let written = join_all(some.iter().map(|entry| store.revoke(entry))).await;
                    assert!(written.iter().all(|one| matches!(one, Ok(true))), "{written:?}");
                }
                entries.iter().map(Revocation::key).collect::<HashSet<_>>()
            }
        };
        let first = write(5000).await;
        assert_eq!(reader.pass().await.expect("a pass"), first);
        // More than the stream keeps.
        let second = write(18_000).await;
        let keys = reader.pass().await.expect("a pass");
        assert_eq!(keys.len(), 23_000);
        assert!(keys.is_superset(&first) && keys.is_superset(&second));
        let mut other = ChangeReader::new(reader.store.clone());
        assert_eq!(other.pass().await.expect("a pass").len(), 23_000);
        home.end().await;
    }
}
