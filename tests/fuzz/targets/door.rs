//! Bodies at the doors of sources, through their formats and mappings. The first line of an input is the kind.

use actix_web::web::Bytes;
use logbook::{
    accounts::source_kind::Kind,
    routes::logs::ingest::parse_mixed,
    sources::{
        formats::{self, Head},
        mapping::Mapping,
        reading::{PATIENCE, Reading},
    },
};
use logbook_engine::{
    event::{Event, limits::SourceName, masking::Masker},
    sources::Record,
};
use rand_pcg::Pcg64Mcg;
use serde_json::json;

use super::{Target, headed};
use crate::mutate::{mutated, one_in, pick};

/// Elements as their vendors document them, by kind.
const SEEDS: &[(Kind, &str)] = &[
    (
        Kind::Api,
        r#"[{"log":"access","event_type":"login","occurred_at":"2026-11-25T02:00:00Z"},{"action":"update","model":"m"}]"#,
    ),
    (
        Kind::Hec,
        r#"{"time":1732500000.123,"host":"h","event":{"action":"login","user":"asha","src_ip":"203.0.113.9"},"fields":{"k":"v"}}{"event":"{\"action\":\"x\"}"}"#,
    ),
    (
        Kind::Otlp,
        r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"b"}}]},"scopeLogs":[{"scope":{"name":"a"},"logRecords":[{"timeUnixNano":"1732500000000000000","eventName":"invoice.delete","body":{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":"7"}]}}}]}},"attributes":[{"key":"audit.actor.id","value":{"stringValue":"u"}}]}]}]}]}"#,
    ),
    (
        Kind::Cloudevents,
        r#"[{"specversion":"1.0","id":"A","source":"/s","type":"io.acme.x","subject":"invoice/77","time":"2026-11-25T02:00:00Z","data":{"actor":{"id":"u"}}}]"#,
    ),
    (
        Kind::Kubernetes,
        r#"{"kind":"EventList","items":[{"auditID":"7","stage":"ResponseComplete","verb":"delete","user":{"username":"bob"},"sourceIPs":["203.0.113.9"],"objectRef":{"resource":"secrets","namespace":"a","name":"x"},"responseStatus":{"code":403},"requestReceivedTimestamp":"2026-11-25T02:00:00.000000Z","annotations":{"authorization.k8s.io/decision":"forbid"}}]}"#,
    ),
    (
        Kind::Keycloak,
        r#"[{"id":"0","time":1732500000000,"type":"LOGIN_ERROR","realmId":"r","userId":"u","error":"x","details":{"username":"bob","previous_a":"1","updated_a":"2"}},{"id":"1","time":1,"realmId":"r","operationType":"UPDATE","resourceType":"USER","resourcePath":"users/5","representation":"{\"username\":\"bob\"}"}]"#,
    ),
    (
        Kind::Auth0,
        r#"{"log_id":"9","data":{"date":"2026-11-25T02:00:00.000Z","type":"fp","description":"d","client_id":"c","ip":"203.0.113.9","user_id":"auth0|64","details":{"error":{"message":"m"}}}}"#,
    ),
    (
        Kind::Okta,
        r#"{"data":{"events":[{"uuid":"u","published":"2026-11-25T02:00:00.000Z","eventType":"user.session.start","actor":{"id":"0","type":"User","displayName":"Bob"},"client":{"ipAddress":"203.0.113.9"},"outcome":{"result":"DENY"},"target":[{"id":"0oa","type":"App","displayName":"P"}]}]}}"#,
    ),
    (
        Kind::Github,
        r#"{"@timestamp":1732500000000,"_document_id":"x","action":"org.update_member","actor":"bob","actor_id":1,"actor_ip":"203.0.113.9","actor_is_bot":false,"user":"alice","org":"acme","permission":"admin","permission_was":"read"}"#,
    ),
    (
        Kind::Retraced,
        r#"{"events":[{"action":"a.b","group":{"id":"g"},"actor":{"id":"a"},"target":{"id":"t","type":"d"},"created":"2026-11-25T02:00:00Z","is_failure":true,"external_id":"e"}]}"#,
    ),
    (
        Kind::Workos,
        r#"{"organization_id":"o","event":{"action":"user.signed_in","occurred_at":"2026-11-25T02:00:00Z","actor":{"id":"u","type":"user"},"targets":[{"id":"t","type":"team"}],"context":{"location":"x"}}}"#,
    ),
];

/// Names and values that mappings look at.
const WORDS: &[&str] = &[
    "\"action\":",
    "\"event\":",
    "\"log\":\"access\"",
    "\"occurred_at\":",
    "\"changes\":[{\"field\":\"a\",\"old\":1,\"new\":2}]",
    "null",
    "{}",
    "[]",
    "\\u0000",
    "1e400",
    "-0",
    "18446744073709551615",
    "\"\"",
    "true",
    "\n",
    "{\"",
    "[[[[",
    "\"sequence\":1",
];

pub(crate) struct Doors {
    masker: Masker,
}

impl Doors {
    pub(crate) fn new() -> Self {
        Self { masker: Masker::with_key(vec![7; 32]) }
    }
}

impl Target for Doors {
    fn name(&self) -> &'static str {
        "door"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        SEEDS.iter().map(|(kind, body)| format!("{}\n{body}", kind.as_str()).into_bytes()).collect()
    }

    fn mutate(&mut self, rng: &mut Pcg64Mcg, seeds: &[Vec<u8>]) -> Vec<u8> {
        let seed: &Vec<u8> = pick(rng, seeds);
        let (kind, body) = headed(seed);
        // One in eight in the shape of another kind.
        let kind = if one_in(rng, 8) { pick(rng, Kind::ALL).as_str().as_bytes() } else { kind };
        [kind, b"\n", &mutated(rng, body, seeds, WORDS)].concat()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let (kind, body) = headed(input);
        let kind = std::str::from_utf8(kind).ok().and_then(|kind| kind.parse().ok()).unwrap_or(Kind::Hec);
        let body = Bytes::copy_from_slice(body);
        let head = Head::new([("content-type".to_owned(), "application/json".to_owned())]);
        let Ok(elements) = formats::elements(kind, &head, &body) else { return false };
        let count = elements.len();
        for element in &elements {
            // What a rejected record is read from again is what was read first.
            let context = element.context.as_deref().map(|context| json!(context).to_string().into());
            let record = Record { bytes: element.raw.clone(), context };
            assert_eq!(formats::again(kind, &record).value(), element.value());
        }
        let source = SourceName::truncated("fuzz");
        let reading = Reading {
            kind,
            mapping: Some(Mapping::of(kind)),
            own: parse_mixed,
            source: &source,
            masker: &self.masker,
        };
        let Ok(read) = reading.read::<std::convert::Infallible>(elements, PATIENCE, |_| Ok(()));
        assert_eq!(
            read.events.len() + read.rejected.len() + read.skipped as usize,
            count,
            "nothing vanishes"
        );
        assert_eq!(read.events.len(), read.records.len());
        for prepared in read.events.iter().cloned() {
            assert!(Event::try_from(prepared.row).is_ok(), "what is stored can be read");
        }
        for rejected in &read.rejected {
            assert!(!rejected.reason.contains('\0') && rejected.reason.chars().count() <= 1000);
        }
        !read.events.is_empty()
    }

    fn grown(&self, input: &[u8], length: usize) -> Option<Vec<u8>> {
        let (kind, body) = headed(input);
        let times = (length / body.len().max(1)).clamp(1, 5000);
        let lines = std::iter::repeat_n([body, b"\n"].concat(), times).collect::<Vec<_>>().concat();
        Some([kind, b"\n", &lines].concat())
    }
}
