//! jwt-authorizer on axum.

use axum::Router;
use axum::routing::get;
use jwt_authorizer::{Authorizer, IntoLayer, JwtAuthorizer, JwtClaims};
use peer::Claims;
use tokio::net::TcpListener;

async fn open() -> String {
    peer::USER.into()
}

async fn guarded(JwtClaims(claims): JwtClaims<Claims>) -> String {
    claims.sub
}

#[tokio::main(worker_threads = 1)]
async fn main() -> std::io::Result<()> {
    let start = peer::Start::from_args();
    let app = match start.is_guarded {
        false => Router::new().route("/", get(open)),
        true => {
            let authorizer: Authorizer<Claims> =
                JwtAuthorizer::from_secret(&peer::secret()).build().await.expect("an authorizer");
            Router::new().route("/", get(guarded)).layer(authorizer.into_layer())
        }
    };
    let listener = TcpListener::bind(("127.0.0.1", start.port)).await?;
    axum::serve(listener, app).await
}
