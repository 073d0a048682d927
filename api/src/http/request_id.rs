//! The id of the request that is being answered.

tokio::task_local! {
    /// The id of the request that is being answered; set by [`crate::app`]'s outermost middleware.
    pub static REQUEST_ID: String;
}
