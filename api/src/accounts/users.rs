//! People who sign in, and their passwords.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use diesel::prelude::*;
use std::sync::LazyLock;

use logbook_engine::db::{
    Conn,
    schema::{identities, sign_in_links, users},
    timestamp::Timestamp,
};

use crate::{
    accounts::{secret::random_token, sessions},
    http::error::{Code, FieldError, Problem, Result},
};

/// The domain of addresses that do not exist (RFC 2606), for users without an address: the column is not null.
pub const NO_EMAIL: &str = "@no-email.invalid";

#[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::Selectable)]
#[diesel(table_name = users)]
pub struct User {
    pub id: i32,
    pub email: String,
    pub name: String,
    pub password_hash: Option<String>,
    pub platform_admin: bool,
    pub created_at: Timestamp,
    pub last_sign_in_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
}

impl User {
    /// Their address; None where the identity provider gave none.
    pub fn known_email(&self) -> Option<&str> {
        (!self.email.ends_with(NO_EMAIL)).then_some(&self.email)
    }
}

/// Creates an account. Its address must be proved: by an identity provider, or by a platform admin's word.
///
/// # Errors
/// `conflict` when the address is taken; `validation_failed` when it is not ASCII.
pub fn create(conn: &mut Conn, email: &str, name: &str, platform_admin: bool) -> Result<User> {
    if !email.is_ascii() {
        let error = FieldError::at("/email", "not_ascii", "must consist of ASCII characters");
        return Err(Problem::with_errors(Code::ValidationFailed, vec![error]));
    }
    let user = diesel::insert_into(users::table)
        .values((
            users::email.eq(normalized(email)),
            users::name.eq(name),
            users::platform_admin.eq(platform_admin),
            users::created_at.eq(Timestamp::now()),
        ))
        .returning(users::all_columns)
        .get_result::<User>(conn);
    user.map_err(|error| Problem::or_taken(error, "/email", format!("there is already a user {email}")))
}

/// An address as it is stored and compared. Only ASCII letters change their case: `K` (U+212A) does not become `k`.
pub(super) fn normalized(email: &str) -> String {
    email.trim().to_ascii_lowercase()
}

pub fn find(conn: &mut Conn, id: i32) -> Result<Option<User>> {
    Ok(users::table.find(id).select(User::as_select()).first(conn).optional()?)
}

pub fn find_by_email(conn: &mut Conn, email: &str) -> Result<Option<User>> {
    let query = users::table.filter(users::email.eq(normalized(email))).select(User::as_select());
    Ok(query.first(conn).optional()?)
}

/// Whether a platform admin has ever signed in, also one whom the identity provider made that.
pub fn an_admin_has_signed_in(conn: &mut Conn) -> Result<bool> {
    let own =
        users::table.filter(users::platform_admin.eq(true)).filter(users::last_sign_in_at.is_not_null());
    let provided = identities::table.filter(identities::platform_admin.eq(true));
    Ok(diesel::select(diesel::dsl::exists(own)).get_result::<bool>(conn)?
        || diesel::select(diesel::dsl::exists(provided)).get_result::<bool>(conn)?)
}

/// The first platform admin. Created when there is none.
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

