//! JSON pointers (RFC 6901).

/// One token of a pointer, with `~` and `/` escaped.
pub fn escape_pointer(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}
