//! Every route, in one list. Tests build the same app.

use std::{
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::Instant,
};

use actix_cors::Cors;
use actix_files::{Files, NamedFile};
use actix_web::{
    Error, HttpRequest, HttpResponse, Resource, ResponseError as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse, fn_service},
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::{self, ServiceConfig, delete, get, head, patch, post, put},
};
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    auth::{
        keys::Keys,
        provider::{self, Provider},
        sessions,
        sessions::Sessions,
        standing::Standings,
        tokens::Tokens,
    },
    brakes::rates::{self, Rates},
    config::Origin,
    db::Db,
    error::{Code, Problem, REQUEST_ID},
    health::{self, Counters},
    journal::Journal,
    logs::{
        access, appender::Appender, application, caches::Caches, feed, framework, ingest, upkeep::Upkeep,
    },
    openapi,
    visitor::Proxies,
    workspaces::{self, Workspaces, members},
};

/// What the handlers work with.
#[derive(Clone)]
pub struct Services {
    pub db: web::Data<Db>,
    pub appender: web::Data<Appender>,
    pub caches: web::Data<Caches>,
    /// Only held: it runs as long as somebody has it.
    pub upkeep: Option<Upkeep>,
    pub tokens: web::Data<Tokens>,
    pub sessions: web::Data<Sessions>,
    /// Where one is set up.
    pub provider: Option<web::Data<Provider>>,
    pub workspaces: web::Data<Workspaces>,
    pub keys: web::Data<Keys>,
    pub standings: web::Data<Standings>,
    pub journal: web::Data<Journal>,
    pub proxies: web::Data<Proxies>,
    pub rates: web::Data<Rates>,
    pub counters: web::Data<Counters>,
    /// The built web application.
    pub web_dir: Option<PathBuf>,
}

impl Services {
    pub fn new(
        db: Db,
        (appender, caches, upkeep): (Appender, Caches, Option<Upkeep>),
        tokens: Tokens,
        sessions: Sessions,
        (journal, proxies, rates): (Journal, Proxies, Rates),
        provider: Option<Provider>,
        web_dir: Option<PathBuf>,
    ) -> Self {
        Self {
            workspaces: web::Data::new(Workspaces::new(&db)),
            keys: web::Data::new(Keys::new(&db)),
            standings: web::Data::new(Standings::new(&db)),
            db: web::Data::new(db),
            appender: web::Data::new(appender),
            caches: web::Data::new(caches),
            upkeep,
            tokens: web::Data::new(tokens),
            sessions: web::Data::new(sessions),
            journal: web::Data::new(journal),
            proxies: web::Data::new(proxies),
            rates: web::Data::new(rates),
            provider: provider.map(web::Data::new),
            counters: web::Data::default(),
            web_dir,
        }
    }
}

