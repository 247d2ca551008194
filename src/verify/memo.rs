//! The cached results of one token's checks within a request.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use rocket::tokio;

use crate::reason::Reason;
use crate::rejection::CheckFailed;
use crate::token::context::RequestContext;
use crate::token::verified::Verified;

/// A token of a request and the results of its checks, each of which is computed once.
pub(crate) struct TokenMemo {
    pub(crate) encoded: Arc<str>,
    pub(crate) decoded: OnceLock<Result<Arc<Verified>, CheckFailed>>,
    pub(crate) standing: OnceLock<Result<(), Reason>>,
    pub(crate) accepted: OnceLock<bool>,
    /// The context of the request, if there is a hook for events.
    pub(crate) request: Option<RequestContext>,
    // Locked while the store is queried.
    asking: tokio::sync::Mutex<()>,
}

impl TokenMemo {
    pub(crate) fn new(encoded: &str, request: Option<RequestContext>) -> Self {
        Self {
            encoded: encoded.into(),
            decoded: OnceLock::new(),
            standing: OnceLock::new(),
            accepted: OnceLock::new(),
            request,
            asking: tokio::sync::Mutex::new(()),
        }
    }

    /// Whether the blocklist accepts the token; calls `ask` if that is not known yet. If guards run
    /// concurrently, only one of them calls it.
    pub(crate) async fn standing_or_ask<F>(&self, ask: impl FnOnce() -> F) -> Result<(), Reason>
    where
        F: Future<Output = Result<(), Reason>>,
    {
        let _asking = self.asking.lock().await;
        if let Some(known) = self.standing.get() {
            return known.clone();
        }
        let answer = ask().await;
        self.standing.get_or_init(|| answer).clone()
    }
}
