//! Citus: distributes the tables over the nodes of a cluster. docs/CITUS.md is for operators.
//!
//! A workspace's rows of all distributed tables are on one node, so that a request of a workspace is a matter of that
//! node. What belongs to no workspace, or is read before the workspace is known, is small and is on every node.

use std::collections::HashSet;

use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _,
    sql_query, sql_types::Text,
};

use super::{Error, Result};

/// Tables whose rows are on the node of their workspace.
pub const DISTRIBUTED: [&str; 21] = [
    "workspace_sequences",
    "events",
    "dedupe_runs",
    "dedupe_parts",
    "idempotency_keys",
    "import_positions",
    "index_states",
    "index_runs",
    "index_merges",
    "index_removals",
    "index_pieces",
    "count_states",
    "count_deltas",
    "event_counts",
    "count_keys",
    "job_leases",
    "source_states",
    "source_days",
    "source_epochs",
    "source_gaps",
    "rejected_records",
];

/// Tables that are on every node. A table comes after those that its foreign keys name.
pub const REFERENCE: [&str; 22] = [
    "workspaces",
    "users",
    "platform_workspace",
    "members",
    "invitations",
    "saved_views",
    "exports",
    "sources",
    "notes",
    "note_events",
    "identities",
    "identity_roles",
    "sign_in_links",
    "sessions",
    "refresh_tokens",
    "session_workspaces",
    "known_browsers",
    "second_factors",
    "recovery_codes",
    "script_tokens",
    "api_keys",
    "api_key_networks",
];

/// The condition of row-level security without the subquery that the migration has: Citus refuses it in a policy. It costs
/// PostgreSQL up to half as much again where a statement reads many partitions, so it is used only here.
const OWN_WORKSPACE: &str = "CASE WHEN workspace_id = nullif(current_setting('logbook.workspace', true), '')::int \
                             THEN true ELSE false END";

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

fn names(conn: &mut PgConnection, query: &str) -> Result<Vec<String>> {
    Ok(sql_query(query).load::<Name>(conn)?.into_iter().map(|row| row.name).collect())
}

/// Whether the database has the extension.
///
/// # Errors
/// The database's.
pub fn is_installed(conn: &mut PgConnection) -> Result<bool> {
    Ok(!names(conn, "SELECT extname::text AS name FROM pg_extension WHERE extname = 'citus'")?.is_empty())
}

/// Distributes the tables that are not distributed yet, with their rows; does nothing without the extension. To be called
/// outside a transaction: each table has one of its own, since the locks of all their shards may not fit into one, and
/// what was done stays done.
///
/// # Errors
/// [`Error::Setup`] with instructions for the operator; the database's.
pub(super) fn distribute(conn: &mut PgConnection) -> Result<()> {
    if !is_installed(conn)? {
        return Ok(());
    }
    let done =
        "SELECT logicalrelid::text AS name FROM pg_dist_partition WHERE partmethod = 'h' OR repmodel = 't'";
    let done: HashSet<String> = names(conn, done)?.into_iter().collect();
    let left = |tables: &[&'static str]| -> Vec<&'static str> {
        tables.iter().copied().filter(|table| !done.contains(*table)).collect()
    };
    let (reference, distributed) = (left(&REFERENCE), left(&DISTRIBUTED));
    if reference.is_empty() && distributed.is_empty() {
        return Ok(());
    }
    allow_roles_on_workers(conn)?;
    for table in &reference {
        conn.batch_execute(&format!("SELECT create_reference_table('{table}')"))?;
        tracing::info!(table, "table copied to every node");
    }
    // Only now no foreign key leads here from a table that is not distributed.
    for table in &reference {
        conn.batch_execute(&format!("SELECT truncate_local_data_after_distributing_table('{table}')"))?;
    }
    for table in distributed {
        conn.transaction(|conn| distribute_one(conn, table))?;
        tracing::info!(table, "table distributed");
    }
    Ok(())
}

fn distribute_one(conn: &mut PgConnection, table: &str) -> Result<()> {
    let mut all = names(
        conn,
        &format!(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = '{table}'::regclass"
        ),
    )?;
    all.insert(0, table.to_owned());
    let mut commands = vec![format!("ALTER POLICY own_workspace ON {table} USING ({OWN_WORKSPACE})")];
    if table == "events" {
        commands.extend(["update", "delete"].map(|change| {
            format!(
                "ALTER POLICY erasers_{change} ON events USING (current_user = 'logbook_eraser' AND {OWN_WORKSPACE})"
            )
        }));
    }
    // The rows are copied to the nodes by COPY, which row-level security refuses when it concerns the owner too.
    commands.extend(all.iter().map(|name| format!("ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")));
    let with = if table == DISTRIBUTED[0] { "none" } else { DISTRIBUTED[0] };
    commands.push(format!(
        "SELECT create_distributed_table('{table}', 'workspace_id', colocate_with => '{with}')"
    ));
    // What the coordinator had before is on its disk still, where nobody sees it.
    for name in &all {
        commands.extend([
            format!("GRANT TRUNCATE ON {name} TO CURRENT_USER"),
            format!("SELECT truncate_local_data_after_distributing_table('{name}')"),
        ]);
        if table == "events" {
            commands.push(format!("REVOKE TRUNCATE ON {name} FROM CURRENT_USER"));
        }
    }
    commands.extend(all.iter().map(|name| format!("ALTER TABLE {name} FORCE ROW LEVEL SECURITY")));
    // Citus refuses several statements in one command.
    for command in commands {
        conn.batch_execute(&command)?;
    }
    Ok(())
}

/// Lets the roles of [`super::roles`] log in: Citus connects to a node as the role that a transaction has.
fn allow_roles_on_workers(conn: &mut PgConnection) -> Result<()> {
    let query = "SELECT rolname::text AS name FROM pg_roles WHERE NOT rolcanlogin
                    AND rolname IN ('logbook_reader', 'logbook_appender', 'logbook_eraser') ORDER BY 1";
    let statements: Vec<String> =
        names(conn, query)?.into_iter().map(|name| format!("ALTER ROLE {name} LOGIN;")).collect();
    for statement in &statements {
        conn.batch_execute(statement).map_err(|error| {
            let statements = statements.join("\n    ");
            Error::Setup(format!(
                "Citus reaches its nodes as the roles of Logbook, which may not log in ({error}). A superuser has to \
                 run this in this database:\n    {statements}\nThen start Logbook again. docs/CITUS.md has the details."
            ))
        })?;
    }
    Ok(())
}
