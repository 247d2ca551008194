//! Sets up the table at launch: creates it if it is missing, and tests the role's rights, so that a
//! missing right does not first fail a logout.

use std::fmt::Write;

use rocket::tokio;

use super::retry;
use super::statements::Statements;
use crate::blocklist::store::StoreError;

/// The reasons for a failed statement that matter at launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The role lacks a right.
    Denied,
    /// Another transaction conflicted.
    RolledBack,
    /// The session or the server is read-only.
    ReadOnly,
    /// The file is read-only, in SQLite.
    #[cfg(feature = "sqlx_sqlite")]
    ReadOnlyFile,
    Other,
}

#[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
impl Fault {
    pub(super) fn of_postgres(sql_state: &str) -> Self {
        match sql_state {
            // Also if no schema may be used.
            "42501" | "3F000" => Self::Denied,
            "40001" | "40P01" => Self::RolledBack,
            "25006" => Self::ReadOnly,
            _ => Self::Other,
        }
    }
}

/// A connection for setting up the table.
#[rocket::async_trait]
pub(super) trait Session: Send {
    type Error: std::error::Error + Send + Sync + 'static;

    /// Runs statements without parameters.
    async fn run(&mut self, statements: &str) -> Result<(), Self::Error>;

    /// The role, in the form that `GRANT` needs.
    async fn role(&mut self) -> Option<String>;

    fn fault(error: &Self::Error) -> Fault;
}

/// Creates the table if it is missing, restores required rows, and tries to write.
pub(super) async fn set_up<S: Session>(
    session: &mut S,
    statements: &Statements,
) -> Result<(), StoreError> {
    if let Err(missing) = session.run(&statements.probe).await {
        let created = session.run(&statements.create).await;
        // IF NOT EXISTS can fail in PostgreSQL when two servers create the table at the same time, so
        // only whether the table exists afterwards counts.
        if session.run(&statements.probe).await.is_err() {
            return Err(no_table(session, statements, missing, created.err()).await);
        }
    }
    if let Some(repair) = &statements.repair {
        // A missing right fails the write below only if there was something to restore.
        let _ = session.run(repair).await;
    }
    let mut attempt = 1;
    let error = loop {
        let Err(error) = session.run(&statements.trial).await else { return Ok(()) };
        if statements.trial_begins {
            let _ = session.run("ROLLBACK").await;
        }
        if S::fault(&error) != Fault::RolledBack || attempt >= retry::ATTEMPTS {
            break error;
        }
        tokio::time::sleep(retry::backoff(attempt)).await;
        attempt += 1;
    };
    match S::fault(&error) {
        Fault::Denied => Err(no_right(session, statements, error).await),
        // Such a state may end without a restart, and lookups work until then.
        Fault::ReadOnly => {
            log::warn!(
                "JWT: the blocklist's table `{}` can be read, but not written: {error}. Until it can, \
                 logging out and refreshing are answered with 503. Connect to the primary; in \
                 PostgreSQL, check `default_transaction_read_only`, in MySQL `read_only`.",
                statements.table
            );
            Ok(())
        }
        #[cfg(feature = "sqlx_sqlite")]
        Fault::ReadOnlyFile => Err(StoreError::new(format!(
            "the database can't be written: {error}. Give this process the right to write to the \
             file and to its folder"
        ))),
        Fault::Other | Fault::RolledBack => Err(StoreError::new(format!(
            "an entry can't be written to `{}`: {error}",
            statements.table
        ))),
    }
}

async fn no_table<S: Session>(
    session: &mut S,
    statements: &Statements,
    missing: S::Error,
    created: Option<S::Error>,
) -> StoreError {
    if S::fault(&missing) == Fault::Denied {
        return no_right(session, statements, missing).await;
    }
    if session.run(&statements.probe_old).await.is_ok() {
        return StoreError::new(format!(
            "the table `{}` has a row for each refresh token that was exchanged, not one for each \
             session. As its owner, run: {}",
            statements.table, statements.upgrade
        ));
    }
    let Some(created) = created else { return StoreError::new(missing) };
    let mut text = format!(
        "the table `{}` can't be used ({missing}), and can't be created either ({created})",
        statements.table
    );
    match S::fault(&created) {
        Fault::Denied => {
            let _ = write!(
                text,
                ". Create it as its owner with the file for this database in `migrations/`, then: {}",
                grant(session, statements).await
            );
        }
        #[cfg(feature = "sqlx_sqlite")]
        Fault::ReadOnlyFile => {
            text.push_str(". Give this process the right to write to the file and to its folder")
        }
        _ => {}
    }
    StoreError::new(text)
}

/// Names every right that is missing, rather than only the first.
async fn no_right<S: Session>(
    session: &mut S,
    statements: &Statements,
    error: S::Error,
) -> StoreError {
    let mut missing = Vec::new();
    for (right, statement) in &statements.rights {
        if let Err(error) = session.run(statement).await
            && S::fault(&error) == Fault::Denied
        {
            missing.push(&**right);
        }
    }
    let missing = match missing.is_empty() {
        // PostgreSQL reports both with the same SQLSTATE.
        true => "a right is missing, or a policy of row-level security is".into(),
        false => format!("the right to {} is missing", missing.join(", ")),
    };
    let grant = grant(session, statements).await;
    StoreError::new(format!("{missing} ({error}). As its owner, run: {grant}"))
}

async fn grant<S: Session>(session: &mut S, statements: &Statements) -> String {
    let role = session.role().await.unwrap_or_else(|| "the server's role".into());
    statements.grant.replace("{role}", &role)
}
