//! Logins, users, and servers that only verify.

mod fresh_logins;
mod loading;
mod login;
mod resource_server;
