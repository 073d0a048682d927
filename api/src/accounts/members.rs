//! Members of a workspace: people and their roles.

use diesel::prelude::*;
use logbook_engine::db::{
    Conn,
    schema::{members, users as people},
};

use super::member::{Member, ProviderRole, Source};
use crate::{
    accounts::{
        identities::{self, GivenRole},
        role::Role,
        sessions,
        users::{self, User},
    },
    http::error::{Code, Problem, Result},
};

/// The people with a role in a workspace, by name. The list includes people whose role comes from the identity provider.
/// Platform admins, who have a role everywhere, are included only where they are members.
pub fn list(conn: &mut Conn, workspace_id: i32) -> Result<Vec<Member>> {
    let mut given = identities::roles_in(conn, workspace_id)?;
    let query = members::table
        .inner_join(people::table)
        .filter(members::workspace_id.eq(workspace_id))
        .select((User::as_select(), members::role));
    let mut all = Vec::new();
    for (user, role) in query.load::<(User, String)>(conn)? {
        let provider = given.remove(&user.id).map(ProviderRole::from);
        let stays = provider.as_ref().is_some_and(ProviderRole::stays);
        let (role, source) =
            if stays { (Role::Admin, Source::Provider) } else { (known_role(&role), Source::Member) };
        all.push(Member { source, provider, ..Member::new(user, role) });
    }
    let ids: Vec<i32> = given.keys().copied().collect();
    let others = people::table.filter(people::id.eq_any(ids)).filter(people::platform_admin.eq(false));
    for user in others.select(User::as_select()).load::<User>(conn)? {
        if let Some(given) = given.remove(&user.id) {
            all.push(Member::of_provider(user, given));
        }
    }
    let used = sessions::last_used_in(conn, workspace_id)?;
    for member in &mut all {
        member.last_sign_in_at = member.id.parse().ok().and_then(|id: i32| used.get(&id).copied());
    }
    all.sort_by_cached_key(|member| (member.name.to_lowercase(), member.id.clone()));
    Ok(all)
}

/// The role that the identity provider gives somebody in the workspace now; None where it gives none.
fn provider_role_of(conn: &mut Conn, workspace_id: i32, user_id: i32) -> Result<Option<GivenRole>> {
    Ok(identities::roles_in(conn, workspace_id)?.remove(&user_id))
}

/// A stored role. The database's check admits no other word, so the least role for other words is never used.
fn known_role(text: &str) -> Role {
    text.parse().unwrap_or(Role::Viewer)
}

pub fn role_of(conn: &mut Conn, workspace_id: i32, user_id: i32) -> Result<Option<Role>> {
    let role = members::table.find((workspace_id, user_id)).select(members::role).first::<String>(conn);
    Ok(role.optional()?.map(|role| known_role(&role)))
}

pub fn no_such_member() -> Problem {
    Problem::new(Code::NotFound, "this workspace has no such member")
}

/// Makes other changes of the workspace's members wait for this transaction. It is a write, so that SQLite takes its lock
/// now and not after something was read.
fn lock(conn: &mut Conn, workspace_id: i32) -> QueryResult<()> {
    let rows = members::table.filter(members::workspace_id.eq(workspace_id));
    diesel::update(rows).set(members::role.eq(members::role)).execute(conn)?;
    Ok(())
}

/// # Errors
/// `last_admin` when this is the only one.
fn keep_an_admin(conn: &mut Conn, workspace_id: i32, user_id: i32) -> Result<()> {
    // Somebody who is disabled cannot sign in.
    let others = members::table
        .inner_join(people::table)
        .filter(members::workspace_id.eq(workspace_id))
        .filter(members::user_id.ne(user_id))
        .filter(members::role.eq(Role::Admin.as_str()))
        .filter(people::disabled_at.is_null());
    if others.count().get_result::<i64>(conn)? == 0 {
        return Err(Problem::new(Code::LastAdmin, "make somebody else an admin first"));
    }
    Ok(())
}

/// Gives a user a role in a workspace, or another role.
pub fn set(conn: &mut Conn, workspace_id: i32, user_id: i32, role: Role) -> Result<()> {
    let updated = diesel::update(members::table.find((workspace_id, user_id)))
        .set(members::role.eq(role.as_str()))
        .execute(conn)?;
    if updated == 0 {
        diesel::insert_into(members::table)
            .values((
                members::workspace_id.eq(workspace_id),
                members::user_id.eq(user_id),
                members::role.eq(role.as_str()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// A member with a new role.
pub struct Changed {
    pub member: Member,
    /// The role that they had as a member until now.
    pub before: Option<Role>,
}

/// Gives somebody another role. Whoever had one only from the identity provider becomes a member.
///
/// # Errors
/// `not_found`, `last_admin`; `conflict` for somebody whom the identity provider makes an admin of every workspace.
pub fn set_role(conn: &mut Conn, workspace_id: i32, user_id: i32, role: Role) -> Result<Changed> {
    conn.transaction(|conn| {
        lock(conn, workspace_id)?;
        let provider = provider_role_of(conn, workspace_id, user_id)?.map(ProviderRole::from);
        if provider.as_ref().is_some_and(ProviderRole::stays) {
            let detail = "the identity provider makes this person an admin of every workspace";
            return Err(Problem::new(Code::Conflict, detail));
        }
        let before = role_of(conn, workspace_id, user_id)?;
        if before.is_none() && provider.is_none() {
            return Err(no_such_member());
        }
        if before == Some(Role::Admin) && role != Role::Admin {
            keep_an_admin(conn, workspace_id, user_id)?;
        }
        set(conn, workspace_id, user_id, role)?;
        let user = users::find(conn, user_id)?.ok_or_else(no_such_member)?;
        Ok(Changed { member: Member { provider, ..Member::new(user, role) }, before })
    })
}

/// Removes a member. They keep a role that the identity provider gives them. Returns who it was.
///
/// # Errors
/// `not_found`, `last_admin`; `conflict` for somebody whose role comes only from the identity provider.
pub fn remove(conn: &mut Conn, workspace_id: i32, user_id: i32) -> Result<Member> {
    conn.transaction(|conn| {
        lock(conn, workspace_id)?;
        let Some(role) = role_of(conn, workspace_id, user_id)? else {
            let given = provider_role_of(conn, workspace_id, user_id)?;
            let detail =
                "the identity provider gives this role; take it away there, or give another one here";
            return Err(given.map_or_else(no_such_member, |_| Problem::new(Code::Conflict, detail)));
        };
        if role == Role::Admin {
            keep_an_admin(conn, workspace_id, user_id)?;
        }
        diesel::delete(members::table.find((workspace_id, user_id))).execute(conn)?;
        let user = users::find(conn, user_id)?.ok_or_else(no_such_member)?;
        Ok(Member::new(user, role))
    })
}
