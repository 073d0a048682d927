//! The contract: `openapi.yaml` is this document, and a test fails when it is not.

use std::sync::{Arc, LazyLock};

use actix_web::{HttpResponse, web};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{
    http::error::{self, Code, Problem},
    routes::{
        api_keys, doors, exports, health, invitations,
        logs::{access, activity, application, feed, framework, ingest},
        masking, members, notes, oidc, password, records, second_factor, sessions, sign_in, sources, suggest,
        timeline, users, views, workspaces,
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Logbook",
        description = "Audit logs for platforms that host many apps. Every workspace has three logs: who came in \
            (access), what changed in the data (application) and what the platform did (framework). A fourth, the activity \
            log, tells what happens in Logbook itself.\n\n\
            Times are RFC 3339 in UTC with microseconds. Errors are application/problem+json (RFC 9457).",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    security(("bearer" = [])),
    tags(
        (name = "Access log", description = "Who came in"),
        (name = "Application log", description = "What changed in the data"),
        (name = "Framework log", description = "What the platform did"),
        (name = "Activity log", description = "What happens in Logbook itself: sign-ins, reads, and changes of keys, members \
            and settings. Only Logbook writes it; auditors and admins read it"),
        (name = "Timeline", description = "All logs in the order in which things happened, around somebody or something"),
        (name = "Records", description = "What a record was at any time, and who made it so"),
        (name = "Feed", description = "All logs in commit order, for integrators"),
        (name = "Ingest", description = "Several logs in one request, for log shippers"),
        (name = "Workspaces", description = "One workspace per app or tenant"),
        (name = "Views", description = "Saved views: questions to a log by name"),
        (name = "Exports", description = "Exports in the background and their files"),
        (name = "Notes", description = "What people say about events"),
        (name = "Members", description = "The people of a workspace and their roles"),
        (name = "Users", description = "Accounts and their sessions, for platform admins"),
        (name = "Sources", description = "Who sends, in which shape, and how each is: gaps, silence, and what could not be read"),
        (name = "API keys", description = "Credentials of producers and integrators"),
        (name = "Sign-in", description = "Signing in, and the sessions of people"),
        (name = "Health", description = "Liveness, readiness and metrics"),
    ),
    paths(
        access::list, access::append, access::get, access::metrics, access::facets,
        access::histogram, access::top, access::groups, access::export_ndjson, access::export_csv, access::export_parquet, access::start_export, access::tail,
        application::list, application::append, application::get, application::metrics,
        application::facets, application::histogram, application::top, application::groups, application::export_ndjson,
        application::export_csv, application::export_parquet, application::start_export, application::tail,
        framework::list, framework::append, framework::get, framework::metrics,
        framework::facets, framework::histogram, framework::top, framework::groups, framework::export_ndjson,
        framework::export_csv, framework::export_parquet, framework::start_export, framework::tail,
        activity::list, activity::get, activity::metrics, activity::facets, activity::histogram,
        activity::top, activity::groups, activity::export_ndjson, activity::export_csv, activity::export_parquet, activity::start_export, activity::tail,
        timeline::timeline, timeline::stream::export_ndjson, timeline::stream::export_csv, timeline::stream::start_export, timeline::stream::tail,
        sessions::list, suggest::suggest,
        records::history, records::state, records::diff, records::blame, records::restore,
        feed::feed, ingest::ingest,
        workspaces::list, workspaces::post, workspaces::get, workspaces::change,
        masking::get, masking::change, masking::preview,
        views::list, views::save, views::change, views::remove,
        exports::list, exports::get, exports::file, exports::remove,
        notes::list, notes::add, notes::remove,
        members::list, members::change, members::remove,
        invitations::invite, invitations::list, invitations::cancel, invitations::accept, invitations::decline,
        users::list, users::change, users::sessions_of, users::end_sessions_of, users::my_sessions, users::end_my_session,
        api_keys::list, api_keys::create, api_keys::revoke,
        sources::list, sources::create, sources::get, sources::change, sources::remove, sources::heartbeat,
        sources::mapping::get, sources::mapping::set, sources::mapping::preview, sources::rejected::list,
        sources::rejected::export, sources::replay::replay, sources::rejected::discard, doors::named::receive,
        sign_in::login, sign_in::link, sign_in::refresh, sign_in::logout, sign_in::me,
        password::set, second_factor::set_up, second_factor::confirm, second_factor::remove,
        oidc::methods, oidc::start, oidc::callback,
        health::healthz, health::readyz, health::metrics,
    ),
    components(schemas(error::ProblemBody)),
    modifiers(&Security)
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "An access token, from signing in or from `logbook token`, or an API key (`lbk_…`)",
            ))
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let cookie =
            ApiKeyValue::with_description("logbook_refresh", "Set at sign-in; scripts cannot read it");
        components.add_security_scheme("refresh_cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

pub fn document() -> openapi::OpenApi {
    Document::openapi()
}

/// The document as `openapi.yaml` has it.
///
/// # Errors
/// When it cannot be written as YAML.
pub fn yaml() -> Result<String, String> {
    document().to_yaml().map_err(|error| error.to_string())
}

/// Returns the document as JSON.
pub async fn json() -> HttpResponse {
    static JSON: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());
    HttpResponse::Ok().content_type("application/json").body(JSON.as_str())
}

/// Returns a file of Swagger UI.
///
/// # Errors
/// `not_found`
pub async fn docs(file: web::Path<String>) -> error::Result<HttpResponse> {
    static CONFIG: LazyLock<Arc<utoipa_swagger_ui::Config<'static>>> =
        LazyLock::new(|| Arc::new(utoipa_swagger_ui::Config::from("/api/openapi.json")));
    let file = utoipa_swagger_ui::serve(&file, CONFIG.clone());
    let file = file.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    let file = file.ok_or_else(Problem::not_found)?;
    let mut content_type = file.content_type;
    if content_type.starts_with("text/") {
        content_type.push_str("; charset=utf-8");
    }
    Ok(HttpResponse::Ok().content_type(content_type).body(file.bytes.into_owned()))
}
