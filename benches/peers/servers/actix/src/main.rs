//! actix-web-httpauth with jsonwebtoken on actix-web.

use actix_web::dev::ServiceRequest;
use actix_web::{App, Error, HttpMessage, HttpServer, error, get, web};
use actix_web_httpauth::extractors::bearer::BearerAuth;
use actix_web_httpauth::middleware::HttpAuthentication;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use peer::Claims;

#[derive(Clone)]
struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    fn new(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        Self { key: DecodingKey::from_secret(secret.as_bytes()).expect("a key"), validation }
    }
}

async fn validator(
    request: ServiceRequest,
    credentials: BearerAuth,
) -> Result<ServiceRequest, (Error, ServiceRequest)> {
    let Some(verifier) = request.app_data::<web::Data<Verifier>>() else {
        return Err((error::ErrorInternalServerError("no verifier"), request));
    };
    match decode::<Claims>(credentials.token(), &verifier.key, &verifier.validation) {
        Ok(token) => {
            request.extensions_mut().insert(token.claims);
            Ok(request)
        }
        Err(_) => Err((error::ErrorUnauthorized("invalid token"), request)),
    }
}

#[get("/")]
async fn open() -> String {
    peer::USER.into()
}

#[get("/")]
async fn guarded(claims: web::ReqData<Claims>) -> String {
    claims.into_inner().sub
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let start = peer::Start::from_args();
    let address = ("127.0.0.1", start.port);
    if !start.is_guarded {
        return HttpServer::new(|| App::new().service(open)).bind(address)?.workers(1).run().await;
    }
    let verifier = web::Data::new(Verifier::new(&peer::secret()));
    HttpServer::new(move || {
        App::new()
            .app_data(verifier.clone())
            .wrap(HttpAuthentication::bearer(validator))
            .service(guarded)
    })
    .bind(address)?
    .workers(1)
    .run()
    .await
}
