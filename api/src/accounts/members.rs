//! Members of a workspace: people and their roles. Kept here, with their addresses.

use diesel::prelude::*;
use logbook_engine::db::{
    Conn,
    schema::{members, users as people},
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::member::{Member, ProviderRole, Source};
use crate::{
    accounts::{
        identities::{self, GivenRole},
        role::Role,
        sign_in_links,
        users::{self, User},
    },
    http::{
        error::{Code, FieldError, Problem, Result},
        validation::no_nul,
    },
};

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    #[validate(length(max = 320), email(message = "must be an e-mail address"), custom(function = no_nul))]
    #[schema(example = "asha@clinic.test", format = Email, max_length = 320)]
    pub email: String,
    /// Their name, where Logbook does not know them yet. Default: what stands before the @.
    #[serde(default)]
    #[validate(length(min = 1, max = 200), custom(function = no_nul))]
    #[schema(example = "Asha Rao", min_length = 1, max_length = 200)]
    pub name: Option<String>,
    #[schema(inline)]
    pub role: Role,
}

/// The people with a role in a workspace, by name: its members, and whom the identity provider gives one now. Platform
/// admins, who have one everywhere, only where they are members.
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
    all.sort_by_cached_key(|member| (member.name.to_lowercase(), member.id.clone()));
    Ok(all)
}

/// The role that the identity provider gives somebody, who is no member; None where it gives none.
fn provider_role_of(conn: &mut Conn, workspace_id: i32, user_id: i32) -> Result<Option<GivenRole>> {
    Ok(identities::roles_in(conn, workspace_id)?.remove(&user_id))
}

/// The database's check admits no other word; the least role stands for what cannot be.
fn known_role(text: &str) -> Role {
    text.parse().unwrap_or(Role::Viewer)
}

fn role_of(conn: &mut Conn, workspace_id: i32, user_id: i32) -> Result<Option<Role>> {
    let role = members::table.find((workspace_id, user_id)).select(members::role).first::<String>(conn);
    Ok(role.optional()?.map(|role| known_role(&role)))
}

pub fn no_such_member() -> Problem {
    Problem::new(Code::NotFound, "this workspace has no such member")
}

/// Makes everything else that changes the workspace's members wait for this transaction. A write, so that SQLite takes
/// its lock now and not after something was read.
fn lock(conn: &mut Conn, workspace_id: i32) -> QueryResult<()> {
    let rows = members::table.filter(members::workspace_id.eq(workspace_id));
    diesel::update(rows).set(members::role.eq(members::role)).execute(conn)?;
    Ok(())
}

/// # Errors
/// `last_admin` when this is the only one.
fn keep_an_admin(conn: &mut Conn, workspace_id: i32, user_id: i32) -> Result<()> {
    let others = members::table
        .filter(members::workspace_id.eq(workspace_id))
        .filter(members::user_id.ne(user_id))
        .filter(members::role.eq(Role::Admin.as_str()));
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

/// Gives somebody another role: a member, or whom the identity provider gives one, who becomes a member. Returns them
/// with the role that they had as a member.
///
/// # Errors
/// `not_found`, `last_admin`; `conflict` for an admin of every workspace by the identity provider.
pub fn set_role(
    conn: &mut Conn,
    workspace_id: i32,
    user_id: i32,
    role: Role,
) -> Result<(Member, Option<Role>)> {
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
        Ok((Member { provider, ..Member::new(user, role) }, before))
    })
}

/// Takes somebody out of a workspace, except for what the identity provider gives them. Returns who that was.
///
/// # Errors
/// `not_found`, `last_admin`; `conflict` for somebody who has a role only by the identity provider.
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

/// Adds somebody by their e-mail address. Returns them, the role they had, and the token of a sign-in link where they have none of their
/// own way in: whoever has the link is that person, so it is made only for an account that leads nowhere else.
///
/// # Errors
/// `conflict` when they are a member already.
pub fn invite(
    conn: &mut Conn,
    workspace_id: i32,
    new: &NewMember,
) -> Result<(Member, Option<Role>, Option<String>)> {
    conn.transaction(|conn| {
        lock(conn, workspace_id)?;
        let user = match users::find_by_email(conn, &new.email)? {
            Some(user) => user,
            None => {
                let before_at = new.email.split('@').next().unwrap_or_default();
                users::create(conn, &new.email, new.name.as_deref().unwrap_or(before_at).trim(), false)?
            }
        };
        let never_came =
            user.last_sign_in_at.is_none() && user.password_hash.is_none() && !user.platform_admin;
        let elsewhere = members::table
            .filter(members::user_id.eq(user.id))
            .filter(members::workspace_id.ne(workspace_id))
            .count()
            .get_result::<i64>(conn)?;
        let needs_link = never_came && elsewhere == 0;
        let before = role_of(conn, workspace_id, user.id)?;
        if before.is_some() && !needs_link {
            let detail = "this person is a member already";
            let errors = vec![FieldError::at("/email", "taken", detail)];
            return Err(Problem { errors, ..Problem::new(Code::Conflict, detail) });
        }
        if before == Some(Role::Admin) && new.role != Role::Admin {
            keep_an_admin(conn, workspace_id, user.id)?;
        }
        set(conn, workspace_id, user.id, new.role)?;
        let link = if needs_link { Some(sign_in_links::create(conn, user.id)?) } else { None };
        Ok((Member::new(user, new.role), before, link))
    })
}
