//! Query strings as filters. The first line of an input is the log.

use logbook::{
    accounts::workspaces::Workspace,
    http::{
        error::Result,
        page::{Cursor, PageParams},
        params::Params,
    },
    routes::logs::{
        access::AccessLog, activity::ActivityLog, application::ApplicationLog,
        filters::Filters as LogFilters, framework::FrameworkLog, log::LogKind, params::RangeParams,
    },
};
use logbook_engine::{
    db::timestamp::Timestamp,
    event::Event,
    filter::Filter,
    order::{Order, Position},
};
use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;

use super::{Target, headed, samples};
use crate::{
    mutate::{mutated, one_in, pick},
    nasty,
};

const NAMES: &[&str] = &[
    "event_type",
    "status",
    "role",
    "user_id",
    "user_type",
    "action",
    "model",
    "record_id",
    "actor_type",
    "actor_id",
    "field",
    "changed",
    "component",
    "target",
    "target_type",
    "on_behalf_of",
    "ip_address",
    "session_id",
    "correlation_id",
    "source",
    "metadata.request.region",
    "metadata.list",
    "metadata.",
    "metadata..",
];
/// Of which there is one value at most.
const SINGLE: &[&str] = &["since", "until", "tz", "q", "cursor", "limit", "order"];
const VALUES: &[&str] = &[
    "login",
    "update",
    "denied",
    "failure",
    "Nurse",
    "17",
    "user",
    "agent",
    "patient",
    "92",
    "status",
    "policy:2",
    "status:closed",
    "group:7",
    "group",
    ":7",
    "10.0.0.0/8",
    "198.51.100.4",
    "198.51.100.0/24",
    "::ffff:198.51.100.4/120",
    "::/0",
    "0.0.0.0/0",
    "10.0.0.0/33",
    "2001:db8::/129",
    "s-1",
    "c-1",
    "clinic producer",
    "eu",
    "x",
    "1.5",
    "true",
    "Asia/Kolkata",
    "asc",
    "desc",
    "50",
    "1000",
    "1001",
];

pub(crate) struct Filters {
    events: Vec<Event>,
    workspace: Workspace,
}

impl Filters {
    pub(crate) fn new() -> Self {
        let workspace = Workspace {
            id: 1,
            slug: "clinic".into(),
            name: "Clinic".into(),
            timezone: "America/New_York".into(),
            date_format: "YYYY-MM-DD".into(),
            created_at: Timestamp(0),
        };
        Self { events: samples::stored(), workspace }
    }

    fn filter<L: LogKind>(&self, query: &str) -> Result<(Filter, PageParams)> {
        let Params((range, own, page)) =
            Params::<(RangeParams, LogFilters<L>, PageParams)>::from_query(query)?;
        let mut filter = range.filter(&self.workspace, L::LOG)?;
        own.add_to(&mut filter)?;
        Ok((filter, page))
    }

    fn check<L: LogKind>(&self, query: &str) -> bool {
        let (filter, page) = match self.filter::<L>(query) {
            Ok(accepted) => accepted,
            Err(problem) => {
                assert_eq!(problem.code.status().as_u16(), 400, "{problem:?}");
                assert!(problem.errors.iter().all(|error| error.parameter.is_some()), "{problem:?}");
                return false;
            }
        };
        assert!((1..=1000).contains(&page.limit));
        let hash = filter.hash();
        filter.plan();
        filter.needs_rows();
        drop(filter.to_sql());
        if let Some(cursor) = &page.cursor
            && let Ok(position) = Cursor::decode(cursor, page.order, hash)
        {
            assert_eq!(&Cursor { order: page.order, position, filter_hash: hash }.encode(), cursor);
        }
        // The order of the parameters does not matter.
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let text = |pairs: &mut dyn Iterator<Item = &(String, String)>| {
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        };
        let (turned, _) = self.filter::<L>(&text(&mut pairs.iter().rev())).expect("the same parameters");
        assert_eq!(turned.hash(), hash, "the order of the values does not matter");
        for event in &self.events {
            assert_eq!(turned.matches(event), filter.matches(event));
        }
        self.check_twin::<L>(&pairs);
        true
    }

