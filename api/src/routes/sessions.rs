//! Sessions of an app's users, as its logs tell of them.

use actix_web::{HttpRequest, HttpResponse, web};
use logbook_engine::{
    caches::Caches,
    db::{Conn, Db, timestamp::Timestamp},
    event::{Actor, Log},
    filter::Accepted,
    order::Order,
    timeline::sessions::{self, End, Session},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use woothee::parser::{Parser, WootheeResult};

use crate::{
    auth::{Read, Reader},
    http::{
        error::{ReadProblems, Result},
        page::{Cursor, page_response},
        params::Params,
        path::WorkspacePath,
    },
    routes::logs::{filters::network, log::reader_id, params::RangeParams},
};

/// Sessions, as what a handler reads.
pub struct Sessions;

impl Read for Sessions {
    fn name() -> &'static str {
        "sessions"
    }
}

/// Which sessions, and how many at once.
#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct SessionParams {
    #[serde(default)]
    #[validate(length(min = 1, max = 255))]
    #[param(min_length = 1, max_length = 255, example = "17", nullable = false)]
    pub user_id: Option<String>,
    #[serde(default)]
    #[validate(length(min = 1, max = 255))]
    #[param(min_length = 1, max_length = 255, example = "s-4711", nullable = false)]
    pub session_id: Option<String>,
    /// An IP address or a network (CIDR) from which the user signed in.
    #[serde(default)]
    #[validate(length(min = 1, max = 64))]
    #[param(min_length = 1, max_length = 64, example = "198.51.100.4", nullable = false)]
    pub ip_address: Option<String>,
    /// Continues behind a page: its `next_cursor`.
    #[serde(default)]
    #[validate(length(max = 64))]
    #[param(max_length = 64, nullable = false)]
    pub cursor: Option<String>,
    /// Newest first (`desc`, the default) or oldest first (`asc`), by the time of the sign-in.
    #[serde(default)]
    #[param(inline)]
    pub order: Order,
    /// Maximum number of sessions. A page may have fewer, and there are more all the same.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 50))]
    #[param(minimum = 1, maximum = 50, default = 20)]
    pub limit: u32,
}

fn default_limit() -> u32 {
    20
}

/// How a session ended. `next_login` and `inactivity` are inferred.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    Logout,
    SessionExpired,
    NextLogin,
    Inactivity,
}

/// What the user agent of the sign-in says of the device. Null where it is not known.
#[derive(Debug, Serialize, ToSchema)]
pub struct Device {
    #[schema(required, example = "Chrome 130")]
    pub browser: Option<String>,
    #[schema(required, example = "Windows 10")]
    pub os: Option<String>,
}

impl Device {
    fn new(user_agent: Option<&str>) -> Self {
        // Those that the parser does not know have `UNKNOWN` or nothing as their names.
        let known = |text: &str| (!text.is_empty() && text != "UNKNOWN").then(|| text.to_owned());
        let parsed = user_agent.and_then(|text| Parser::new().parse(text));
        let browser = parsed.as_ref().and_then(|WootheeResult { name, version, .. }| {
            let major = version.split('.').next().and_then(known);
            known(name).map(|name| major.map_or(name.clone(), |major| format!("{name} {major}")))
        });
        let os = parsed.and_then(|parsed| known(parsed.os));
        // Its name since 2016.
        let os = os.map(|os| if os == "Mac OSX" { "macOS".into() } else { os });
        Self { browser, os }
    }
}

/// A session of a user of the app: from a sign-in to its end.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserSession {
    /// Null where the sign-in names none.
    #[schema(required, example = "s-4711")]
    pub session_id: Option<String>,
    /// True where something is inferred: events that name no session, or the end.
    pub is_inferred: bool,
    /// False where the session has more events than were read: then the newest are counted.
    pub is_complete: bool,
    #[schema(required)]
    pub user: Option<Actor>,
    #[schema(required, example = "Nurse")]
    pub role: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// Null while it goes on.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub ended_at: Option<Timestamp>,
    #[schema(required)]
    pub ended_by: Option<EndedBy>,
    #[schema(value_type = String, format = DateTime)]
    pub last_event_at: Timestamp,
    /// From the sign-in to the end, or to the last event while it goes on.
    #[schema(minimum = 0)]
    pub duration_seconds: i64,
    #[schema(required, example = "198.51.100.4")]
    pub ip_address: Option<String>,
    #[schema(required)]
    pub user_agent: Option<String>,
    pub device: Device,
    /// Events of the access, application and framework log, the sign-in among them.
    #[schema(minimum = 1)]
    pub events: u64,
    /// Of these, the application events that are no reads.
    #[schema(minimum = 0)]
    pub changes: u64,
    /// Of these, the ones that failed or were denied.
    #[schema(minimum = 0)]
    pub failures: u64,
    /// The id of the sign-in, an access event.
    #[schema(example = "01935fb2-8e31-8000-8000-040000000029")]
    pub login_event_id: String,
}

