//! Invitations to a workspace.
//!
//! An admin of a workspace writes down an address and a role, and the account of that address accepts, or declines. So
//! nobody creates an account for somebody else's address: it exists once the address is proved, by an identity provider, or
//! by a platform admin, who vouches for it. Only a platform admin's invitation of a new person therefore carries a link,
//! which creates the account. Whoever invites learns nothing about an account that exists.

use diesel::prelude::*;
use logbook_engine::db::{
    Conn,
    schema::{invitations, workspaces},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{
    member::Member,
    members,
    role::Role,
    secret::{random_token, token_hash},
    sessions::{self, Beginning, NewSession},
    users::{self, User},
};
use crate::http::{
    error::{Code, FieldError, Problem, Result},
    validation::no_nul,
};

/// How long an invitation can be accepted, in seconds.
const OPEN_SECONDS: i64 = 14 * 86_400;
/// How long the link of an invitation can be used, in seconds.
const LINK_SECONDS: i64 = 86_400;
/// Invitations of a workspace that are open at once.
const MOST_INVITATIONS: i64 = 1000;

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    #[validate(length(max = 320), email(message = "must be an e-mail address"), custom(function = no_nul), custom(function = ascii))]
    #[schema(example = "asha@clinic.test", format = Email, max_length = 320)]
    pub email: String,
    /// Their name, for an account that the invitation's link creates. Default: the part of the address before the @.
    #[serde(default)]
    #[validate(length(min = 1, max = 200), custom(function = no_nul))]
    #[schema(example = "Asha Rao", min_length = 1, max_length = 200)]
    pub name: Option<String>,
    #[schema(inline)]
    pub role: Role,
}

/// Letters that look alike, or that become ASCII in lower case (K, U+212A), make two addresses out of one.
fn ascii(email: &str) -> std::result::Result<(), ValidationError> {
    if email.is_ascii() {
        return Ok(());
    }
    Err(ValidationError::new("not_ascii").with_message("must consist of ASCII characters".into()))
}

#[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = invitations, treat_none_as_default_value = false)]
pub struct Invitation {
    pub workspace_id: i32,
    pub id: String,
    pub email: String,
    pub name: Option<String>,
    pub role: String,
    pub token_hash: Option<String>,
    pub token_expires_at: Option<Timestamp>,
    pub invited_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Invitation {
    /// Its role. The database's check admits no other word, so the least role for other words is never used.
    pub fn role(&self) -> Role {
        self.role.parse().unwrap_or(Role::Viewer)
    }
}

/// An invitation that nobody has accepted yet.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationView {
    #[schema(example = "k7w2m9x4c1qd")]
    pub id: String,
    #[schema(example = "asha@clinic.test")]
    pub email: String,
    /// The role that it offers: `viewer`, `auditor`, `writer` or `admin`.
    #[schema(value_type = String, example = "viewer")]
    pub role: Role,
    /// Who sent it last.
    #[schema(example = "Platform Admin")]
    pub invited_by: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        let role = invitation.role();
        let Invitation { id, email, invited_by, created_at, expires_at, .. } = invitation;
        Self { id, email, role, invited_by, created_at, expires_at }
    }
}

/// An invitation as the invited person sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MyInvitation {
    /// The slug of the workspace.
    #[schema(example = "clinic")]
    pub workspace: String,
    #[schema(example = "City Clinic")]
    pub workspace_name: String,
    /// The role that it offers: `viewer`, `auditor`, `writer` or `admin`.
    #[schema(value_type = String, example = "viewer")]
    pub role: Role,
    #[schema(example = "Platform Admin")]
    pub invited_by: String,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// A new invitation, or one that was sent again.
pub struct Invited {
    pub invitation: Invitation,
    /// The token of the link, which creates the account.
    pub link_token: Option<String>,
}

/// Invites somebody by their address; invites them again if they did not accept yet. `vouches` is true where a platform
/// admin invites, who says by it that the address is the invited person's.
///
/// # Errors
/// `conflict` when they are a member already, and when too many invitations are open.
pub fn create(
    conn: &mut Conn,
    workspace_id: i32,
    new: &NewMember,
    invited_by: &str,
    vouches: bool,
) -> Result<Invited> {
    let email = users::normalized(&new.email);
    conn.transaction(|conn| {
        let now = Timestamp::now();
        // A write first, so that SQLite takes its lock before anything is read.
        let own = invitations::table.filter(invitations::workspace_id.eq(workspace_id));
        diesel::delete(own.filter(invitations::expires_at.le(now))).execute(conn)?;
        let user = users::find_by_email(conn, &email)?;
        if let Some(user) = &user
            && members::role_of(conn, workspace_id, user.id)?.is_some()
        {
            let detail = "this person is a member already";
            let errors = vec![FieldError::at("/email", "taken", detail)];
            return Err(Problem { errors, ..Problem::new(Code::Conflict, detail) });
        }
        if own.count().get_result::<i64>(conn)? >= MOST_INVITATIONS {
            let detail = format!("a workspace has at most {MOST_INVITATIONS} open invitations");
            return Err(Problem::new(Code::Conflict, detail));
        }
        let link_token = (vouches && user.is_none()).then(random_token);
        let sent = (
            invitations::name.eq(new.name.as_deref().map(str::trim)),
            invitations::role.eq(new.role.as_str()),
            invitations::invited_by.eq(invited_by),
            invitations::created_at.eq(now),
            invitations::expires_at.eq(now.plus_seconds(OPEN_SECONDS)),
        );
        let same = own.filter(invitations::email.eq(&email));
        let again = diesel::update(same).set(sent).returning(invitations::all_columns);
        let invitation = match again.get_result::<Invitation>(conn).optional()? {
            Some(invitation) => invitation,
            None => diesel::insert_into(invitations::table)
                .values((
                    invitations::workspace_id.eq(workspace_id),
                    invitations::id.eq(token_hash(&random_token())[..12].to_owned()),
                    invitations::email.eq(&email),
                    sent,
                ))
                .returning(invitations::all_columns)
                .get_result::<Invitation>(conn)?,
        };
        // A link that a platform admin has handed out stays valid, for no longer, when an admin of the workspace changes the
        // role.
        if let Some(token) = &link_token {
            let hash = token_hash(token);
            diesel::update(invitations::table.find((workspace_id, &invitation.id)))
                .set((
                    invitations::token_hash.eq(&hash),
                    invitations::token_expires_at.eq(now.plus_seconds(LINK_SECONDS)),
                ))
                .execute(conn)?;
        }
        Ok(Invited { invitation, link_token })
    })
}

