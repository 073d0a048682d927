//! People who sign in: kept, their passwords checked, their links and sessions made and taken back.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use diesel::prelude::*;
use std::sync::LazyLock;

use super::{
    Role,
    provider::identities::{self, NO_EMAIL},
    tokens::{ACCESS_SECONDS, Claims, random_token, token_hash},
};
use crate::{
    db::{
        Conn,
        schema::{members, refresh_tokens, sign_in_links, users},
        types::Instant,
    },
    error::{Code, FieldError, Problem, Result},
};

/// How long a sign-in link is good, in seconds.
const LINK_SECONDS: i64 = 24 * 3600;
/// How long a session lives without being used, in seconds.
pub const SESSION_SECONDS: i64 = 14 * 86_400;
/// Two tabs may renew with the same refresh token within this many seconds, or one tab again that lost the answer; later,
/// a second use is theft.
const REUSE_SECONDS: i64 = 30;

#[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::Selectable)]
#[diesel(table_name = users)]
pub struct User {
    pub id: i32,
    pub email: String,
    pub name: String,
    pub password_hash: Option<String>,
    pub platform_admin: bool,
    pub created_at: Instant,
    pub last_sign_in_at: Option<Instant>,
}

impl User {
    /// Their address; None where the identity provider gave none, and one was made up.
    pub fn known_email(&self) -> Option<&str> {
        (!self.email.ends_with(NO_EMAIL)).then_some(&self.email)
    }
}

/// # Errors
/// `conflict` when the address is taken.
pub fn create(conn: &mut Conn, email: &str, name: &str, platform_admin: bool) -> Result<User> {
    let user = diesel::insert_into(users::table)
        .values((
            users::email.eq(normalized(email)),
            users::name.eq(name),
            users::platform_admin.eq(platform_admin),
            users::created_at.eq(Instant::now()),
        ))
        .returning(users::all_columns)
        .get_result::<User>(conn);
    user.map_err(|error| Problem::or_taken(error, "/email", format!("there is a user {email} already")))
}

fn normalized(email: &str) -> String {
    email.trim().to_lowercase()
}

pub fn find(conn: &mut Conn, id: i32) -> Result<Option<User>> {
    Ok(users::table.find(id).select(User::as_select()).first(conn).optional()?)
}

pub fn find_by_email(conn: &mut Conn, email: &str) -> Result<Option<User>> {
    let query = users::table.filter(users::email.eq(normalized(email))).select(User::as_select());
    Ok(query.first(conn).optional()?)
}

/// The platform admin who was there first; made when there is none.
pub fn first_admin(conn: &mut Conn) -> Result<User> {
    let find = |conn: &mut Conn| {
        let admins = users::table.filter(users::platform_admin.eq(true)).order(users::id.asc());
        admins.select(User::as_select()).first::<User>(conn).optional()
    };
    if let Some(user) = find(conn)? {
        return Ok(user);
    }
    match create(conn, "admin@localhost", "Platform Admin", true) {
        // Another server that starts at this moment was quicker.
        Err(problem) if problem.code == Code::Conflict => find(conn)?.ok_or(problem),
        made => made,
    }
}

/// Gives a user a role in a workspace, or another role.
pub fn set_member(conn: &mut Conn, workspace_id: i32, user_id: i32, role: Role) -> Result<()> {
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

/// The `sub` of a user's tokens, and how the logs name them.
pub fn subject(id: i32) -> String {
    format!("user:{id}")
}

/// What a user may do, as a token says it.
pub fn claims(conn: &mut Conn, user: &User) -> Result<Claims> {
    let mut claims = Claims::new(subject(user.id), user.name.clone(), ACCESS_SECONDS);
    claims.platform_admin = user.platform_admin;
    claims.everywhere = user.platform_admin.then_some(Role::Admin);
    let roles = members::table
        .filter(members::user_id.eq(user.id))
        .select((members::workspace_id, members::role))
        .load::<(i32, String)>(conn)?;
    claims.roles = roles.into_iter().filter_map(|(id, role)| Some((id, role.parse().ok()?))).collect();
    identities::add_grants(conn, user.id, &mut claims)?;
    Ok(claims)
}

/// Argon2id with the library's defaults (19 MiB, two passes), which are OWASP's.
fn hash_password(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| {
        tracing::error!(%error, "a password could not be hashed");
        Problem::new(Code::Internal, "the password could not be stored")
    })?;
    Ok(hash.to_string())
}

