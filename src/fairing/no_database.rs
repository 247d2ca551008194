//! Takes the place of the database blocklist if no driver is enabled.

/// No type implements it: the bound exists only for its message.
#[diagnostic::on_unimplemented(
    message = "a blocklist in a database needs a feature of `rocket_jwt_extended`, and none is switched on",
    label = "no driver is switched on",
    note = "in `Cargo.toml`, switch on the feature of the pool that this database has: \
            `sqlx_sqlite`, `sqlx_postgres`, `sqlx_mysql`, `deadpool_postgres` or `deadpool_redis`",
    note = "for example: `rocket_jwt_extended = {{ version = \"0.1\", features = [\"sqlx_sqlite\"] }}`"
)]
pub trait DatabaseDriver: sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}
