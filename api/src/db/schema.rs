//! One schema for both databases. `migrations/README.md` says how they stay alike.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::InstantSql;

    events (workspace_id, seq) {
        workspace_id -> Integer,
        seq -> BigInt,
        log -> SmallInt,
        occurred_at -> InstantSql,
        received_at -> InstantSql,
        actor_type -> Nullable<SmallInt>,
        actor_id -> Nullable<Text>,
        actor_name -> Nullable<Text>,
        role -> Nullable<Text>,
        action -> Text,
        outcome -> SmallInt,
        outcome_reason -> Nullable<Text>,
        target_type -> Nullable<Text>,
        target_id -> Nullable<Text>,
        target_name -> Nullable<Text>,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        session_id -> Nullable<Text>,
        correlation_id -> Nullable<Text>,
        changes -> Nullable<Text>,
        metadata -> Nullable<Text>,
        masked -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::InstantSql;

    workspaces (id) {
        id -> Integer,
        slug -> Text,
        name -> Text,
        timezone -> Text,
        date_format -> Text,
        created_at -> InstantSql,
    }
}

diesel::table! {
    workspace_sequences (workspace_id) {
        workspace_id -> Integer,
        last_seq -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::InstantSql;

    dedupe_keys (workspace_id, dedupe_key) {
        workspace_id -> Integer,
        dedupe_key -> Text,
        seq -> BigInt,
        occurred_at -> InstantSql,
        received_at -> InstantSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::InstantSql;

    idempotency_keys (workspace_id, idempotency_key) {
        workspace_id -> Integer,
        idempotency_key -> Text,
        fingerprint -> Text,
        response -> Text,
        created_at -> InstantSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    import_positions (workspace_id, source, source_table) {
        workspace_id -> Integer,
        source -> Text,
        source_table -> Text,
        position -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::InstantSql;

    users (id) {
        id -> Integer,
        email -> Text,
        name -> Text,
        password_hash -> Nullable<Text>,
        platform_admin -> Bool,
        created_at -> InstantSql,
        last_sign_in_at -> Nullable<InstantSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    members (workspace_id, user_id) {
        workspace_id -> Integer,
        user_id -> Integer,
        role -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::InstantSql;

    sign_in_links (token_hash) {
        token_hash -> Text,
        user_id -> Integer,
        expires_at -> InstantSql,
        used_at -> Nullable<InstantSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::InstantSql;

    refresh_tokens (token_hash) {
        token_hash -> Text,
        user_id -> Integer,
        family -> Text,
        expires_at -> InstantSql,
        replaced_at -> Nullable<InstantSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::InstantSql;

    api_keys (workspace_id, prefix) {
        workspace_id -> Integer,
        prefix -> Text,
        name -> Text,
        role -> Text,
        secret_hash -> Text,
        created_by -> Text,
        created_at -> InstantSql,
        expires_at -> Nullable<InstantSql>,
        last_used_at -> Nullable<InstantSql>,
        revoked_at -> Nullable<InstantSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::InstantSql;

    api_key_networks (workspace_id, prefix, network) {
        workspace_id -> Integer,
        prefix -> Text,
        network -> Text,
        first_used_at -> InstantSql,
    }
}

diesel::table! {
    platform_workspace (workspace_id) {
        workspace_id -> Integer,
    }
}

diesel::joinable!(members -> workspaces (workspace_id));
diesel::joinable!(members -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(members, users, workspaces);
