//! The files of the web application, and the headers that restrict what its pages may do.

use std::sync::LazyLock;

use logbook_tests::on_both;
use tempfile::TempDir;

/// A web application of one page and one asset.
static WEB: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("assets")).expect("a folder");
    for (file, text) in [("index.html", "<!doctype html><title>Logbook</title>"), ("assets/a-1.js", "1")] {
        std::fs::write(folder.path().join(file), text).expect("written");
    }
    folder
});

on_both!(
    pages_may_load_only_what_is_their_own,
    |config| {
        config.web_dir = Some(WEB.path().to_owned());
    },
    |server| {
        let get = |path: &str| server.nobody().absolute(&format!("http://{}{path}", server.address));
        for path in ["/", "/w/clinic/access", "/sign-in", "/assets/a-1.js", "/assets/gone.js", "/api/docs/"] {
            let headers = get(path).headers;
            let policy = headers.get("content-security-policy").unwrap_or_else(|| panic!("{path}"));
            let directives: Vec<_> = policy.split("; ").collect();
            for directive in [
                "default-src 'self'",
                "object-src 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            ] {
                assert!(directives.contains(&directive), "{path}: {directive}");
            }
            // Scripts come from files only; Swagger UI has inline styles, but no inline scripts.
            assert!(!policy.contains("script-src") && !policy.contains("unsafe-eval"), "{path}: {policy}");
            assert_eq!(policy.contains("unsafe-inline"), path.starts_with("/api/docs"), "{path}: {policy}");
            assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
            assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        }
        let api = get("/api/v1/workspaces");
        assert_eq!((api.status, api.headers["x-content-type-options"].as_str()), (401, "nosniff"));
        assert_eq!(api.headers["cache-control"], "no-store");
        assert!(get("/assets/a-1.js").headers["cache-control"].contains("immutable"));
    }
);
