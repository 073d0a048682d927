//! Every route, in one list. Tests build the same app.

use std::path::{Path, PathBuf};

use actix_files::{Files, NamedFile};
use actix_web::{
    HttpResponse, Resource, ResponseError as _,
    dev::{ServiceRequest, ServiceResponse, fn_service},
    http::{
        Method,
        header::{self, HeaderValue},
    },
    middleware::from_fn,
    web::{self, Data, ServiceConfig, delete, get, head, patch, post, put},
};
use logbook_engine::{append::queue::Appender, caches::Caches, db::Db, jobs::Jobs};

use crate::{
    accounts::workspaces::Workspaces,
    audit::AuditLog,
    auth::{
        api_keys::ApiKeyCache, oidc::Provider, permissions::PermissionCache, sealing_key::SealingKey,
        second_factor::SecondFactors, sessions::Sessions, tokens::Tokens,
    },
    http::{
        client::Proxies,
        error::{Code, Problem},
    },
    limits::{requests::RequestLimits, streams::Streams},
    middleware, openapi,
    routes::{
        api_keys, doors, exports,
        health::{self, Counters},
        invitations,
        logs::{access, activity, application, feed, framework, ingest, sink::ExportFolder},
        masking, members, notes, oidc, password, records, second_factor, sessions, sign_in, sources, suggest,
        timeline, users, views, workspaces,
    },
    sources::registry::Registry,
};

/// The services that handlers extract, each by its type.
#[derive(Clone)]
pub struct Services {
    pub db: Data<Db>,
    pub appender: Data<Appender>,
    pub caches: Data<Caches>,
    /// None where other processes run the background jobs.
    pub jobs: Data<Option<Jobs>>,
    pub tokens: Data<Tokens>,
    pub sessions: Data<Sessions>,
    pub second_factors: Data<SecondFactors>,
    pub sealing_key: Data<SealingKey>,
    /// None where no identity provider is configured.
    pub provider: Option<Data<Provider>>,
    pub workspaces: Data<Workspaces>,
    pub sources: Data<Registry>,
    pub api_keys: Data<ApiKeyCache>,
    pub permissions: Data<PermissionCache>,
    pub audit: Data<AuditLog>,
    pub proxies: Data<Proxies>,
    pub limits: Data<RequestLimits>,
    pub streams: Data<Streams>,
    pub exports: Data<ExportFolder>,
    pub counters: Data<Counters>,
    /// The folder of the built web application.
    pub web_dir: Option<PathBuf>,
}

