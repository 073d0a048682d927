//! Members of an element that an expression names, found without evaluating it.
//!
//! Most expressions of a mapping are the name of a member, and most members are absent. Both are told from the JSON itself. The
//! language then evaluates only what is left, on values that have to be copied for it.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue},
};
use serde_json::{Map, Value};

/// A chain of members that begins at a variable: `event.user.id`, `event.attributes['user.id']`, `event.target[0].id`.
#[derive(Debug, PartialEq)]
pub(super) struct Path {
    root: Root,
    members: Vec<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Root {
    Event,
    Context,
}

#[derive(Debug, PartialEq)]
enum Member {
    Name(String),
    Place(usize),
}

impl Path {
    /// The path that an expression is. None when it is something else.
    pub(super) fn of(expression: &IdedExpr) -> Option<Self> {
        match &expression.expr {
            Expr::Ident(name) => {
                let root = match name.as_str() {
                    "event" => Root::Event,
                    "context" => Root::Context,
                    _ => return None,
                };
                Some(Self { root, members: Vec::new() })
            }
            Expr::Select(select) if !select.test => {
                Self::of(&select.operand)?.to(Member::Name(select.field.clone()))
            }
            Expr::Call(CallExpr { func_name, target: None, args }) if func_name == "_[_]" => {
                let [of, member] = args.as_slice() else { return None };
                let member = match &member.expr {
                    Expr::Literal(LiteralValue::String(name)) => Member::Name(name.inner().to_owned()),
                    Expr::Literal(LiteralValue::Int(place)) => {
                        Member::Place((*place.inner()).try_into().ok()?)
                    }
                    _ => return None,
                };
                Self::of(of)?.to(member)
            }
            _ => None,
        }
    }

    fn to(mut self, member: Member) -> Option<Self> {
        self.members.push(member);
        Some(self)
    }

    /// The paths without which an expression gives nothing, since it evaluates them whatever else it finds.
    pub(super) fn needed(expression: &IdedExpr) -> Vec<Self> {
        let mut needed = Vec::new();
        collect(expression, &mut needed);
        needed.retain(|path| !path.members.is_empty());
        needed
    }

    /// Whether it is the whole element.
    pub(super) fn is_whole(&self) -> bool {
        self.root == Root::Event && self.members.is_empty()
    }

    /// Whether it goes through a list. Nothing can be taken out there without moving what is behind it.
    fn is_in_list(&self) -> bool {
        self.members.iter().any(|member| matches!(member, Member::Place(_)))
    }

    /// Takes what stands there out of the element, and objects that then are empty.
    pub(super) fn take_from(&self, event: &mut Value) {
        if self.root == Root::Event && !self.is_in_list() {
            take(event, &self.members);
        }
    }

    /// Whether it is all that belongs to an element. That is no JSON value.
    pub(super) fn is_context(&self) -> bool {
        self.root == Root::Context && self.members.is_empty()
    }

