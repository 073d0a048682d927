//! The tables that are read, and the columns that are used of each.

use crate::import::source::{Lookup, TableSpec};

pub(super) static ACCESS: TableSpec = TableSpec::new(
    "accesslogs_appaccesslog",
    &["attempt_time", "attempt_type", "is_login_successful", "user_id"],
    &["user_agent", "ip_address", "username", "http_accept", "path_info", "session_expired_at", "role_id"],
);

pub(super) static AUDIT: TableSpec = TableSpec::new(
    "auditlogs_logentry",
    &["object_pk", "object_repr", "action", "changes", "timestamp", "content_type_id"],
    &[
        "object_id",
        "serialized_data",
        "changes_text",
        "cid",
        "remote_addr",
        "additional_data",
        "object_ref_id",
        "platform_actor_id",
        "tenant_actor_id",
    ],
);

pub(super) static USERS: TableSpec =
    TableSpec::new("appauth_appusermodel", &[], &["name", "email", "mobile"]);

pub(super) static ROLES: TableSpec = TableSpec::new("appauth_userrolemodel", &["name"], &[]);

pub(super) static ADMINS: TableSpec =
    TableSpec::new("platformauth_platformusermodel", &[], &["name", "email", "mobile"]).in_public();

pub(super) static OBJECTS: TableSpec = TableSpec::new("object_store_objectstore", &["object_uuid"], &[]);

pub(super) static TENANTS: TableSpec =
    TableSpec::new("tenancy_tenantmodel", &["schema_name"], &["name", "timezone", "date_format"]).in_public();

/// The audit log's column that leads to an object, and what the object's UUID is called in the row.
pub(super) const OBJECT_REF: &str = "object_ref_id";
pub(super) const OBJECT_UUID: &str = "object_uuid";

/// A database looks the UUIDs up itself, so that nobody holds all objects of an app in memory.
pub(super) fn object_of_entry() -> Lookup {
    Lookup { table: OBJECTS.clone(), key: OBJECT_REF, by: "id", columns: &[(OBJECT_UUID, OBJECT_UUID)] }
}