/// Adds services and routes.
pub fn configure(config: &mut ServiceConfig, services: &Services) {
    let services = services.clone();
    config
        .app_data(services.db)
        .app_data(services.appender)
        .app_data(services.caches)
        .app_data(services.jobs)
        .app_data(services.tokens)
        .app_data(services.sessions)
        .app_data(services.second_factors)
        .app_data(services.sealing_key)
        .app_data(services.sources)
        .app_data(services.workspaces)
        .app_data(services.api_keys)
        .app_data(services.permissions)
        .app_data(services.audit)
        .app_data(services.proxies)
        .app_data(services.limits)
        .app_data(services.streams)
        .app_data(services.exports)
        .app_data(services.counters);
    if let Some(provider) = services.provider {
        config.app_data(provider);
    }

    // Signing in, where clients have no token yet.
    macro_rules! sign_in {
        ($resource:expr) => {
            $resource
                .wrap(from_fn(middleware::count_by_address))
                .wrap(from_fn(middleware::refuse_foreign_pages))
        };
    }
    config
        .service(
            at("/healthz", "GET, HEAD").route(get().to(health::healthz)).route(head().to(health::healthz)),
        )
        .service(at("/readyz", "GET, HEAD").route(get().to(health::readyz)).route(head().to(health::readyz)))
        .service(at("/metrics", "GET").route(get().to(health::metrics)))
        .service(sign_in!(at("/api/v1/auth/login", "POST").route(post().to(sign_in::login))))
        .service(sign_in!(at("/api/v1/auth/link", "POST").route(post().to(sign_in::link))))
        .service(sign_in!(at("/api/v1/auth/refresh", "POST").route(post().to(sign_in::refresh))))
        .service(sign_in!(at("/api/v1/auth/logout", "POST").route(post().to(sign_in::logout))))
        .service(sign_in!(at("/api/v1/auth/methods", "GET").route(get().to(oidc::methods))))
        .service(sign_in!(at("/api/v1/auth/oidc/start", "GET").route(get().to(oidc::start))))
        // The provider is another site; people who return from it present the cookie that they left with.
        .service(
            at(oidc::OIDC_CALLBACK, "GET")
                .route(get().to(oidc::callback))
                .wrap(from_fn(middleware::count_by_address)),
        )
        // Needs a token, and counts by it.
        .service(
            at("/api/v1/auth/password", "PUT")
                .route(put().to(password::set))
                .wrap(from_fn(middleware::refuse_foreign_pages)),
        )
        .service(at("/api/v1/me", "GET").route(get().to(sign_in::me)))
        .service(
            at("/api/v1/me/second_factor", "POST, PUT, DELETE")
                .route(post().to(second_factor::set_up))
                .route(put().to(second_factor::confirm))
                .route(delete().to(second_factor::remove)),
        )
        .service(at("/api/v1/me/sessions", "GET").route(get().to(users::my_sessions)))
        .service(at("/api/v1/me/sessions/{session}", "DELETE").route(delete().to(users::end_my_session)))
        .service(
            at("/api/v1/me/invitations/{workspace}", "POST, DELETE")
                .route(post().to(invitations::accept))
                .route(delete().to(invitations::decline)),
        )
        .service(at("/api/v1/users", "GET").route(get().to(users::list)))
        .service(at("/api/v1/users/{user}", "PATCH").route(patch().to(users::change)))
        .service(
            at("/api/v1/users/{user}/sessions", "GET, DELETE")
                .route(get().to(users::sessions_of))
                .route(delete().to(users::end_sessions_of)),
        )
        .service(
            at("/api/v1/workspaces", "GET, POST")
                .route(get().to(workspaces::list))
                .route(post().to(workspaces::post)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}", "GET, PATCH")
                .route(get().to(workspaces::get))
                .route(patch().to(workspaces::change)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/masking", "GET, PUT")
                .route(get().to(masking::get))
                .route(put().to(masking::change)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/masking/preview", "POST").route(post().to(masking::preview)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/views", "GET, POST")
                .route(get().to(views::list))
                .route(post().to(views::save)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/views/{view}", "PATCH, DELETE")
                .route(patch().to(views::change))
                .route(delete().to(views::remove)),
        )
        .service(at("/api/v1/workspaces/{workspace}/exports", "GET").route(get().to(exports::list)))
        .service(
            at("/api/v1/workspaces/{workspace}/exports/{export}", "GET, DELETE")
                .route(get().to(exports::get))
                .route(delete().to(exports::remove)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/exports/{export}/file", "GET").route(get().to(exports::file)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/notes", "GET, POST")
                .route(get().to(notes::list))
                .route(post().to(notes::add)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/notes/{note}", "DELETE").route(delete().to(notes::remove)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/members", "GET, POST")
                .route(get().to(members::list))
                .route(post().to(invitations::invite)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/members/{user}", "PUT, DELETE")
                .route(put().to(members::change))
                .route(delete().to(members::remove)),
        )
        .service(at("/api/v1/workspaces/{workspace}/invitations", "GET").route(get().to(invitations::list)))
        .service(
            at("/api/v1/workspaces/{workspace}/invitations/{invitation}", "DELETE")
                .route(delete().to(invitations::cancel)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/keys", "GET, POST")
                .route(get().to(api_keys::list))
                .route(post().to(api_keys::create)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/keys/{key}", "DELETE").route(delete().to(api_keys::revoke)),
        )
        .configure(sources)
        .service(at("/api/v1/workspaces/{workspace}/timeline", "GET").route(get().to(timeline::timeline)))
        .service(at("/api/v1/workspaces/{workspace}/sessions", "GET").route(get().to(sessions::list)))
        .service(
            at("/api/v1/workspaces/{workspace}/timeline/export.ndjson", "GET")
                .route(get().to(timeline::stream::export_ndjson)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/timeline/export.csv", "GET")
                .route(get().to(timeline::stream::export_csv)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/timeline/exports", "POST")
                .route(post().to(timeline::stream::start_export)),
        )
        .service(
            at("/api/v1/workspaces/{workspace}/timeline/tail", "GET").route(get().to(timeline::stream::tail)),
        )
        .service(at("/api/v1/workspaces/{workspace}/suggest", "GET").route(get().to(suggest::suggest)))
        .service(at("/api/v1/workspaces/{workspace}/logs/feed", "GET").route(get().to(feed::feed)))
        .service(at("/api/v1/workspaces/{workspace}/logs/ingest", "POST").route(post().to(ingest::ingest)));

    macro_rules! record_routes {
        ($($what:ident),*) => {$(
            let path = concat!("/api/v1/workspaces/{workspace}/records/{model}/{record_id}/", stringify!($what));
            config.service(at(path, "GET").route(get().to(records::$what)));
        )*};
    }
    record_routes!(history, state, diff, blame, restore);

    macro_rules! log_routes {
        ($($log:ident $allow:literal $($append:ident)?),*) => {$(
            let path = |rest: &str| format!(concat!("/api/v1/workspaces/{{workspace}}/logs/", stringify!($log), "{}"), rest);
            config
                .service(at(&path(""), $allow).route(get().to($log::list))$(.route(post().to($log::$append)))?)
                .service(at(&path("/metrics"), "GET").route(get().to($log::metrics)))
                .service(at(&path("/facets"), "GET").route(get().to($log::facets)))
                .service(at(&path("/histogram"), "GET").route(get().to($log::histogram)))
                .service(at(&path("/top"), "GET").route(get().to($log::top)))
                .service(at(&path("/groups"), "GET").route(get().to($log::groups)))
                .service(at(&path("/export.ndjson"), "GET").route(get().to($log::export_ndjson)))
                .service(at(&path("/export.csv"), "GET").route(get().to($log::export_csv)))
                .service(at(&path("/export.parquet"), "GET").route(get().to($log::export_parquet)))
                .service(at(&path("/exports"), "POST").route(post().to($log::start_export)))
                .service(at(&path("/tail"), "GET").route(get().to($log::tail)))
                // Last, since `{id}` matches any word.
                .service(at(&path("/{id}"), "GET").route(get().to($log::get)));
        )*};
    }
    log_routes!(
        access "GET, POST" append,
        application "GET, POST" append,
        framework "GET, POST" append,
        activity "GET"
    );

    config
        .service(at("/api/openapi.json", "GET").route(get().to(openapi::json)))
        .service(
            at("/api/docs/{file:.*}", "GET").route(get().to(openapi::docs)).wrap(from_fn(middleware::docs)),
        )
        .service(web::redirect("/api/docs", "/api/docs/"))
        .service(web::scope("/api").default_service(web::to(no_route)));
    if let Some(web_dir) = services.web_dir {
        let assets = web::scope("/assets")
            .wrap(from_fn(middleware::asset))
            .service(Files::new("", web_dir.join("assets")).default_handler(web::to(no_route)));
        // Last, since its routes match every path.
        config.service(
            web::scope("").wrap(from_fn(middleware::page)).service(assets).service(web_application(&web_dir)),
        );
    }
}

/// Sources, and the doors through which they send.
fn sources(config: &mut ServiceConfig) {
    use sources::{mapping, rejected, replay};
    let path = |rest: &str| format!("/api/v1/workspaces/{{workspace}}/sources{rest}");
    config
        .service(at(&path(""), "GET, POST").route(get().to(sources::list)).route(post().to(sources::create)))
        .service(
            at(&path("/{source}"), "GET, PATCH, DELETE")
                .route(get().to(sources::get))
                .route(patch().to(sources::change))
                .route(delete().to(sources::remove)),
        )
        .service(at(&path("/{source}/heartbeat"), "POST").route(post().to(sources::heartbeat)))
        .service(
            at(&path("/{source}/mapping"), "GET, PUT")
                .route(get().to(mapping::get))
                .route(put().to(mapping::set)),
        )
        .service(at(&path("/{source}/mapping/preview"), "POST").route(post().to(mapping::preview)))
        .service(at(&path("/{source}/rejected"), "GET").route(get().to(rejected::list)))
        .service(at(&path("/{source}/rejected.ndjson"), "GET").route(get().to(rejected::export)))
        .service(at(&path("/{source}/rejected/replay"), "POST").route(post().to(replay::replay)))
        .service(at(&path("/{source}/rejected/discard"), "POST").route(post().to(rejected::discard)))
        .service(
            at(&path("/{source}/events"), "GET, POST, OPTIONS")
                .route(post().to(doors::named::receive))
                .route(get().to(doors::named::challenge))
                .route(web::method(Method::OPTIONS).to(doors::named::handshake)),
        );
    // Where clients of other systems send. Their addresses are those of those systems.
    for version in ["", "/1.0"] {
        let path = |rest: &str| format!("/services/collector{rest}{version}");
        config
            .service(at(&path("/event"), "POST").route(post().to(doors::hec::event)))
            .service(at(&path("/raw"), "POST").route(post().to(doors::hec::raw)))
            .service(at(&path("/health"), "GET").route(get().to(doors::hec::health)))
            .service(at(&path("/ack"), "POST").route(post().to(doors::hec::ack)));
    }
    config
        .service(at("/services/collector", "POST").route(post().to(doors::hec::event)))
        .service(at("/v1/logs", "POST").route(post().to(doors::otlp::logs)))
        .service(at("/audit_logs/events", "POST").route(post().to(doors::workos::event)))
        .service(at("/publisher/v1/project/{project}/event", "POST").route(post().to(doors::retraced::event)))
        .service(
            at("/publisher/v1/project/{project}/event/bulk", "POST").route(post().to(doors::retraced::bulk)),
        );
}

/// A resource that returns 405 for other methods, with the methods that it supports (RFC 9110, section 15.5.6).
fn at(path: &str, allow: &'static str) -> Resource {
    let refuse = move || async move {
        let problem = Problem::new(Code::MethodNotAllowed, format!("allowed methods: {allow}"));
        let mut response = problem.error_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        response
    };
    web::resource(path).default_service(web::to(refuse))
}

/// Handles requests that match no route.
pub async fn no_route() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}

/// Serves the files of the web application, and its index page for every other path: the application routes those itself.
fn web_application(web_dir: &Path) -> Files {
    let index = web_dir.join("index.html");
    let fall_back = move |request: ServiceRequest| {
        let index = index.clone();
        async move {
            let (request, _) = request.into_parts();
            // A missing file is not a page.
            let is_file = request.path().rsplit('/').next().is_some_and(|name| name.contains('.'));
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
