//! One schema for both databases. `migrations/README.md` says how they stay alike.
//!
//! A long file: a list of all tables, which is searched and not read.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    events (workspace_id, seq) {
        workspace_id -> Integer,
        seq -> BigInt,
        log -> SmallInt,
        occurred_at -> TimestampSql,
        received_at -> TimestampSql,
        source -> Text,
        actor_type -> Nullable<SmallInt>,
        actor_id -> Nullable<Text>,
        actor_name -> Nullable<Text>,
        on_behalf_of_type -> Nullable<SmallInt>,
        on_behalf_of_id -> Nullable<Text>,
        on_behalf_of_name -> Nullable<Text>,
        role -> Nullable<Text>,
        action -> Text,
        outcome -> SmallInt,
        outcome_reason -> Nullable<Text>,
        purpose -> Nullable<Text>,
        target_type -> Nullable<Text>,
        target_id -> Nullable<Text>,
        target_name -> Nullable<Text>,
        targets -> Nullable<Text>,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        session_id -> Nullable<Text>,
        correlation_id -> Nullable<Text>,
        epoch -> Nullable<Text>,
        sequence -> Nullable<BigInt>,
        changes -> Nullable<Text>,
        metadata -> Nullable<Text>,
        masked -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    workspaces (id) {
        id -> Integer,
        slug -> Text,
        name -> Text,
        timezone -> Text,
        date_format -> Text,
        created_at -> TimestampSql,
        masking_key -> Binary,
        masked_fields -> Text,
        kept_fields -> Text,
        fields_changed_at -> Nullable<TimestampSql>,
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
    use crate::db::timestamp::TimestampSql;

    dedupe_runs (workspace_id, source, run) {
        workspace_id -> Integer,
        source -> Text,
        run -> BigInt,
        entries -> BigInt,
        expires_at -> Nullable<TimestampSql>,
    }
}