/// The open invitations of a workspace, by address.
pub fn list(conn: &mut Conn, workspace_id: i32) -> Result<Vec<Invitation>> {
    let open = invitations::table
        .filter(invitations::workspace_id.eq(workspace_id))
        .filter(invitations::expires_at.gt(Timestamp::now()))
        .order(invitations::email.asc());
    Ok(open.select(Invitation::as_select()).load(conn)?)
}

/// Takes an invitation back, and returns it.
///
/// # Errors
/// `not_found`
pub fn cancel(conn: &mut Conn, workspace_id: i32, id: &str) -> Result<Invitation> {
    let row = diesel::delete(invitations::table.find((workspace_id, id))).returning(invitations::all_columns);
    row.get_result::<Invitation>(conn).optional()?.ok_or_else(Problem::not_found)
}

/// The open invitations of a person, by workspace. Their address is proved, or they would have no account.
pub fn of_user(conn: &mut Conn, user: &User) -> Result<Vec<MyInvitation>> {
    let open = invitations::table
        .inner_join(workspaces::table)
        .filter(invitations::email.eq(&user.email))
        .filter(invitations::expires_at.gt(Timestamp::now()))
        .order(workspaces::name.asc())
        .select((Invitation::as_select(), workspaces::slug, workspaces::name));
    let rows = open.load::<(Invitation, String, String)>(conn)?;
    let mine = rows.into_iter().map(|(invitation, workspace, workspace_name)| {
        let role = invitation.role();
        let Invitation { invited_by, expires_at, .. } = invitation;
        MyInvitation { workspace, workspace_name, role, invited_by, expires_at }
    });
    Ok(mine.collect())
}

/// Removes the person's invitation to a workspace, to accept or decline it.
fn take(conn: &mut Conn, workspace_id: i32, user: &User) -> Result<Invitation> {
    let mine = invitations::table
        .filter(invitations::workspace_id.eq(workspace_id))
        .filter(invitations::email.eq(&user.email))
        .filter(invitations::expires_at.gt(Timestamp::now()));
    let taken =
        diesel::delete(mine).returning(invitations::all_columns).get_result::<Invitation>(conn).optional()?;
    taken.ok_or_else(Problem::not_found)
}

/// Makes the person a member with the role that they were offered.
///
/// # Errors
/// `not_found` when there is no open invitation.
pub fn accept(conn: &mut Conn, workspace_id: i32, user: &User) -> Result<Member> {
    conn.transaction(|conn| {
        let invitation = take(conn, workspace_id, user)?;
        // Who became a member by other means meanwhile keeps that role.
        let is_member = members::role_of(conn, workspace_id, user.id)?;
        let role = is_member.unwrap_or_else(|| invitation.role());
        members::set(conn, workspace_id, user.id, role)?;
        Ok(Member::new(user.clone(), role))
    })
}

/// # Errors
/// `not_found` when there is no open invitation.
pub fn decline(conn: &mut Conn, workspace_id: i32, user: &User) -> Result<Invitation> {
    take(conn, workspace_id, user)
}

/// Who came in by the link of an invitation.
pub struct CameIn {
    pub new: NewSession,
    pub workspace_id: i32,
    pub role: Role,
}

/// Creates the account of an invited person by the invitation's link, accepts, and signs them in.
///
/// # Errors
/// `link_invalid` when the link is unknown, used or expired, and when the address has an account by now: that one accepts
/// the invitation itself.
pub fn redeem(conn: &mut Conn, token: &str, beginning: Beginning<'_>) -> Result<CameIn> {
    let invalid = |detail: &str| Problem::new(Code::LinkInvalid, detail);
    conn.transaction(|conn| {
        let now = Timestamp::now();
        let linked = invitations::table
            .filter(invitations::token_hash.eq(token_hash(token)))
            .filter(invitations::token_expires_at.gt(now));
        let taken = diesel::update(linked)
            .set(invitations::token_hash.eq(None::<String>))
            .returning(invitations::all_columns)
            .get_result::<Invitation>(conn)
            .optional()?;
        let invitation =
            taken.ok_or_else(|| invalid("ask for a new link: logbook user link --email <address>"))?;
        if users::find_by_email(conn, &invitation.email)?.is_some() {
            return Err(invalid(
                "this address has an account by now: sign in, and accept the invitation there",
            ));
        }
        let local_part = invitation.email.split('@').next().unwrap_or_default();
        let name = invitation.name.as_deref().unwrap_or(local_part);
        let user = users::create(conn, &invitation.email, name, false)?;
        members::set(conn, invitation.workspace_id, user.id, invitation.role())?;
        diesel::delete(invitations::table.find((invitation.workspace_id, &invitation.id))).execute(conn)?;
        let role = invitation.role();
        Ok(CameIn {
            new: sessions::start(conn, user, beginning)?,
            workspace_id: invitation.workspace_id,
            role,
        })
    })
}