    /// What stands there.
    pub(super) fn find<'a>(&self, event: &'a Value, context: &'a Map<String, Value>) -> Option<&'a Value> {
        let (root, members) = match (self.root, self.members.as_slice()) {
            (Root::Event, members) => (event, members),
            (Root::Context, [Member::Name(name), members @ ..]) => (context.get(name)?, members),
            (Root::Context, _) => return None,
        };
        members.iter().try_fold(root, |value, member| match member {
            Member::Name(name) => value.as_object()?.get(name),
            Member::Place(place) => value.as_array()?.get(*place),
        })
    }
}

fn take(from: &mut Value, members: &[Member]) {
    let (Value::Object(object), [Member::Name(name), inner @ ..]) = (from, members) else { return };
    let Some(value) = object.get_mut(name) else { return };
    take(value, inner);
    if inner.is_empty() || value.as_object().is_some_and(Map::is_empty) {
        object.remove(name);
    }
}

fn collect(expression: &IdedExpr, needed: &mut Vec<Path>) {
    if let Some(path) = Path::of(expression) {
        needed.push(path);
        return;
    }
    match &expression.expr {
        // `has(a.b)` wants `a`.
        Expr::Select(select) => collect(&select.operand, needed),
        Expr::Call(call) => match call.func_name.as_str() {
            // One side can decide.
            "_&&_" | "_||_" => {}
            "_?_:_" => call.args.first().into_iter().for_each(|condition| collect(condition, needed)),
            _ => call.target.as_deref().into_iter().chain(&call.args).for_each(|arg| collect(arg, needed)),
        },
        Expr::Comprehension(comprehension) => collect(&comprehension.iter_range, needed),
        Expr::List(list) => list.elements.iter().for_each(|element| collect(element, needed)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::mapping::ENV;

    fn path(expression: &str) -> Option<String> {
        Path::of(ENV.compile(expression).expect("compiles").expression()).map(|path| path.to_string())
    }

    #[test]
    fn names_and_places_are_paths() {
        for (expression, expected) in [
            ("event.user.id", Some("event.user.id")),
            ("context['ce-id']", Some("context.ce-id")),
            ("event.target[0].id", Some("event.target[0].id")),
            ("has(event.user)", None),
            ("event[event.name]", None),
            ("event.user + 'a'", None),
            ("'event'", None),
        ] {
            assert_eq!(path(expression).as_deref(), expected, "{expression}");
        }
    }

    #[test]
    fn an_expression_needs_what_it_evaluates_in_any_case() {
        for (expression, expected) in [
            ("lower(string(event.a.b)) in ['x', context.c]", vec!["event.a.b", "context.c"]),
            ("event.a > 1 ? event.b : event.c", vec!["event.a"]),
            ("event.a && event.b", vec![]),
            ("has(event.a.b)", vec!["event.a"]),
            ("event.list.filter(it, it.x == 1)", vec!["event.list"]),
            ("without(event, ['a'])", vec![]),
        ] {
            let program = ENV.compile(expression).expect("compiles");
            let needed: Vec<String> =
                Path::needed(program.expression()).iter().map(ToString::to_string).collect();
            assert_eq!(needed, expected, "{expression}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let event = json!({"user": {"id": 7}, "list": [{"a": null}], "text": "x"});
        let found = |expression: &str| {
            let program = ENV.compile(expression).expect("compiles");
            Path::of(program.expression()).expect("a path").find(&event, &Map::new()).cloned()
        };
        assert_eq!(found("event.user.id"), Some(json!(7)));
        assert_eq!(found("event.list[0].a"), Some(json!(null)));
        for absent in
            ["event.user.name", "event.list[1]", "event.text.x", "event.list.a", "event.user[0]", "context.x"]
        {
            assert_eq!(found(absent), None, "{absent}");
        }
    }

    #[test]
    fn what_is_taken_leaves_nothing_empty_behind() {
        let left = |expression: &str| {
            let mut event = json!({"user": {"id": 7, "of": {"b": 1}}, "list": [{"a": 1}]});
            let program = ENV.compile(expression).expect("compiles");
            Path::of(program.expression()).expect("a path").take_from(&mut event);
            event
        };
        let all = left("event.absent");
        for (expression, name, of) in [
            ("event.user", "user", json!(null)),
            ("event.user.id", "user", json!({"of": {"b": 1}})),
            ("event.user.of.b", "user", json!({"id": 7})),
        ] {
            assert_eq!(left(expression).get(name).cloned().unwrap_or_default(), of, "{expression}");
        }
        for untouched in ["event.list[0].a", "event.user.id.x", "context.user", "event"] {
            assert_eq!(left(untouched), all, "{untouched}");
        }
    }

    #[test]
    fn a_path_gives_what_the_language_gives() {
        use crate::sources::mapping::{Alternative, Given, Scope, alternative, first};
        let long = "\u{e9}".repeat(15_000);
        let values = [
            json!(null),
            json!(true),
            json!(0),
            json!(-7),
            json!(u64::MAX),
            json!(1.5),
            json!(""),
            json!(" "),
            json!("x"),
            json!(long),
            json!([]),
            json!([1, "a", {"b": null}]),
            json!({}),
            json!({"id": 7, "a.b": {"c": [null]}}),
        ];
        for value in &values {
            for context in values.iter().filter_map(Value::as_object) {
                let event = json!({"user": value, "list": [value, {"id": value}]});
                let scope = Scope::new(&event, context);
                for text in [
                    "event.user",
                    "event.user.id",
                    "event.user['a.b'].c[0]",
                    "event.user[1]",
                    "event.user[2].b",
                    "event.list[1].id",
                    "context.id",
                    "context[0]",
                    "context",
                    "lower(event.user.id)",
                    "event.user.id == 7 ? 'seven' : event.user",
                    "has(event.user.id) ? 'there' : null",
                    "size(event.user) > 0 ? event.list : null",
                    "'id' in event.user ? 'in' : null",
                ] {
                    let slow = Alternative::Program {
                        program: ENV.compile(text).expect("compiles"),
                        needed: Vec::new(),
                    };
                    let given = |alternative: Alternative| match first(&[alternative], &scope) {
                        Ok(Some(Given::Value(value) | Given::Member(value, _))) => Ok(Some(value)),
                        Ok(Some(Given::Whole)) => Ok(Some(event.clone())),
                        Ok(Some(Given::Rest) | None) => Ok(None),
                        Err(error) => Err(error),
                    };
                    assert_eq!(
                        given(alternative("action", text).expect("compiles")),
                        given(slow),
                        "{text} on {event}"
                    );
                }
            }
        }
    }

    impl std::fmt::Display for Path {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(if self.root == Root::Event { "event" } else { "context" })?;
            self.members.iter().try_for_each(|member| match member {
                Member::Name(name) => write!(f, ".{name}"),
                Member::Place(place) => write!(f, "[{place}]"),
            })
        }
    }
}
