//! People who signed in with the identity provider: which user they are, and which roles the provider gives them.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use logbook_engine::db::{
    Conn,
    schema::{identities, identity_roles, sign_in_links, users as users_table, workspaces},
    timestamp::Timestamp,
};

use crate::{
    accounts::{
        browsers,
        grants::Grants,
        role::Role,
        second_factors,
        secret::token_hash,
        sessions::{self, Beginning, Method, NewSession},
        users::{self, NO_EMAIL, User},
    },
    http::{
        client::ClientInfo,
        error::{Code, Problem, Result},
    },
};

/// Somebody as the provider knows them.
#[derive(Clone, Debug)]
pub struct Person {
    pub issuer: String,
    pub subject: String,
    pub name: String,
    /// Only where the provider says that it is theirs.
    pub verified_email: Option<String>,
    pub grants: Grants,
}

/// Somebody who was signed in.
pub struct SignedIn {
    pub new: NewSession,
    /// True when the identity joined an account that existed before: other ways of signing in to it were removed.
    pub joined: bool,
    /// What the provider allows now and did not at the sign-in before, and the other way round.
    pub changes: Vec<RoleChange>,
}

/// A role that the provider gave, took away or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleChange {
    In { workspace_id: i32, before: Option<Role>, now: Option<Role> },
    Everywhere { before: Option<Role>, now: Option<Role> },
    PlatformAdmin { now: bool },
}

/// Signs a person in: finds the user, or makes one, and takes over what the provider allows now.
///
/// # Errors
/// `conflict` when the address is that of a user who is somebody else at this provider; `forbidden` when the account is
/// disabled.
pub fn sign_in(
    conn: &mut Conn,
    person: &Person,
    session_seconds: i64,
    client_info: &ClientInfo,
) -> Result<SignedIn> {
    let now = Timestamp::now();
    let ends_at = now.plus_seconds(session_seconds);
    let signed_in = conn.transaction(|conn| {
        // A write first, so that SQLite takes its lock before anything is read.
        let known = diesel::update(identities::table.find((&person.issuer, &person.subject)))
            .set((identities::last_sign_in_at.eq(now), identities::grants_end_at.eq(ends_at)))
            .returning((identities::user_id, identities::everywhere, identities::platform_admin))
            .get_result::<(i32, Option<String>, bool)>(conn)
            .optional()?;
        let (user, joined, everywhere, platform_admin) = match known {
            Some((id, everywhere, platform_admin)) => {
                let user = users::find(conn, id)?.ok_or_else(Problem::not_found)?;
                (user, false, everywhere.and_then(|role| role.parse().ok()), platform_admin)
            }
            None => {
                let (user, joined) = join(conn, person, now, ends_at)?;
                (user, joined, None, false)
            }
        };
        users::lock(conn, user.id)?;
        if user.disabled_at.is_some() {
            return Err(Problem::new(Code::Forbidden, "this account is disabled"));
        }
        diesel::update(users_table::table.find(user.id))
            .set(users_table::name.eq(&person.name))
            .execute(conn)?;
        let mut changes = keep_roles(conn, user.id, &person.grants)?;
        changes.extend(keep_grants(conn, person, everywhere, platform_admin)?);
        // A session has what the provider granted when it began. Where that has changed, earlier sessions end.
        if !changes.is_empty() {
            sessions::end_of_identity(conn, &person.issuer, &person.subject)?;
        }
        let beginning = Beginning {
            identity: Some((&person.issuer, &person.subject)),
            seconds: Some(session_seconds),
            ..Beginning::new(Method::Provider, client_info)
        };
        let user = User { name: person.name.clone(), ..user };
        Ok::<_, Problem>(SignedIn { new: sessions::start(conn, user, beginning)?, joined, changes })
    });
    match signed_in {
        // Two first sign-ins at once: the other one has created the user.
        Err(problem) if problem.code == Code::Conflict && is_known(conn, person)? => {
            sign_in(conn, person, session_seconds, client_info)
        }
        done => done,
    }
}

fn is_known(conn: &mut Conn, person: &Person) -> Result<bool> {
    let identity = identities::table.find((&person.issuer, &person.subject));
    Ok(diesel::select(diesel::dsl::exists(identity)).get_result(conn)?)
}

/// The account with this address, else a new one. Only now it is proved that the account is theirs, so what opened it before
/// opens it no more. Returns true for an account that existed.
fn join(conn: &mut Conn, person: &Person, now: Timestamp, ends_at: Timestamp) -> Result<(User, bool)> {
    let known = match &person.verified_email {
        Some(email) => users::find_by_email(conn, email)?,
        None => None,
    };
    let joined = known.is_some();
    let user = match (known, &person.verified_email) {
        (Some(user), _) => {
            // An address may be given to somebody else when a person leaves; the account may not.
            let others = identities::table
                .filter(identities::user_id.eq(user.id))
                .filter(identities::issuer.eq(&person.issuer));
            if diesel::select(diesel::dsl::exists(others)).get_result(conn)? {
                let detail = "another person already has this e-mail address; ask an administrator";
                return Err(Problem::new(Code::Conflict, detail));
            }
            close_other_ways(conn, user.id)?;
            User { password_hash: None, ..user }
        }
        (None, Some(email)) => users::create(conn, email, &person.name, false)?,
        (None, None) => {
            let made_up = token_hash(&format!("{}\n{}", person.issuer, person.subject));
            users::create(conn, &format!("{}{NO_EMAIL}", &made_up[..32]), &person.name, false)?
        }
    };
    diesel::insert_into(identities::table)
        .values((
            identities::issuer.eq(&person.issuer),
            identities::subject.eq(&person.subject),
            identities::user_id.eq(user.id),
            identities::platform_admin.eq(false),
            identities::created_at.eq(now),
            identities::last_sign_in_at.eq(now),
            identities::grants_end_at.eq(ends_at),
        ))
        .execute(conn)
        .map_err(|error| Problem::or_taken(error, "", "this person is already known".into()))?;
    Ok((user, joined))
}