fn password_fits(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Checked where there is no user or no password, so that the answer takes as long as for any other.
static NOBODYS_HASH: LazyLock<String> = LazyLock::new(|| hash_password(&random_token()).unwrap_or_default());

/// # Errors
/// `invalid_credentials`, the same for an unknown address and a wrong password.
pub fn check_password(conn: &mut Conn, email: &str, password: &str) -> Result<User> {
    let user = find_by_email(conn, email)?;
    let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let fits = password_fits(password, hash.unwrap_or(&NOBODYS_HASH)) && hash.is_some();
    match user {
        Some(user) if fits => Ok(user),
        _ => Err(Problem::new(Code::InvalidCredentials, "check the e-mail address and the password")),
    }
}

/// Sets a password; one that is set already has to be given. Ends all sessions but the one that `refresh_token` belongs
/// to, and takes back links that were not used.
///
/// # Errors
/// `wrong_password`
pub fn set_password(
    conn: &mut Conn,
    user: &User,
    current: Option<&str>,
    new: &str,
    refresh_token: Option<&str>,
) -> Result<()> {
    if let Some(hash) = &user.password_hash
        && !current.is_some_and(|current| password_fits(current, hash))
    {
        let detail = "the current password is not right";
        let errors = vec![FieldError::at("/current_password", "wrong", detail)];
        return Err(Problem { errors, ..Problem::new(Code::WrongPassword, detail) });
    }
    let hash = hash_password(new)?;
    conn.transaction(|conn| {
        lock(conn, user.id)?;
        diesel::update(users::table.find(user.id)).set(users::password_hash.eq(hash)).execute(conn)?;
        diesel::delete(sign_in_links::table.filter(sign_in_links::user_id.eq(user.id))).execute(conn)?;
        let kept = match refresh_token {
            Some(token) => family_of(conn, token)?.map(|(_, family)| family),
            None => None,
        };
        let others = refresh_tokens::table
            .filter(refresh_tokens::user_id.eq(user.id))
            .filter(refresh_tokens::family.ne(kept.unwrap_or_default()));
        diesel::delete(others).execute(conn)?;
        Ok(())
    })
}

/// Makes everything that touches a user's sessions wait for this transaction. A write, so that SQLite takes its lock now
/// and not after something was read.
pub fn lock(conn: &mut Conn, user_id: i32) -> QueryResult<()> {
    // Not the id: PostgreSQL refuses to write an identity column, its own value too.
    diesel::update(users::table.find(user_id)).set(users::name.eq(users::name)).execute(conn)?;
    Ok(())
}

/// A link that signs a user in once. Returns the token that the link carries.
pub fn create_link(conn: &mut Conn, user_id: i32) -> Result<String> {
    let token = random_token();
    let now = Instant::now();
    diesel::delete(sign_in_links::table.filter(sign_in_links::expires_at.lt(now))).execute(conn)?;
    diesel::insert_into(sign_in_links::table)
        .values((
            sign_in_links::token_hash.eq(token_hash(&token)),
            sign_in_links::user_id.eq(user_id),
            sign_in_links::expires_at.eq(now.plus_seconds(LINK_SECONDS)),
        ))
        .execute(conn)?;
    Ok(token)
}

/// Signs in with a link: uses it up and starts a session, both or neither. Returns the session's refresh token too.
///
/// # Errors
/// `link_invalid` when it is unknown, used or expired.
pub fn use_link(conn: &mut Conn, token: &str) -> Result<(User, String)> {
    let invalid =
        || Problem::new(Code::LinkInvalid, "ask for a new link: logbook user link --email <address>");
    let now = Instant::now();
    conn.transaction(|conn| {
        // One statement, so that of two requests at once only one finds the link unused.
        let user_id = diesel::update(sign_in_links::table.find(token_hash(token)))
            .filter(sign_in_links::used_at.is_null())
            .filter(sign_in_links::expires_at.gt(now))
            .set(sign_in_links::used_at.eq(now))
            .returning(sign_in_links::user_id)
            .get_result::<i32>(conn)
            .optional()?;
        let user = find(conn, user_id.ok_or_else(invalid)?)?.ok_or_else(invalid)?;
        let refresh = start_session(conn, user.id)?;
        Ok((user, refresh))
    })
}

/// Starts a session. Returns its refresh token.
pub fn start_session(conn: &mut Conn, user_id: i32) -> Result<String> {
    start_session_until(conn, user_id, None)
}

/// Starts a session that ends then, however much it is used. Returns its refresh token.
pub fn start_session_until(conn: &mut Conn, user_id: i32, ends_at: Option<Instant>) -> Result<String> {
    let now = Instant::now();
    diesel::update(users::table.find(user_id)).set(users::last_sign_in_at.eq(now)).execute(conn)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(now))).execute(conn)?;
    add_refresh_token(conn, user_id, &random_token(), ends_at)
}