/// The `sub` of a user's tokens, and how the logs name them.
pub fn subject(id: i32) -> String {
    format!("user:{id}")
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

/// Checked where there is no user or no password, so that the response takes as long as for any other.
static NOBODYS_HASH: LazyLock<String> = LazyLock::new(|| hash_password(&random_token()).unwrap_or_default());

/// # Errors
/// `invalid_credentials`, the same for an unknown address and a wrong password.
pub fn check_password(conn: &mut Conn, email: &str, password: &str) -> Result<User> {
    let user = find_by_email(conn, email)?;
    let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let fits = password_fits(password, hash.unwrap_or(&NOBODYS_HASH)) && hash.is_some();
    match user {
        Some(user) if fits && user.disabled_at.is_none() => Ok(user),
        _ => Err(Problem::new(Code::InvalidCredentials, "check the e-mail address and the password")),
    }
}

/// The person as they are now, locked, unless something has changed since their password was checked.
///
/// # Errors
/// `invalid_credentials`
pub fn lock_unchanged(conn: &mut Conn, checked: &User) -> Result<User> {
    lock(conn, checked.id)?;
    let user = find(conn, checked.id)?;
    let same = |user: &User| user.disabled_at.is_none() && user.password_hash == checked.password_hash;
    let changed = || Problem::new(Code::InvalidCredentials, "the account has changed: sign in again");
    user.filter(same).ok_or_else(changed)
}

/// Checks the current password of somebody who wants another one. Somebody without one has none to show.
///
/// # Errors
/// `wrong_password`
pub fn check_current_password(user: &User, current: Option<&str>) -> Result<()> {
    if let Some(hash) = &user.password_hash
        && !current.is_some_and(|current| password_fits(current, hash))
    {
        let detail = "the current password is wrong";
        let errors = vec![FieldError::at("/current_password", "wrong", detail)];
        return Err(Problem { errors, ..Problem::new(Code::WrongPassword, detail) });
    }
    Ok(())
}

/// A password as it is stored.
pub struct PasswordHashed(String);

impl PasswordHashed {
    /// Takes 50 ms and more: before a transaction begins.
    ///
    /// # Errors
    /// `internal`
    pub fn new(password: &str) -> Result<Self> {
        hash_password(password).map(Self)
    }

    /// Stores it, ends all sessions of the person but `kept`, and deletes their unused links.
    pub fn store(self, conn: &mut Conn, user_id: i32, kept: Option<&str>) -> Result<()> {
        conn.transaction(|conn| {
            lock(conn, user_id)?;
            diesel::update(users::table.find(user_id)).set(users::password_hash.eq(self.0)).execute(conn)?;
            diesel::delete(sign_in_links::table.filter(sign_in_links::user_id.eq(user_id))).execute(conn)?;
            sessions::end_all(conn, user_id, kept)?;
            Ok(())
        })
    }
}

/// Checks the current password, sets a new one and ends all sessions but `kept`.
///
/// # Errors
/// `wrong_password`
pub fn set_password(
    conn: &mut Conn,
    user: &User,
    current: Option<&str>,
    new: &str,
    kept: Option<&str>,
) -> Result<()> {
    check_current_password(user, current)?;
    PasswordHashed::new(new)?.store(conn, user.id, kept)
}

/// Makes other changes of the user's sessions wait for this transaction. It is a write, so that SQLite takes its lock now
/// and not after something was read.
pub fn lock(conn: &mut Conn, user_id: i32) -> QueryResult<()> {
    // Not the id: PostgreSQL refuses to write an identity column, its own value too.
    diesel::update(users::table.find(user_id)).set(users::name.eq(users::name)).execute(conn)?;
    Ok(())
}

/// Disables an account, which ends its sessions and links, or enables it again. Returns it as it is then.
///
/// # Errors
/// `not_found`; `conflict` for the last platform admin.
pub fn set_disabled(conn: &mut Conn, user_id: i32, disabled: bool) -> Result<User> {
    conn.transaction(|conn| {
        lock(conn, user_id)?;
        let user = find(conn, user_id)?.ok_or_else(Problem::not_found)?;
        if disabled {
            keep_a_platform_admin(conn, &user)?;
            diesel::delete(sign_in_links::table.filter(sign_in_links::user_id.eq(user_id))).execute(conn)?;
            sessions::end_all(conn, user_id, None)?;
        }
        let at = disabled.then(|| user.disabled_at.unwrap_or_else(Timestamp::now));
        diesel::update(users::table.find(user_id)).set(users::disabled_at.eq(at)).execute(conn)?;
        Ok(User { disabled_at: at, ..user })
    })
}

/// Makes somebody a platform admin, or takes it away. Returns them as they are then.
///
/// # Errors
/// `not_found`; `conflict` for the last platform admin.
pub fn set_platform_admin(conn: &mut Conn, user_id: i32, platform_admin: bool) -> Result<User> {
    conn.transaction(|conn| {
        lock(conn, user_id)?;
        let user = find(conn, user_id)?.ok_or_else(Problem::not_found)?;
        if !platform_admin {
            keep_a_platform_admin(conn, &user)?;
        }
        diesel::update(users::table.find(user_id))
            .set(users::platform_admin.eq(platform_admin))
            .execute(conn)?;
        Ok(User { platform_admin, ..user })
    })
}

/// # Errors
/// `conflict` when this is the only platform admin whose account is enabled.
fn keep_a_platform_admin(conn: &mut Conn, user: &User) -> Result<()> {
    let others = users::table
        .filter(users::platform_admin.eq(true))
        .filter(users::disabled_at.is_null())
        .filter(users::id.ne(user.id));
    let is_last =
        user.platform_admin && user.disabled_at.is_none() && others.count().get_result::<i64>(conn)? == 0;
    if is_last {
        return Err(Problem::new(Code::Conflict, "make somebody else a platform admin first"));
    }
    Ok(())
}

/// Ends all sessions of an account, and deletes its links. Returns it.
///
/// # Errors
/// `not_found`
pub fn end_sessions(conn: &mut Conn, user_id: i32) -> Result<User> {
    conn.transaction(|conn| {
        lock(conn, user_id)?;
        let user = find(conn, user_id)?.ok_or_else(Problem::not_found)?;
        diesel::delete(sign_in_links::table.filter(sign_in_links::user_id.eq(user_id))).execute(conn)?;
        sessions::end_all(conn, user_id, None)?;
        Ok(user)
    })
}

/// Accounts that are looked through for a page of the list.
const MOST_LISTED: i64 = 20_000;

/// A page of accounts by address: those after the account `after` whose address or name contains `q`. One without a verified
/// address has its place too, by what is stored instead.
pub fn list(conn: &mut Conn, q: Option<&str>, after: Option<i32>, limit: usize) -> Result<Vec<User>> {
    let after = match after {
        Some(id) => find(conn, id)?.map(|user| user.email),
        None => None,
    };
    let rows = users::table
        .filter(users::email.gt(after.unwrap_or_default()))
        .order(users::email.asc())
        .limit(MOST_LISTED)
        .select(User::as_select())
        .load::<User>(conn)?;
    let wanted = q.unwrap_or_default().to_lowercase();
    let matches = |user: &User| user.email.contains(&wanted) || user.name.to_lowercase().contains(&wanted);
    Ok(rows.into_iter().filter(matches).take(limit).collect())
}
