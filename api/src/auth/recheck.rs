//! Whether the sender of a request may still read, for answers that take long.

use std::time::{Duration, Instant};

use actix_web::HttpRequest;

use super::{Read, Reader, Readers, bearer, verify};
use crate::{
    accounts::role::Role,
    http::error::{Code, Problem, Result},
};

/// How long an answer goes on before it asks again: as long as permissions are remembered.
const EVERY: Duration = Duration::from_secs(2);

/// Asks again and again whether a reader may read.
pub struct Recheck {
    request: HttpRequest,
    workspace_id: i32,
    may: fn(Role) -> bool,
    /// Whether events of the activity log are among what they read.
    shows_activity: bool,
    asked: Instant,
}

impl Recheck {
    pub fn new<R: Read>(request: &HttpRequest, reader: &Reader<R>, shows_activity: bool) -> Self {
        Self {
            request: request.clone(),
            workspace_id: reader.workspace.id,
            may: R::READERS.may,
            shows_activity,
            asked: Instant::now(),
        }
    }

    /// Asks, unless it was asked just now.
    ///
    /// # Errors
    /// `token_expired`; `unauthenticated` when the token or its session has ended; `forbidden` when the role was taken or
    /// changed.
    pub async fn check(&mut self) -> Result<()> {
        if self.asked.elapsed() < EVERY {
            return Ok(());
        }
        self.asked = Instant::now();
        let caller = verify(&self.request, bearer(&self.request)?).await?;
        let may = |role| (self.may)(role) && (!self.shows_activity || (Readers::OF_ACTIVITY.may)(role));
        match caller.role_in(self.workspace_id) {
            Some(role) if may(role) => Ok(()),
            _ => Err(Problem::new(Code::Forbidden, "you may not read this any more")),
        }
    }
}