diesel::table! {
    dedupe_parts (workspace_id, source, run, part) {
        workspace_id -> Integer,
        source -> Text,
        run -> BigInt,
        part -> Integer,
        heads -> Binary,
        rests -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    idempotency_keys (workspace_id, source, idempotency_key) {
        workspace_id -> Integer,
        source -> Text,
        idempotency_key -> Text,
        fingerprint -> Text,
        response -> Binary,
        created_at -> TimestampSql,
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
    use crate::db::timestamp::TimestampSql;

    users (id) {
        id -> Integer,
        email -> Text,
        name -> Text,
        password_hash -> Nullable<Text>,
        platform_admin -> Bool,
        created_at -> TimestampSql,
        last_sign_in_at -> Nullable<TimestampSql>,
        disabled_at -> Nullable<TimestampSql>,
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
    use crate::db::timestamp::TimestampSql;

    sign_in_links (token_hash) {
        token_hash -> Text,
        user_id -> Integer,
        expires_at -> TimestampSql,
        used_at -> Nullable<TimestampSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    sessions (id) {
        id -> Text,
        user_id -> Integer,
        method -> Text,
        issuer -> Nullable<Text>,
        subject -> Nullable<Text>,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        created_at -> TimestampSql,
        renewed_at -> TimestampSql,
        ends_at -> TimestampSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    refresh_tokens (token_hash) {
        token_hash -> Text,
        session_id -> Text,
        expires_at -> TimestampSql,
        replaced_at -> Nullable<TimestampSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    session_workspaces (workspace_id, user_id, session_id) {
        workspace_id -> Integer,
        user_id -> Integer,
        session_id -> Text,
        used_at -> TimestampSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    known_browsers (token_hash) {
        token_hash -> Text,
        user_id -> Integer,
        last_used_at -> TimestampSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    second_factors (user_id) {
        user_id -> Integer,
        sealed_secret -> Binary,
        created_at -> TimestampSql,
        confirmed_at -> Nullable<TimestampSql>,
        last_step -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    recovery_codes (user_id, code_hash) {
        user_id -> Integer,
        code_hash -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    script_tokens (id) {
        id -> Text,
        workspace_id -> Nullable<Integer>,
        name -> Text,
        role -> Text,
        created_at -> TimestampSql,
        expires_at -> TimestampSql,
        revoked_at -> Nullable<TimestampSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    invitations (workspace_id, id) {
        workspace_id -> Integer,
        id -> Text,
        email -> Text,
        name -> Nullable<Text>,
        role -> Text,
        token_hash -> Nullable<Text>,
        token_expires_at -> Nullable<TimestampSql>,
        invited_by -> Text,
        created_at -> TimestampSql,
        expires_at -> TimestampSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    saved_views (workspace_id, id) {
        workspace_id -> Integer,
        id -> Text,
        owner -> Text,
        owner_name -> Text,
        log -> SmallInt,
        name -> Text,
        query -> Text,
        shared -> Bool,
        is_default -> Bool,
        created_at -> TimestampSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    exports (workspace_id, id) {
        workspace_id -> Integer,
        id -> Text,
        owner -> Text,
        owner_name -> Text,
        log -> Text,
        format -> Text,
        query -> Text,
        state -> Text,
        events -> BigInt,
        total -> Nullable<BigInt>,
        bytes -> BigInt,
        reason -> Nullable<Text>,
        created_at -> TimestampSql,
        updated_at -> TimestampSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    notes (workspace_id, id) {
        workspace_id -> Integer,
        id -> Text,
        author -> Text,
        author_name -> Text,
        text -> Text,
        created_at -> TimestampSql,
    }
}

diesel::table! {
    note_events (workspace_id, event_id, note_id) {
        workspace_id -> Integer,
        event_id -> Text,
        note_id -> Text,
        log -> SmallInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    index_states (workspace_id) {
        workspace_id -> Integer,
        indexed_seq -> BigInt,
        next_segment -> Integer,
        revision -> BigInt,
        format -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    index_runs (workspace_id, run) {
        workspace_id -> Integer,
        run -> Integer,
        segment -> Integer,
        level -> SmallInt,
        first_seq -> BigInt,
        last_seq -> BigInt,
        first_time -> TimestampSql,
        last_time -> TimestampSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    index_merges (workspace_id, segment) {
        workspace_id -> Integer,
        segment -> Integer,
        level -> SmallInt,
        first_seq -> BigInt,
        last_seq -> BigInt,
        next_piece -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    index_removals (workspace_id, segment) {
        workspace_id -> Integer,
        segment -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    index_pieces (workspace_id, piece) {
        workspace_id -> Integer,
        piece -> BigInt,
        bits -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    job_leases (workspace_id, job) {
        workspace_id -> Integer,
        job -> Text,
        holder -> Text,
        held_until -> TimestampSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    count_states (workspace_id) {
        workspace_id -> Integer,
        revision -> BigInt,
        compacted_seq -> BigInt,
        unbuilt_from -> Nullable<TimestampSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    count_deltas (workspace_id, seq) {
        workspace_id -> Integer,
        seq -> BigInt,
        received_at -> TimestampSql,
        events -> Integer,
        cell_count -> Integer,
        cells -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    event_counts (workspace_id, log, grain, bucket) {
        workspace_id -> Integer,
        log -> SmallInt,
        grain -> SmallInt,
        bucket -> Integer,
        revision -> BigInt,
        cells -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    count_keys (workspace_id, log, kind, hash) {
        workspace_id -> Integer,
        log -> SmallInt,
        kind -> SmallInt,
        hash -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    api_keys (workspace_id, prefix) {
        workspace_id -> Integer,
        prefix -> Text,
        name -> Text,
        role -> Text,
        secret_hash -> Text,
        created_by -> Text,
        creator_id -> Nullable<Integer>,
        source -> Nullable<Text>,
        created_at -> TimestampSql,
        expires_at -> Nullable<TimestampSql>,
        last_used_at -> Nullable<TimestampSql>,
        revoked_at -> Nullable<TimestampSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    api_key_networks (workspace_id, prefix, network) {
        workspace_id -> Integer,
        prefix -> Text,
        network -> Text,
        first_used_at -> TimestampSql,
    }
}

diesel::table! {
    platform_workspace (workspace_id) {
        workspace_id -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    identities (issuer, subject) {
        issuer -> Text,
        subject -> Text,
        user_id -> Integer,
        everywhere -> Nullable<Text>,
        platform_admin -> Bool,
        created_at -> TimestampSql,
        last_sign_in_at -> TimestampSql,
        grants_end_at -> TimestampSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    identity_roles (workspace_id, user_id) {
        workspace_id -> Integer,
        user_id -> Integer,
        role -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    sources (workspace_id, name) {
        workspace_id -> Integer,
        name -> Text,
        kind -> Text,
        mapping -> Nullable<Text>,
        silence_seconds -> Nullable<Integer>,
        replay_days -> Nullable<Integer>,
        sealed_secret -> Nullable<Binary>,
        created_by -> Text,
        created_at -> TimestampSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    source_states (workspace_id, source) {
        workspace_id -> Integer,
        source -> Text,
        last_event_at -> Nullable<TimestampSql>,
        last_received_at -> Nullable<TimestampSql>,
        last_heartbeat_at -> Nullable<TimestampSql>,
        events -> BigInt,
        duplicates -> BigInt,
        skipped -> BigInt,
        bytes -> BigInt,
        rejected -> BigInt,
        rejected_bytes -> BigInt,
        last_rejected -> BigInt,
        lag_micros -> Nullable<BigInt>,
        least_lag_micros -> Nullable<BigInt>,
        least_lag_since -> Nullable<TimestampSql>,
        gaps_complete -> Bool,
        silent_since -> Nullable<TimestampSql>,
        skewed_since -> Nullable<TimestampSql>,
        gaps_since -> Nullable<TimestampSql>,
        rejected_reported_at -> Nullable<TimestampSql>,
        reported_rejected -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    source_days (workspace_id, source, day) {
        workspace_id -> Integer,
        source -> Text,
        day -> Integer,
        events -> BigInt,
        duplicates -> BigInt,
        rejected -> BigInt,
        bytes -> BigInt,
        lag_micros -> BigInt,
        lag_events -> BigInt,
        without_actor -> BigInt,
        without_origin -> BigInt,
        without_target -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    source_epochs (workspace_id, source, epoch) {
        workspace_id -> Integer,
        source -> Text,
        epoch -> Text,
        first_sequence -> BigInt,
        last_sequence -> BigInt,
        reordered -> BigInt,
        repeated -> BigInt,
        received_at -> TimestampSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    source_gaps (workspace_id, source, epoch, first_sequence) {
        workspace_id -> Integer,
        source -> Text,
        epoch -> Text,
        first_sequence -> BigInt,
        last_sequence -> BigInt,
        noticed_at -> TimestampSql,
        reported -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::timestamp::TimestampSql;

    rejected_records (workspace_id, source, id) {
        workspace_id -> Integer,
        source -> Text,
        id -> BigInt,
        received_at -> TimestampSql,
        code -> Text,
        reason -> Text,
        pointer -> Nullable<Text>,
        record -> Binary,
        context -> Nullable<Text>,
    }
}

diesel::joinable!(members -> workspaces (workspace_id));
diesel::allow_tables_to_appear_in_same_query!(index_states, workspace_sequences);
diesel::joinable!(members -> users (user_id));
diesel::joinable!(invitations -> workspaces (workspace_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::allow_tables_to_appear_in_same_query!(invitations, workspaces);
diesel::allow_tables_to_appear_in_same_query!(refresh_tokens, sessions);
diesel::allow_tables_to_appear_in_same_query!(members, users, workspaces);
