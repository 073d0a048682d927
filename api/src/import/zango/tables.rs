//! The tables that are read, and the columns that are used of each.

/// A table of Zango. Columns with password hashes and the like are not read at all.
#[derive(Debug)]
pub struct TableSpec {
    pub name: &'static str,
    /// In the schema `public` instead of the tenant's.
    pub public: bool,
    /// Besides `id`.
    pub required: &'static [&'static str],
    pub optional: &'static [&'static str],
}

pub const ACCESS: TableSpec = TableSpec {
    name: "accesslogs_appaccesslog",
    public: false,
    required: &["attempt_time", "attempt_type", "is_login_successful", "user_id"],
    optional: &[
        "user_agent",
        "ip_address",
        "username",
        "http_accept",
        "path_info",
        "session_expired_at",
        "role_id",
    ],
};

pub const AUDIT: TableSpec = TableSpec {
    name: "auditlogs_logentry",
    public: false,
    required: &["object_pk", "object_repr", "action", "changes", "timestamp", "content_type_id"],
    optional: &[
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
};

pub const CONTENT_TYPES: TableSpec = TableSpec {
    name: "django_content_type",
    public: false,
    required: &["app_label", "model"],
    optional: &[],
};

pub const USERS: TableSpec = TableSpec {
    name: "appauth_appusermodel",
    public: false,
    required: &[],
    optional: &["name", "email", "mobile"],
};

pub const ROLES: TableSpec =
    TableSpec { name: "appauth_userrolemodel", public: false, required: &["name"], optional: &[] };

pub const ADMINS: TableSpec = TableSpec {
    name: "platformauth_platformusermodel",
    public: true,
    required: &[],
    optional: &["name", "email", "mobile"],
};

pub const OBJECTS: TableSpec =
    TableSpec { name: "object_store_objectstore", public: false, required: &["object_uuid"], optional: &[] };

pub const TENANTS: TableSpec = TableSpec {
    name: "tenancy_tenantmodel",
    public: true,
    required: &["schema_name"],
    optional: &["name", "timezone", "date_format"],
};