/// Removes the password, the second factor, the links, the known browsers and the sessions of an account.
fn close_other_ways(conn: &mut Conn, user_id: i32) -> Result<()> {
    users::lock(conn, user_id)?;
    diesel::update(users_table::table.find(user_id))
        .set(users_table::password_hash.eq(None::<String>))
        .execute(conn)?;
    diesel::delete(sign_in_links::table.filter(sign_in_links::user_id.eq(user_id))).execute(conn)?;
    browsers::forget_all(conn, user_id)?;
    // The provider asks for one of its own.
    second_factors::remove(conn, user_id)?;
    sessions::end_all(conn, user_id, None)?;
    Ok(())
}

/// Puts what the provider allows in single workspaces in place of what it allowed before.
fn keep_roles(conn: &mut Conn, user_id: i32, grants: &Grants) -> Result<Vec<RoleChange>> {
    let own = identity_roles::table.filter(identity_roles::user_id.eq(user_id));
    let before = own.select((identity_roles::workspace_id, identity_roles::role));
    let before: BTreeMap<i32, Option<Role>> =
        before.load::<(i32, String)>(conn)?.into_iter().map(|(id, role)| (id, role.parse().ok())).collect();
    diesel::delete(own).execute(conn)?;
    let slugs: Vec<&String> = grants.by_slug.keys().collect();
    let known = workspaces::table
        .filter(workspaces::slug.eq_any(slugs))
        .select((workspaces::id, workspaces::slug))
        .load::<(i32, String)>(conn)?;
    let mut now = BTreeMap::new();
    for (id, slug) in known {
        let Some(role) = grants.by_slug.get(&slug) else { continue };
        now.insert(id, *role);
        diesel::insert_into(identity_roles::table)
            .values((
                identity_roles::workspace_id.eq(id),
                identity_roles::user_id.eq(user_id),
                identity_roles::role.eq(role.as_str()),
            ))
            .execute(conn)?;
    }
    let concerned: BTreeSet<i32> = before.keys().chain(now.keys()).copied().collect();
    let changes = concerned.into_iter().map(|workspace_id| {
        let (before, now) = (before.get(&workspace_id).copied().flatten(), now.get(&workspace_id).copied());
        (before != now).then_some(RoleChange::In { workspace_id, before, now })
    });
    Ok(changes.flatten().collect())
}

/// Puts what the provider allows in every workspace in place of what it allowed before.
fn keep_grants(
    conn: &mut Conn,
    person: &Person,
    everywhere: Option<Role>,
    platform_admin: bool,
) -> Result<Vec<RoleChange>> {
    let mut changes = Vec::new();
    if everywhere != person.grants.everywhere {
        changes.push(RoleChange::Everywhere { before: everywhere, now: person.grants.everywhere });
    }
    if platform_admin != person.grants.platform_admin {
        changes.push(RoleChange::PlatformAdmin { now: person.grants.platform_admin });
    }
    if !changes.is_empty() {
        diesel::update(identities::table.find((&person.issuer, &person.subject)))
            .set((
                identities::everywhere.eq(person.grants.everywhere.map(Role::as_str)),
                identities::platform_admin.eq(person.grants.platform_admin),
            ))
            .execute(conn)?;
    }
    Ok(changes)
}

/// The workspaces in which the provider gives somebody a role of their own now.
pub fn workspaces_of(conn: &mut Conn, user_id: i32) -> Result<Vec<i32>> {
    let now = identities::table
        .filter(identities::user_id.eq(user_id))
        .filter(identities::grants_end_at.gt(Timestamp::now()));
    if !diesel::select(diesel::dsl::exists(now)).get_result::<bool>(conn)? {
        return Ok(Vec::new());
    }
    let roles = identity_roles::table.filter(identity_roles::user_id.eq(user_id));
    Ok(roles.select(identity_roles::workspace_id).load(conn)?)
}

/// A role that the provider gives somebody in a workspace now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenRole {
    pub role: Role,
    /// They have it in every workspace.
    pub everywhere: bool,
    /// When it ends, unless they sign in there again before.
    pub ends_at: Timestamp,
}

/// The roles that the provider gives people in a workspace now, by their numbers. Platform admins are not among them.
pub fn roles_in(conn: &mut Conn, workspace_id: i32) -> Result<BTreeMap<i32, GivenRole>> {
    let own = identity_roles::table.filter(identity_roles::workspace_id.eq(workspace_id));
    let own: BTreeMap<i32, String> =
        own.select((identity_roles::user_id, identity_roles::role)).load(conn)?.into_iter().collect();
    let holders: Vec<i32> = own.keys().copied().collect();
    let identities = identities::table
        .filter(identities::grants_end_at.gt(Timestamp::now()))
        .filter(identities::platform_admin.eq(false))
        .filter(identities::everywhere.is_not_null().or(identities::user_id.eq_any(holders)))
        .order(identities::grants_end_at.asc())
        .select((identities::user_id, identities::everywhere, identities::grants_end_at))
        .load::<(i32, Option<String>, Timestamp)>(conn)?;
    let given = identities.into_iter().filter_map(|(user_id, everywhere, ends_at)| {
        let role = |text: &String| text.parse::<Role>().ok();
        let everywhere = everywhere.as_ref().and_then(role);
        let here = own.get(&user_id).and_then(role).filter(|_| everywhere != Some(Role::Admin));
        let given = GivenRole { role: here.or(everywhere)?, everywhere: here.is_none(), ends_at };
        Some((user_id, given))
    });
    Ok(given.collect())
}
