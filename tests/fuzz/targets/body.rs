//! Bodies of requests that append events. The first line of an input is the endpoint.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use logbook::{
    http::error::Result,
    routes::logs::{
        access::{AccessEvent, AccessLog},
        append::{elements, parse_one, prepare_all},
        application::{ApplicationEvent, ApplicationLog},
        body::{MAX_BYTES, decompressed},
        framework::{FrameworkEvent, FrameworkLog},
        ingest::parse_mixed,
    },
};
use logbook_engine::{
    append::{MAX_EVENTS, prepared::Prepared},
    event::{Event, Log, masking::Masker},
};
use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use super::{Target, headed, samples};
use crate::{
    mutate::{mutated, one_in, pick},
    values,
};

/// What one byte of a body can become in what is stored: `1,` in a list under `password` becomes a mask with a fingerprint, and
/// a pointer to it.
const MOST_GROWTH: usize = 40;

pub(crate) struct Bodies {
    values: Vec<Value>,
    masker: Masker,
}

impl Bodies {
    pub(crate) fn new() -> Self {
        let values =
            samples::LOGS.into_iter().flat_map(|log| [samples::full(log), samples::short(log)]).collect();
        Self { values, masker: Masker::with_key(vec![7; 32]) }
    }

    fn prepare(&self, endpoint: &[u8], body: &[u8]) -> Result<(Vec<Prepared>, usize)> {
        let plain = decompressed(body.to_vec(), |bytes| {
            assert!(bytes <= MAX_BYTES + 128 * 1024, "{bytes} bytes of memory");
            Ok(())
        })?;
        let parse = match endpoint {
            b"access" => parse_one::<AccessLog>,
            b"application" => parse_one::<ApplicationLog>,
            b"framework" => parse_one::<FrameworkLog>,
            _ => parse_mixed,
        };
        let source = "fuzz".try_into().expect("within the limits");
        let events = prepare_all(&elements(&plain)?, parse, &source, &self.masker, |_| Ok(()))?;
        Ok((events, plain.len()))
    }

    fn check_stored(events: Vec<Prepared>, body: usize) {
        let count = events.len();
        assert!(count <= MAX_EVENTS);
        let mut size = 0;
        for prepared in events {
            let row = prepared.row;
            for json in [&row.changes, &row.metadata, &row.targets, &row.masked].into_iter().flatten() {
                let value: Value = serde_json::from_str(json).expect("what is stored is JSON");
                let again = serde_json_canonicalizer::to_string(&value).expect("JSON");
                assert_eq!(&again, json, "what is stored is canonical");
                size += json.len();
            }
            let event = Event::try_from(row).expect("what is stored can be read");
            assert!(event.common.all_targets().count() <= 51);
            let returned = match event.common.log {
                Log::Access => serde_json::to_value(AccessEvent::from(event)),
                Log::Application => serde_json::to_value(ApplicationEvent::from(event)),
                Log::Framework | Log::Activity => serde_json::to_value(FrameworkEvent::from(event)),
            };
            let returned = returned.expect("JSON");
            for (name, value) in returned.as_object().expect("an event") {
                let is_text = value.as_str().is_some_and(|text| text.contains('\0'));
                assert!(!is_text, "{name} has U+0000, which PostgreSQL cannot store");
            }
        }
        assert!(size <= MOST_GROWTH * body + 2000 * count, "{size} bytes are stored of {body}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
}

impl Target for Bodies {
    fn name(&self) -> &'static str {
        "body"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let mut seeds = Vec::new();
        for log in samples::LOGS {
            let (full, short) = (samples::full(log), samples::short(log));
            seeds.push(format!("{log}\n{short}"));
            seeds.push(format!("{log}\n[{full}, {short}]"));
            seeds.push(format!("{log}\n{short}\n{full}\n\n{short}\r\n"));
        }
        let all = self.values.iter().map(Value::to_string).collect::<Vec<_>>();
        seeds.push(format!("ingest\n[{}]", all.join(",")));
        seeds.push(format!("ingest\n\u{feff}{}", all.join("\n")));
        seeds.push(format!("ingest\n{} [{}]", all[0], all[1]));
        let mut seeds: Vec<Vec<u8>> = seeds.into_iter().map(String::into_bytes).collect();
        let zipped = seeds.iter().skip(1).step_by(4).map(|seed| {
            let (endpoint, body) = headed(seed);
            [endpoint, b"\n", &gzip(body)].concat()
        });
        seeds.extend(zipped.collect::<Vec<_>>());
        seeds
    }

    fn mutate(&mut self, rng: &mut Pcg64Mcg, seeds: &[Vec<u8>]) -> Vec<u8> {
        if one_in(rng, 3) {
            let seed = pick(rng, seeds);
            return mutated(rng, seed, seeds, samples::WORDS);
        }
        // Events of one endpoint that are still JSON.
        let endpoint = *pick(rng, &["access", "application", "framework", "ingest"]);
        let count = if one_in(rng, 4) { rng.random_range(2..12_usize) } else { 1 };
        let mut events = Vec::new();
        for _ in 0..count {
            let mut event = match samples::LOGS.contains(&endpoint) && !one_in(rng, 8) {
                true if one_in(rng, 2) => samples::full(endpoint),
                true => samples::short(endpoint),
                false => pick(rng, &self.values).clone(),
            };
            values::mutate(rng, &mut event, &self.values, samples::WORDS);
            events.push(event.to_string());
        }
        let mut body = match one_in(rng, 2) {
            true => format!("[{}]", events.join(",")),
            false => events.join("\n"),
        }
        .into_bytes();
        if one_in(rng, 6) {
            body = mutated(rng, &body, seeds, samples::WORDS);
        }
        if one_in(rng, 12) {
            body = gzip(&body);
            if one_in(rng, 2) {
                body = mutated(rng, &body, seeds, &[]);
            }
        }
        [endpoint.as_bytes(), b"\n", &body].concat()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let (endpoint, body) = headed(input);
        match self.prepare(endpoint, body) {
            Ok((events, length)) => {
                Self::check_stored(events, length);
                true
            }
            Err(problem) => {
                assert!((400..500).contains(&problem.code.status().as_u16()), "{problem:?}");
                assert!(problem.errors.len() <= 20, "{problem:?}");
                let is_pointer = |text: &str| text.is_empty() || text.starts_with('/');
                assert!(problem.errors.iter().all(|error| error.pointer.as_deref().is_some_and(is_pointer)));
                false
            }
        }
    }

    fn grown(&self, input: &[u8], length: usize) -> Option<Vec<u8>> {
        let (endpoint, body) = headed(input);
        let part = [body, b"\n"].concat();
        Some([endpoint, b"\n", part.repeat(length / part.len()).as_slice()].concat())
    }
}
