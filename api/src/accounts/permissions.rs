//! What a user may do.

use diesel::prelude::*;
use logbook_engine::db::{
    Conn,
    schema::{identities, identity_roles, members},
    timestamp::Timestamp,
};

use super::{
    claims::{ACCESS_SECONDS, Claims},
    role::Role,
    sessions::Session,
    users::{self, User},
};
use crate::http::error::Result;

/// What a user may do in a session, as a token says it.
pub fn claims(conn: &mut Conn, user: &User, session: &Session) -> Result<Claims> {
    let mut claims = Claims::new(users::subject(user.id), user.name.clone(), ACCESS_SECONDS);
    claims.sid = Some(session.id.clone());
    claims.method = Some(session.method.clone());
    claims.platform_admin = user.platform_admin;
    claims.everywhere = user.platform_admin.then_some(Role::Admin);
    let roles = members::table
        .filter(members::user_id.eq(user.id))
        .select((members::workspace_id, members::role))
        .load::<(i32, String)>(conn)?;
    claims.roles = roles.into_iter().filter_map(|(id, role)| Some((id, role.parse().ok()?))).collect();
    if let (Some(issuer), Some(subject)) = (&session.issuer, &session.subject) {
        add_grants(conn, user.id, (issuer, subject), &mut claims)?;
    }
    Ok(claims)
}

/// Adds what the identity provider allowed the identity that brought the session. Other sessions of the person have none of
/// it: a password or a link must not open what the provider grants. Roles that an admin of Logbook has given come first.
fn add_grants(conn: &mut Conn, user_id: i32, identity: (&str, &str), claims: &mut Claims) -> Result<()> {
    let identities = identities::table
        .find(identity)
        .filter(identities::user_id.eq(user_id))
        .filter(identities::grants_end_at.gt(Timestamp::now()))
        .select((identities::everywhere, identities::platform_admin))
        .load::<(Option<String>, bool)>(conn)?;
    if identities.is_empty() {
        return Ok(());
    }
    for (everywhere, platform_admin) in identities {
        claims.platform_admin |= platform_admin;
        claims.everywhere = claims.everywhere.or_else(|| everywhere?.parse().ok());
    }
    let roles = identity_roles::table
        .filter(identity_roles::user_id.eq(user_id))
        .select((identity_roles::workspace_id, identity_roles::role))
        .load::<(i32, String)>(conn)?;
    for (workspace_id, role) in roles {
        if let Ok(role) = role.parse() {
            claims.roles.entry(workspace_id).or_insert(role);
        }
    }
    Ok(())
}
