//! Filters by fields that few events have, by values inside the metadata, and by networks.

use logbook_engine::event::Log;

use super::{Case, Expect, Group, LOGS, Plan, QUICK, Question, Samples, case};
use crate::{
    generate::words::{RARE_REGION, REGIONS},
    load::RARE_KEY,
};

use rand::RngExt as _;

const REGION: &str = "metadata.request.region";
const REQUEST: &str = "metadata.request.id";

pub(super) fn cases(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let mut cases = metadata(samples, plan);
    cases.extend(networks(samples, plan));
    cases.extend(people_and_targets(samples, plan));
    cases
}

fn metadata(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let (hits, any, none) = ((QUICK, Expect::Hits), (QUICK, Expect::Any), (QUICK, Expect::NoHits));
    vec![
        case("metadata: frequent value", Group::Filters, hits, plan, |n| {
            Some(Question::page(LOGS[n % 3]).with(REGION, REGIONS[n / 3 % REGIONS.len()]))
        }),
        // A small run may have none of these.
        case("metadata: rare value", Group::Filters, any, plan, |n| {
            Some(Question::page(LOGS[n % 3]).with(REGION, RARE_REGION))
        }),
        case("metadata: value of one event", Group::Filters, hits, plan, |n| {
            let log = LOGS[n % 3];
            Some(Question::page(log).with(REQUEST, samples.value(log, "/metadata/request/id")?))
        }),
        case("metadata: value that is nowhere", Group::Filters, none, plan, |n| {
            let question = Question::page(LOGS[n % 3]);
            Some(match n / 3 % 3 {
                0 => question.with(REGION, format!("region-{n}")),
                1 => question.with(REQUEST, format!("req-{:012x}", samples.rng.random::<u64>() >> 16)),
                // The value is frequent, but elsewhere.
                _ => question.with("metadata.region", REGIONS[0]),
            })
        }),
    ]
}

fn networks(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    const LOGS: [Log; 2] = [Log::Access, Log::Application];
    let (hits, none) = ((QUICK, Expect::Hits), (QUICK, Expect::NoHits));
    vec![
        case("network /8", Group::Filters, hits, plan, |n| {
            Some(Question::page(LOGS[n % 2]).with("ip_address", "10.0.0.0/8"))
        }),
        case("network /24", Group::Filters, hits, plan, |n| {
            let log = LOGS[n % 2];
            let (_, address) = samples.with(log, "/ip_address", |address| address.contains('.'))?;
            let (network, _) = address.rsplit_once('.')?;
            Some(Question::page(log).with("ip_address", format!("{network}.0/24")))
        }),
        case("network that is nowhere", Group::Filters, none, plan, |n| {
            let network = match n % 3 {
                0 => format!("192.0.{}.0/24", n % 256),
                1 => format!("172.{}.0.0/16", 16 + n % 16),
                _ => format!("2001:db9:{n:x}::/48"),
            };
            Some(Question::page(LOGS[n % 2]).with("ip_address", network))
        }),
    ]
}

fn people_and_targets(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let hits = (QUICK, Expect::Hits);
    vec![
        case("target: a further one", Group::Filters, hits, plan, |n| {
            let log = LOGS[n % 3];
            let (event, id) = samples.with(log, "/targets/0/id", |_| true)?;
            let kind = event.pointer("/targets/0/type")?.as_str()?;
            Some(Question::page(log).with("target", format!("{kind}:{id}")))
        }),
        case("on behalf of", Group::Filters, hits, plan, |n| {
            let log = LOGS[n % 3];
            Some(Question::page(log).with("on_behalf_of", samples.value(log, "/on_behalf_of/id")?))
        }),
        // The rare key's few events may all be of one log.
        case("source: rare", Group::Filters, (QUICK, Expect::Any), plan, |n| {
            Some(Question::page(LOGS[n % 3]).with("source", RARE_KEY))
        }),
    ]
}
