//! What every request passes through: ids, paths in their normal form, request logging, counters. What only some routes pass
//! through (rate limits of sign-in, pages of other sites, what pages may load) is wrapped around those routes in
//! [`crate::app`]: no policy compares the text of a path.

use std::time::Instant;

use actix_cors::Cors;
use actix_web::{
    Error, HttpMessage as _, HttpRequest, ResponseError as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};

use crate::{
    audit::AuditLog,
    config::Origin,
    http::{
        client::ClientInfo,
        error::{Code, Problem},
        path,
        request_id::REQUEST_ID,
    },
    limits::requests::{self, RequestLimits},
    routes::health::Counters,
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
    let path = request.path().to_owned();
    let counters = request.app_data::<web::Data<Counters>>().cloned();

    let answered = async {
        if let Some(flaw) = path::flaw(request.path()) {
            let detail = format!("{flaw}; send the path in its normal form (RFC 3986, section 6.2.2)");
            let problem = Problem::new(Code::InvalidPath, detail);
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
    let is_foreign = measured.extensions().contains::<ForeignPage>();
    let headers = response.headers_mut();
    if is_foreign {
        // Not even pages of configured origins learn anything of signing in.
        headers.remove(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID_HEADER.clone(), value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Logs are never cached, nor what a new route returns, unless the route says so.
    set_default(headers, header::CACHE_CONTROL, "no-store");
    // What is no page loads nothing and is framed nowhere, should a browser show it as one.
    set_default(headers, header::CONTENT_SECURITY_POLICY, NOTHING_POLICY);
    set_default(headers, header::REFERRER_POLICY, "no-referrer");
    let millis = start.elapsed().as_secs_f64() * 1000.0;
    tracing::info!(target: "logbook::request", %method, path, status = status.as_u16(), millis, request_id = id);
    Ok(response)
}

fn set_default(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Around the routes of signing in, where clients have no token yet: counts the request by its address. Other requests count
/// once their caller is known.
pub async fn count_by_address(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(limits) = request.app_data::<web::Data<RequestLimits>>()
        && let Err(problem) = limits.unauthenticated(request.request())
    {
        if let Some(audit) = request.app_data::<web::Data<AuditLog>>() {
            audit.address_limited("requests", &problem, &ClientInfo::from_request(request.request()));
        }
        return Ok(request.into_response(problem.error_response()).map_into_right_body());
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

/// Lets pages of these origins call the API, with a token of their own: cookies are for Logbook's own pages only.
pub fn cors(origins: &[Origin]) -> Cors {
    let exposed =
        ["link", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"].map(HeaderName::from_static);
    let accepted = [
        "authorization",
        "content-encoding",
        "content-type",
        "idempotency-key",
        "last-event-id",
        "x-request-id",
    ];
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allowed_headers(accepted.map(HeaderName::from_static))
        .expose_headers(exposed)
        .max_age(3600);
    origins.iter().fold(cors, |cors, Origin(origin)| cors.allowed_origin(origin))
}

/// Marks a request of another site's page that was refused.
struct ForeignPage;

/// Around the routes that set cookies: refuses requests of other sites' pages. A form there could sign its reader in as
/// somebody else. Browsers say where a request comes from (Fetch Metadata); other clients do not.
pub async fn refuse_foreign_pages(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        request.extensions_mut().insert(ForeignPage);
        let problem = Problem::new(Code::Forbidden, "signing in works only from Logbook's own pages");
        if let Some(audit) = request.app_data::<web::Data<AuditLog>>() {
            let operation = path::operation(request.request());
            let client_info = ClientInfo::from_request(request.request());
            audit.foreign_page_refused(&operation, &problem, &client_info);
        }
        return Ok(request.into_response(problem.error_response()).map_into_right_body());
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

/// What every other response may load.
const NOTHING_POLICY: &str =
    "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What the pages of the web application may load: only their own resources. The same as in docker/nginx.conf; the
/// digests are those of two style rules that a library inserts, and web/test/policy.test.ts checks them.
const PAGE_POLICY: &str = "default-src 'self'; \
    style-src 'self' 'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o=' 'sha256-gYiS/BvZvRcK27JIXTuwhZ3hs2+VJ1X+2gUlE+farlg='; \
    img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The same for Swagger UI, which inserts styles of all kinds.
const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Around the web application.
pub async fn page(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(request).await?;
    set_policy(response.headers_mut(), PAGE_POLICY);
    Ok(response)
}

/// Around the assets of the web application. The build names them by their content, so they never change.
pub async fn asset(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(request).await?;
    if response.status().is_success() {
        let always = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, always);
    }
    Ok(response)
}

/// Around Swagger UI.
pub async fn docs(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(request).await?;
    set_policy(response.headers_mut(), DOCS_POLICY);
    Ok(response)
}

fn set_policy(headers: &mut HeaderMap, policy: &'static str) {
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    set_default(headers, header::CACHE_CONTROL, "no-cache");
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
