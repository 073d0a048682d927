//! Threads whose work nobody waits for at this moment give way to those that answer requests.

/// Lets other threads have the processor first: this one gets about a tenth of what each of them gets, or all that they
/// leave. Only Linux has a priority for each thread; elsewhere nothing happens.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    {
        let thread = rustix::thread::gettid();
        if let Err(error) = rustix::process::setpriority_process(Some(thread), 10) {
            tracing::debug!(%error, "a thread keeps its priority");
        }
    }
}
