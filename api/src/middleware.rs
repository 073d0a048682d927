//! What every request passes through: ids, request logging, counters, rate limits of sign-in, policies and caching.

use std::time::Instant;

use actix_cors::Cors;
use actix_web::{
    Error, HttpRequest, ResponseError as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};

use crate::{
    config::Origin,
    http::{
        error::{Code, Problem},
        request_id::REQUEST_ID,
    },
    limits::requests::{self, RequestLimits},
    routes::{health::Counters, oidc::OIDC_CALLBACK},
};

static REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost middleware: gives the request an id, logs a line, counts.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let start = Instant::now();
    let id = request_id(request.request());
    let method = request.method().clone();
    // Without the query: search texts are never logged.
    let sent_path = request.path().to_owned();
    let path = routed_path(request.request()).to_owned();
    let counters = request.app_data::<web::Data<Counters>>().cloned();

    let foreign = is_foreign(request.request());
    let answered = async {
        if foreign {
            let problem = Problem::new(Code::Forbidden, "signing in works only from Logbook's own pages");
            return Ok(request.into_response(problem.error_response()).map_into_right_body());
        }
        // Other requests count once their caller is known.
        if is_open(request.request())
            && let Some(limits) = request.app_data::<web::Data<RequestLimits>>()
            && let Err(problem) = limits.unauthenticated(request.request())
        {
            return Ok(request.into_response(problem.error_response()).map_into_right_body());
        }
        next.call(request).await.map(ServiceResponse::map_into_left_body)
    };
    let mut response = REQUEST_ID.scope(id.clone(), answered).await?;

    let measured = response.request().clone();
    requests::set_headers(&measured, response.headers_mut());
    let status = response.status();
    if let Some(counters) = counters {
        counters.requests.inc();
        if status.is_server_error() {
            counters.failures.inc();
        }
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID_HEADER.clone(), value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(&path, status)));
    if let Some(policy) = policy(&path) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    let millis = start.elapsed().as_secs_f64() * 1000.0;
    tracing::info!(target: "logbook::request", %method, path = sent_path, status = status.as_u16(), millis, request_id = id);
    Ok(response)
}

/// The path as the router compares it, without escapes: `/%61pi` is `/api`. The path as it was sent decides nothing.
fn routed_path(request: &HttpRequest) -> &str {
    request.match_info().as_str()
}

/// Whether the request is one of signing in, where clients have no token yet.
fn is_open(request: &HttpRequest) -> bool {
    let path = routed_path(request);
    path.starts_with("/api/v1/auth/") && path != "/api/v1/auth/password"
}

/// Lets pages of these origins call the API, with a token of their own: cookies are for Logbook's own pages only.
pub fn cors(origins: &[Origin]) -> Cors {
    let exposed =
        ["link", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"].map(HeaderName::from_static);
    let accepted = ["authorization", "content-encoding", "content-type", "idempotency-key", "x-request-id"];
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allowed_headers(accepted.map(HeaderName::from_static))
        .expose_headers(exposed)
        .max_age(3600);
    origins.iter().fold(cors, |cors, Origin(origin)| cors.allowed_origin(origin))
}

/// Whether a page of another site sends the request to an endpoint that sets cookies: a form there could sign its reader
/// in as somebody else. Browsers say where a request comes from (Fetch Metadata); other clients do not.
fn is_foreign(request: &HttpRequest) -> bool {
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    // The provider is always another site; people who return from it present the cookie that they left with.
    let path = routed_path(request);
    path.starts_with("/api/v1/auth/")
        && path != OIDC_CALLBACK
        && site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// What the pages of the web application may load: only their own resources. The same as in docker/nginx.conf; the
/// digests are those of two style rules that a library inserts, and web/test/policy.test.ts checks them.
const PAGE_POLICY: &str = "default-src 'self'; \
    style-src 'self' 'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o=' 'sha256-gYiS/BvZvRcK27JIXTuwhZ3hs2+VJ1X+2gUlE+farlg='; \
    img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The same for Swagger UI, which inserts styles of all kinds.
const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The policy of a page; None for other paths.
fn policy(path: &str) -> Option<&'static str> {
    if path.starts_with("/api/docs") {
        Some(DOCS_POLICY)
    } else {
        (!path.starts_with("/api/")).then_some(PAGE_POLICY)
    }
}

/// Logs are never cached. The build names assets by their content, so they never change.
fn caching(path: &str, status: StatusCode) -> &'static str {
    if path.starts_with("/api/v1/") {
        "no-store"
    } else if path.starts_with("/assets/") && status.is_success() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

/// The client's own id if it is well-formed, so that a request can be followed through several services.
fn request_id(request: &HttpRequest) -> String {
    let given = request.headers().get(&REQUEST_ID_HEADER).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(plain).map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}