/// Adds services and routes.
pub fn configure(config: &mut ServiceConfig, services: &Services) {
    let Services {
        db,
        appender,
        caches,
        upkeep,
        tokens,
        sessions,
        provider,
        workspaces,
        keys,
        standings,
        journal,
        proxies,
        rates,
        counters,
        web_dir,
    } = services.clone();
    config
        .app_data(db)
        .app_data(appender)
        .app_data(caches)
        .app_data(web::Data::new(upkeep))
        .app_data(tokens)
        .app_data(sessions)
        .app_data(workspaces)
        .app_data(keys)
        .app_data(standings)
        .app_data(journal)
        .app_data(proxies)
        .app_data(rates)
        .app_data(counters);
    if let Some(provider) = provider {
        config.app_data(provider);
    }

    config
        .service(
            at("/healthz", "GET, HEAD").route(get().to(health::healthz)).route(head().to(health::healthz)),
        )
        .service(at("/readyz", "GET, HEAD").route(get().to(health::readyz)).route(head().to(health::readyz)))
        .service(at("/metrics", "GET").route(get().to(health::metrics)))
        .service(at("/api/v1/auth/login", "POST").route(post().to(sessions::login)))
        .service(at("/api/v1/auth/link", "POST").route(post().to(sessions::link)))
        .service(at("/api/v1/auth/refresh", "POST").route(post().to(sessions::refresh)))
        .service(at("/api/v1/auth/logout", "POST").route(post().to(sessions::logout)))
        .service(at("/api/v1/auth/password", "PUT").route(put().to(sessions::set_password)))
        .service(at("/api/v1/auth/methods", "GET").route(get().to(provider::handlers::methods)))
        .service(at("/api/v1/auth/oidc/start", "GET").route(get().to(provider::handlers::start)))
        .service(at(PROVIDER_CALLBACK, "GET").route(get().to(provider::handlers::callback)))
        .service(at("/api/v1/me", "GET").route(get().to(sessions::me)))
        .service(
            at("/api/v1/workspaces", "GET, POST")
                .route(get().to(workspaces::handlers::list))
                .route(post().to(workspaces::handlers::post)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}", "GET, PATCH")
                .route(get().to(workspaces::handlers::get))
                .route(patch().to(workspaces::handlers::change)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/members", "GET, POST")
                .route(get().to(members::list))
                .route(post().to(members::invite)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/members/{user}", "PUT, DELETE")
                .route(put().to(members::change))
                .route(delete().to(members::remove)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/keys", "GET, POST")
                .route(get().to(workspaces::keys::list))
                .route(post().to(workspaces::keys::create)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/keys/{key}", "DELETE")
                .route(delete().to(workspaces::keys::revoke)),
        )
        .service(at("/api/v1/workspaces/{workspace}/logs/feed", "GET").route(get().to(feed::feed)))
        .service(at("/api/v1/workspaces/{workspace}/logs/ingest", "POST").route(post().to(ingest::ingest)));

    macro_rules! log_routes {
        ($($log:ident),*) => {$(
            let path = |rest: &str| format!(concat!("/api/v1/workspaces/{{workspace}}/logs/", stringify!($log), "{}"), rest);
            config
                .service(at(&path(""), "GET, POST").route(get().to($log::list)).route(post().to($log::append)))
                .service(at(&path("/metrics"), "GET").route(get().to($log::metrics)))
                .service(at(&path("/facets"), "GET").route(get().to($log::facets)))
                .service(at(&path("/histogram"), "GET").route(get().to($log::histogram)))
                // Last, since any word would be an id.
                .service(at(&path("/{id}"), "GET").route(get().to($log::get)));
        )*};
    }
    log_routes!(access, application, framework);

    config
        .service(SwaggerUi::new("/api/docs/{_:.*}").url("/api/openapi.json", openapi::document()))
        .service(web::redirect("/api/docs", "/api/docs/"))
        .service(web::scope("/api").default_service(web::to(nothing_here)));
    if let Some(web_dir) = web_dir {
        config.service(web_application(&web_dir));
    }
}

/// A resource that answers other methods with 405 and the methods it has (RFC 9110, section 15.5.6).
fn at(path: &str, allow: &'static str) -> Resource {
    let refuse = move || async move {
        let problem = Problem::new(Code::MethodNotAllowed, format!("allowed here: {allow}"));
        let mut response = problem.error_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        response
    };
    web::resource(path).default_service(web::to(refuse))
}

/// Answers what no route does.
pub async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}

/// Files as they are; every other address is the application's own, which reads it itself.
fn web_application(web_dir: &Path) -> Files {
    let index = web_dir.join("index.html");
    let fall_back = move |request: ServiceRequest| {
        let index = index.clone();
        async move {
            let (request, _) = request.into_parts();
            // What is missing among the assets was part of another build, and is no page.
            let is_file = request.path().starts_with("/assets/")
                || request.path().rsplit('/').next().is_some_and(|name| name.contains('.'));
            if is_file || (request.method() != Method::GET && request.method() != Method::HEAD) {
                let response = Problem::not_found().error_response();
                return Ok(ServiceResponse::new(request, response));
            }
            let response = NamedFile::open(index)?.into_response(&request);
            Ok(ServiceResponse::new(request, response))
        }
    };
    Files::new("/", web_dir).index_file("index.html").default_handler(fn_service(fall_back))
}

static REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost middleware: gives the request an id, logs a line, counts.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let start = Instant::now();
    let id = request_id(request.request());
    let method = request.method().clone();
    // Never the query: what is searched for is nobody's business.
    let path = request.path().to_owned();
    let counters = request.app_data::<web::Data<Counters>>().cloned();

    let foreign = is_foreign(request.request());
    let answered = async {
        if foreign {
            let problem = Problem::new(Code::Forbidden, "signing in works from Logbook's own pages only");
            return Ok(request.into_response(problem.error_response()).map_into_right_body());
        }
        // All others measure who asks when they know it.
        if is_open(request.request())
            && let Some(rates) = request.app_data::<web::Data<Rates>>()
            && let Err(problem) = rates.stranger(request.request())
        {
            return Ok(request.into_response(problem.error_response()).map_into_right_body());
        }
        next.call(request).await.map(ServiceResponse::map_into_left_body)
    };
    let mut response = REQUEST_ID.scope(id.clone(), answered).await?;

    let measured = response.request().clone();
    rates::tell(&measured, response.headers_mut());
    let status = response.status();
    if let Some(counters) = counters {
        counters.requests.fetch_add(1, Ordering::Relaxed);
        if status.is_server_error() {
            counters.failures.fetch_add(1, Ordering::Relaxed);
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
    tracing::info!(target: "logbook::request", %method, path, status = status.as_u16(), millis, request_id = id);
    Ok(response)
}

/// True for the addresses of signing in, where nobody has a token yet.
fn is_open(request: &HttpRequest) -> bool {
    request.path().starts_with("/api/v1/auth/") && request.path() != "/api/v1/auth/password"
}

/// Which other origins' pages may ask, with a token of their own: cookies are for Logbook's pages alone.
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

/// Where the identity provider sends people back to.
pub const PROVIDER_CALLBACK: &str = "/api/v1/auth/oidc/callback";

/// True for a request that another site's page sends to the addresses that set cookies: a form there could sign its
/// reader in as somebody else. Browsers say where a request comes from (Fetch Metadata); other clients say nothing.
fn is_foreign(request: &HttpRequest) -> bool {
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    // The provider is another site by its nature; who comes back from it shows the cookie that they left with.
    request.path().starts_with("/api/v1/auth/")
        && request.path() != PROVIDER_CALLBACK
        && site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// What the pages of the web application may do: nothing but what is their own. The same as in docker/nginx.conf; the
/// digests are those of two rules that a library of theirs writes, and web/test/policy.test.ts knows them.
const PAGE_POLICY: &str = "default-src 'self'; \
    style-src 'self' 'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o=' 'sha256-gYiS/BvZvRcK27JIXTuwhZ3hs2+VJ1X+2gUlE+farlg='; \
    img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The same for Swagger UI, which writes styles of all kinds.
const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// None for what is no page.
fn policy(path: &str) -> Option<&'static str> {
    if path.starts_with("/api/docs") {
        Some(DOCS_POLICY)
    } else {
        (!path.starts_with("/api/")).then_some(PAGE_POLICY)
    }
}

/// Logs are for nobody's cache. The build names its assets by their content, so they never change.
fn caching(path: &str, status: StatusCode) -> &'static str {
    if path.starts_with("/api/v1/") {
        "no-store"
    } else if path.starts_with("/assets/") && status.is_success() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

/// The caller's own id where it is a plain one, so that a request can be followed through several services.
fn request_id(request: &HttpRequest) -> String {
    let given = request.headers().get(&REQUEST_ID_HEADER).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(plain).map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}