impl From<Session> for UserSession {
    fn from(session: Session) -> Self {
        let Session { login, end, last_event_at, events, changes, failures, is_inferred, is_complete } =
            session;
        let login_event_id = login.id().to_string();
        let ended_by = end.map(|(_, end)| match end {
            End::Logout => EndedBy::Logout,
            End::Expired => EndedBy::SessionExpired,
            End::NextLogin => EndedBy::NextLogin,
            End::Idle => EndedBy::Inactivity,
        });
        let ended_at = end.map(|(at, _)| at);
        let until = ended_at.unwrap_or(last_event_at);
        let common = login.common;
        let text = |text: Option<&str>| text.map(str::to_owned);
        Self {
            session_id: text(common.session_id.as_deref()),
            is_inferred,
            is_complete,
            role: text(common.role.as_deref()),
            started_at: login.occurred_at,
            ended_at,
            ended_by,
            last_event_at,
            duration_seconds: (until.micros() - login.occurred_at.micros()) / 1_000_000,
            ip_address: text(common.ip_address.as_deref()),
            device: Device::new(common.user_agent.as_deref()),
            user_agent: text(common.user_agent.as_deref()),
            user: common.actor,
            events: events as u64,
            changes: changes as u64,
            failures: failures as u64,
            login_event_id,
        }
    }
}

/// A page of sessions, in the order of their sign-ins.
#[derive(Serialize, ToSchema)]
pub struct SessionPage {
    pub data: Vec<UserSession>,
    /// Send it as `cursor` to get the next page. Null on the last page.
    #[schema(required)]
    pub next_cursor: Option<String>,
    pub has_more: bool,
}

/// Lists the sessions of the app's users by the time of their sign-in, newest first unless asked otherwise.
///
/// A session begins with a successful `login` in the access log, within the time range, and ends with `logout` or
/// `session_expired`. Its events are those with its `session_id`; events of the same user that name no session are
/// counted to their last sign-in, for a day. Where neither tells of an end, it is the user's next sign-in, or the last event before a day
/// without any.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/sessions", operation_id = "listSessions", tag = "Timeline",
    params(WorkspacePath, RangeParams, SessionParams),
    responses(
        (status = 200, description = "A page of sessions", body = SessionPage,
            headers(("Link" = String, description = "The next page, as rel=\"next\"; absent on the last page"))),
        ReadProblems,
    )
)]
pub async fn list(
    request: HttpRequest,
    db: web::Data<Db>,
    caches: web::Data<Caches>,
    mut reader: Reader<Sessions>,
    params: Params<(RangeParams, SessionParams)>,
) -> Result<HttpResponse> {
    let (range, SessionParams { user_id, session_id, ip_address, cursor, order, limit }) = params.0;
    let mut filter = sessions::of_sign_ins(range.filter(&reader.workspace, Log::Access)?);
    filter.actor_ids = Accepted::only(user_id);
    filter.session_ids = Accepted::only(session_id);
    if let Some(address) = &ip_address {
        filter.ip_addresses = Accepted::only([network("ip_address", address)?]);
    }
    let filter_hash = filter.hash();
    let after = cursor.map(|cursor| Cursor::decode(&cursor, order, filter_hash)).transpose()?;
    let (index, id) = (caches.index.clone(), reader_id(&reader));
    let list = move |conn: &mut Conn| {
        sessions::sessions(conn, &index, &filter, (order, after), limit as usize, Timestamp::now())
    };
    let found = db.scan(id, list).await?;

    // The events are counted, and one of each session is shown.
    reader.read.returns(found.data.len());
    let (mut response, next_cursor) = page_response(&request, order, found.next, filter_hash);
    let data = found.data.into_iter().map(UserSession::from).collect();
    let has_more = next_cursor.is_some();
    Ok(response.json(SessionPage { data, next_cursor, has_more }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_as_far_as_it_is_known() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
            Chrome/130.0.0.0 Safari/537.36";
        let device = Device::new(Some(chrome));
        assert_eq!(
            (device.browser.as_deref(), device.os.as_deref()),
            (Some("Chrome 130"), Some("Windows 10"))
        );
        for unknown in [None, Some(""), Some("clinic-app 7")] {
            let device = Device::new(unknown);
            assert_eq!((device.browser, device.os), (None, None), "{unknown:?}");
        }
    }
}