fn add_refresh_token(
    conn: &mut Conn,
    user_id: i32,
    family: &str,
    ends_at: Option<Instant>,
) -> Result<String> {
    let token = random_token();
    let unused = Instant::now().plus_seconds(SESSION_SECONDS);
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::token_hash.eq(token_hash(&token)),
            refresh_tokens::user_id.eq(user_id),
            refresh_tokens::family.eq(family),
            refresh_tokens::expires_at.eq(ends_at.map_or(unused, |end| unused.min(end))),
            refresh_tokens::session_ends_at.eq(ends_at),
        ))
        .execute(conn)?;
    Ok(token)
}

/// The user and the session that a refresh token belongs to.
fn family_of(conn: &mut Conn, token: &str) -> QueryResult<Option<(i32, String)>> {
    let token = refresh_tokens::table.find(token_hash(token));
    token.select((refresh_tokens::user_id, refresh_tokens::family)).first(conn).optional()
}

/// What came of a refresh token.
pub enum Renewed {
    /// The user, and the token that takes its place.
    Session(User, String),
    /// It was swapped before: somebody has a copy. The whole session of this user is ended.
    Reused(i32),
}

/// Swaps a refresh token for a new one.
///
/// For [`REUSE_SECONDS`] a token may be swapped again, so for a moment a session has several good tokens. Whichever is used
/// first takes the others' place: a browser has only one of them anyway, and where a thief has another, the next use of that
/// one, or of the browser's own, ends the session.
///
/// # Errors
/// `not_signed_in`
pub fn renew_session(conn: &mut Conn, token: &str) -> Result<Renewed> {
    let problem = || Problem::new(Code::NotSignedIn, "sign in");
    let (user_id, family) = family_of(conn, token)?.ok_or_else(problem)?;
    let renewed = conn.transaction(|conn| {
        // What ends the session waits, or was before: then the token is gone.
        lock(conn, user_id)?;
        renew_locked(conn, user_id, &family, token)
    })?;
    renewed.ok_or_else(problem)
}

fn renew_locked(conn: &mut Conn, user_id: i32, family: &str, token: &str) -> Result<Option<Renewed>> {
    let now = Instant::now();
    let known = refresh_tokens::table
        .find(token_hash(token))
        .filter(refresh_tokens::expires_at.gt(now))
        .select((refresh_tokens::replaced_at, refresh_tokens::session_ends_at))
        .first::<(Option<Instant>, Option<Instant>)>(conn)
        .optional()?;
    let Some((replaced_at, ends_at)) = known else { return Ok(None) };
    if replaced_at.is_some_and(|at| at.plus_seconds(REUSE_SECONDS) < now) {
        tracing::warn!(user_id, "a refresh token came a second time; its session is ended");
        end_family(conn, family)?;
        return Ok(Some(Renewed::Reused(user_id)));
    }
    let Some(user) = find(conn, user_id)? else { return Ok(None) };
    // Of a token that is swapped again the successors stay: one of them is perhaps what the other tab goes on with.
    if replaced_at.is_none() {
        diesel::update(refresh_tokens::table.filter(refresh_tokens::family.eq(family)))
            .filter(refresh_tokens::replaced_at.is_null())
            .set(refresh_tokens::replaced_at.eq(now))
            .execute(conn)?;
    }
    let token = add_refresh_token(conn, user_id, family, ends_at)?;
    Ok(Some(Renewed::Session(user, token)))
}

fn end_family(conn: &mut Conn, family: &str) -> QueryResult<()> {
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::family.eq(family))).execute(conn)?;
    Ok(())
}

/// Ends the session that a refresh token belongs to. Returns whose it was.
pub fn end_session(conn: &mut Conn, token: &str) -> Result<Option<i32>> {
    let Some((user_id, family)) = family_of(conn, token)? else { return Ok(None) };
    conn.transaction(|conn| {
        lock(conn, user_id)?;
        end_family(conn, &family)?;
        Ok(Some(user_id))
    })
}
