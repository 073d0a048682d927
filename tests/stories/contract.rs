//! The OpenAPI document is the server's, complete, and in the repository.

use std::{collections::BTreeSet, path::Path};

use logbook_tests::TestServer;
use serde_json::Value;

fn document() -> Value {
    serde_json::to_value(logbook::openapi::document()).expect("JSON")
}

fn operations(document: &Value) -> Vec<(&String, &String, &Value)> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        operations.extend(
            methods.as_object().expect("methods").iter().map(|(method, operation)| (path, method, operation)),
        );
    }
    operations
}

#[test]
fn the_document_in_the_repository_is_the_servers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let written = std::fs::read_to_string(path).expect("openapi.yaml");
    assert!(written == logbook::openapi::yaml().expect("YAML"), "openapi.yaml is stale: run `make openapi`");
}

#[test]
fn the_server_hands_the_document_out() {
    let server = TestServer::sqlite();
    let url = |path: &str| format!("http://{}{path}", server.address);
    let served = server.nobody().absolute(&url("/api/openapi.json")).expect(200);
    assert_eq!(served.json["paths"], document()["paths"]);
    assert_eq!(
        server.nobody().absolute(&url("/api/docs/")).expect(200).headers["content-type"],
        "text/html; charset=utf-8"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own_a_sentence_and_a_tag() {
    let document = document();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no name"));
        assert!(
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_alphanumeric()),
            "{name}"
        );
        assert!(names.insert(name), "{name} is there twice");
        assert!(
            operation["summary"].as_str().is_some_and(|text| text.ends_with('.')),
            "{name} has no summary"
        );
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name}");
    }
}

#[test]
fn every_error_in_the_document_is_a_problem() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().expect("responses") {
            if status.starts_with(['4', '5']) && path != "/healthz" {
                let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{method} {path} {status}");
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    let references: BTreeSet<_> =
        text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(references.len() > 10);
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}