    /// What a filter matches its twin leaves out, and the other way round.
    fn check_twin<L: LogKind>(&self, pairs: &[(String, String)]) {
        let Some((first, _)) = pairs.iter().find(|(name, _)| !SINGLE.contains(&name.as_str())) else {
            return;
        };
        let name = first.strip_prefix("not_").unwrap_or(first);
        let with = |before: &str| {
            let values = pairs.iter().filter(|(other, _)| other == first);
            let pairs = values.map(|(_, value)| (format!("{before}{name}"), value));
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            self.filter::<L>(&query).expect("a filter has a twin").0
        };
        let (only, not) = (with(""), with("not_"));
        for event in self.events.iter().filter(|event| event.common.log == L::LOG) {
            assert!(only.matches(event) != not.matches(event), "{name} and its twin");
        }
    }
}

impl Target for Filters {
    fn name(&self) -> &'static str {
        "filter"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let position = Position { occurred_at: Timestamp(1_795_380_538_323_338), seq: 41 };
        let filter_hash = Filter::all(1, logbook_engine::event::Log::Access).hash();
        let cursor = Cursor { order: Order::Desc, position, filter_hash }.encode();
        [
            "access\nsince=2026-11-22&until=2026-11-23T00:00:00Z&tz=Asia/Kolkata&q=Asha&limit=50&order=asc".into(),
            format!("access\ncursor={cursor}&order=desc"),
            "access\nevent_type=login&event_type=logout&not_status=denied&role=Nurse&not_user_id=17".into(),
            "access\nip_address=10.0.0.0/8&not_ip_address=198.51.100.4&user_type=user&session_id=s-1".into(),
            "application\naction=update&model=patient&record_id=92&not_record_id=93&actor_type=agent&actor_id=a-1".into(),
            "application\nfield=status&not_field=roles&target=group:7&not_target=group&source=clinic+producer".into(),
            "application\nmetadata.request.region=eu&not_metadata.list=2&metadata.list=true&correlation_id=c-1".into(),
            "framework\ncomponent=policy:2&not_component=policy&on_behalf_of=17&actor_id=s".into(),
            "activity\naction=log_read&actor_id=1&not_target_type=api_key".into(),
        ]
        .map(String::into_bytes)
        .to_vec()
    }

    fn mutate(&mut self, rng: &mut Pcg64Mcg, seeds: &[Vec<u8>]) -> Vec<u8> {
        let seed = pick(rng, seeds);
        if one_in(rng, 3) {
            return mutated(rng, seed, seeds, VALUES);
        }
        // Names and values in any combination, each of them correctly encoded.
        let (log, query) = headed(seed);
        let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(query).into_owned().collect();
        for _ in 0..rng.random_range(1..4_u32) {
            let at = rng.random_range(0..=pairs.len());
            if at < pairs.len() && one_in(rng, 3) {
                pairs.remove(at);
                continue;
            }
            let not = if one_in(rng, 3) { "not_" } else { "" };
            let name = match rng.random_range(0..12_u32) {
                0 => (*pick(rng, SINGLE)).to_owned(),
                1 => format!("{not}metadata.{}", pick(rng, nasty::TEXTS)),
                _ => format!("{not}{}", pick(rng, NAMES)),
            };
            let value = match rng.random_range(0..5_u32) {
                0 => (*pick(rng, nasty::TEXTS)).to_owned(),
                1 => (*pick(rng, nasty::TIMES)).to_owned(),
                2 => {
                    let value = pick(rng, VALUES).as_bytes();
                    String::from_utf8_lossy(&mutated(rng, value, seeds, VALUES)).into_owned()
                }
                _ => (*pick(rng, VALUES)).to_owned(),
            };
            let times = if one_in(rng, 40) { 101 } else { 1 };
            pairs.splice(at..at, std::iter::repeat_n((name, value), times));
        }
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        [log, b"\n", query.as_bytes()].concat()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let (log, query) = headed(input);
        let query = String::from_utf8_lossy(query);
        match log {
            b"application" => self.check::<ApplicationLog>(&query),
            b"framework" => self.check::<FrameworkLog>(&query),
            b"activity" => self.check::<ActivityLog>(&query),
            _ => self.check::<AccessLog>(&query),
        }
    }

    fn grown(&self, input: &[u8], length: usize) -> Option<Vec<u8>> {
        let (log, query) = headed(input);
        let part = [query, b"&"].concat();
        Some([log, b"\n", part.repeat(length / part.len()).as_slice()].concat())
    }
}
