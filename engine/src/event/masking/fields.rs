//! The fields that a workspace masks or keeps by name, whatever the rules say.
//!
//! A name stands for every field of that name; a path (`address.street`), from the top of the metadata or of the changes,
//! for one. How a name is written does not matter: case, `_`, dashes and spaces, full-width letters, invisible
//! characters.
//! Lists are no steps of a path, and a key with dots inside counts as the path that it spells.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
};

use foldhash::fast::RandomState;

use super::names::{self, Verdict};
use crate::event::limits::Invalid;

/// Most names in one list.
pub const MAX_FIELDS: usize = 100;
/// Longest name, in characters.
pub const MAX_FIELD_NAME: usize = 128;

/// The two lists of a workspace, as they were entered. Both are empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldLists {
    mask: Vec<String>,
    keep: Vec<String>,
}

impl FieldLists {
    /// # Errors
    /// Every problem, with its place: `/mask/3`. A name that is already there, in whatever spelling, is one.
    pub fn new(mask: Vec<String>, keep: Vec<String>) -> Result<Self, Vec<Invalid>> {
        let mut invalid = Vec::new();
        let mut seen: HashMap<Vec<String>, (&str, &str)> = HashMap::new();
        for (list, entries) in [("mask", &mask), ("keep", &keep)] {
            if entries.len() > MAX_FIELDS {
                let detail = format!("must have at most {MAX_FIELDS} names");
                invalid.push(Invalid::new("too_many", detail).below(&format!("/{list}")));
                continue;
            }
            for (i, entry) in entries.iter().enumerate() {
                let refused = match steps_of(entry) {
                    Err(refused) => refused,
                    Ok(steps) => match seen.entry(steps) {
                        Entry::Vacant(place) => {
                            place.insert((list, entry));
                            continue;
                        }
                        Entry::Occupied(first) => already(list, entry, *first.get()),
                    },
                };
                invalid.push(refused.below(&format!("/{list}/{i}")));
            }
        }
        if invalid.is_empty() { Ok(Self { mask, keep }) } else { Err(invalid) }
    }

    /// Stored lists, which were checked before.
    pub fn stored(mask: Vec<String>, keep: Vec<String>) -> Self {
        Self { mask, keep }
    }

    pub fn mask(&self) -> &[String] {
        &self.mask
    }

    pub fn keep(&self) -> &[String] {
        &self.keep
    }
}

fn already(list: &str, entry: &str, (first_list, first): (&str, &str)) -> Invalid {
    let spelled = if first == entry { String::new() } else { format!(" as `{first}`") };
    if first_list == list {
        return Invalid::new("duplicate", format!("`{entry}` is already in the list{spelled}"));
    }
    let detail =
        format!("`{entry}` is also in the list of fields to mask{spelled}; a field is masked or kept");
    Invalid::new("in_both_lists", detail)
}

/// The steps of a path, normalised; one for a name.
fn steps_of(entry: &str) -> Result<Vec<String>, Invalid> {
    if entry.is_empty() || entry.chars().count() > MAX_FIELD_NAME {
        return Err(Invalid::new("length", format!("must have 1 to {MAX_FIELD_NAME} characters")));
    }
    if entry.chars().any(char::is_control) {
        return Err(Invalid::new("invalid", "must not contain control characters"));
    }
    let folded = names::fold(entry);
    let mut steps = Vec::new();
    for part in folded.split('.') {
        let before = steps.len();
        steps.extend(parts_of(part).map(|step| normalised(step, &mut Buffer::default()).into_owned()));
        steps.retain(|step| !step.is_empty());
        if steps.len() == before {
            return Err(Invalid::new("invalid", "must have a letter or digit on each side of a dot"));
        }
    }
    Ok(steps)
}

/// What a folded name has as steps: `user[email]` is `user.email`.
fn parts_of(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(['.', '[', ']'])
}

/// Room for a step, so that most need no memory of their own.
struct Buffer([u8; MAX_FIELD_NAME]);

impl Default for Buffer {
    fn default() -> Self {
        Self([0; MAX_FIELD_NAME])
    }
}

/// In lower case, without what stands between words.
fn normalised<'b>(step: &str, buffer: &'b mut Buffer) -> Cow<'b, str> {
    if !step.is_ascii() || step.len() > MAX_FIELD_NAME {
        return step.chars().filter(|c| !names::is_between(*c)).flat_map(char::to_lowercase).collect();
    }
    let mut length = 0;
    for byte in step.bytes().filter(|byte| !names::is_between(char::from(*byte))) {
        buffer.0[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    String::from_utf8_lossy(&buffer.0[..length])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Mask,
    Keep,
}

/// A step of some path.
#[derive(Debug, Default)]
struct Node {
    rule: Option<Rule>,
    below: HashMap<String, usize, RandomState>,
}

/// The lists, made ready to look names up in.
#[derive(Debug)]
pub(super) struct Fields {
    names: HashMap<String, Rule, RandomState>,
    /// The first one is the top.
    nodes: Vec<Node>,
    has_masks: bool,
}

impl Fields {
    /// None for empty lists.
    pub(super) fn new(lists: &FieldLists) -> Option<Self> {
        let FieldLists { mask, keep } = lists;
        if mask.is_empty() && keep.is_empty() {
            return None;
        }
        let mut fields =
            Self { names: HashMap::default(), nodes: vec![Node::default()], has_masks: !mask.is_empty() };
        for (entries, rule) in [(keep, Rule::Keep), (mask, Rule::Mask)] {
            for entry in entries {
                match steps_of(entry).unwrap_or_default().as_slice() {
                    [] => {}
                    [name] => {
                        fields.names.insert(name.clone(), rule);
                    }
                    path => fields.add_path(path, rule),
                }
            }
        }
        Some(fields)
    }

    fn add_path(&mut self, path: &[String], rule: Rule) {
        let mut at = 0;
        for step in path {
            at = match self.nodes[at].below.get(step) {
                Some(below) => *below,
                None => {
                    self.nodes.push(Node::default());
                    let new = self.nodes.len() - 1;
                    self.nodes[at].below.insert(step.clone(), new);
                    new
                }
            };
        }
        self.nodes[at].rule = Some(rule);
    }

    /// What the lists say of a field below `at`, which becomes the field.
    fn look(&self, name: &str, at: &mut Position) -> Option<Rule> {
        let mut rule = None;
        let mut buffer = Buffer::default();
        for part in parts_of(&names::fold(name)) {
            let step = normalised(part, &mut buffer);
            if step.is_empty() {
                continue;
            }
            // Below a masked field, everything is masked.
            if rule == Some(Rule::Mask) {
                break;
            }
            let node = at.0.and_then(|at| self.nodes[at].below.get(&*step).copied());
            *at = Position(node);
            let of_path = node.and_then(|node| self.nodes[node].rule);
            let of_name = self.names.get(&*step).copied();
            rule = if of_path == Some(Rule::Mask) { of_path } else { of_name.or(of_path) };
        }
        rule
    }
}

/// Where paths lead: a node; None where none does.
#[derive(Clone, Copy)]
pub(super) struct Position(Option<usize>);

impl Position {
    pub(super) const TOP: Self = Self(Some(0));
}

/// What names say: by the workspace's lists, and else by the rules.
#[derive(Clone, Copy)]
pub(super) struct Names<'m>(pub(super) Option<&'m Fields>);

impl Names<'_> {
    pub(super) fn has_masks(self) -> bool {
        self.0.is_some_and(|fields| fields.has_masks)
    }

    /// Of a field below `at`, which becomes the field.
    pub(super) fn step(self, name: &str, at: &mut Position) -> Verdict {
        match self.0.and_then(|fields| fields.look(name, at)) {
            Some(Rule::Mask) => Verdict::Listed,
            Some(Rule::Keep) => Verdict::Kept,
            None => names::verdict(name),
        }
    }

    /// Of a name that stands alone.
    pub(super) fn verdict(self, name: &str) -> Verdict {
        let mut top = Position::TOP;
        self.step(name, &mut top)
    }

    /// What the lists say of a name in a text. Its first words may belong to the sentence: that is enough to mask, and not to
    /// keep.
    pub(super) fn listed_in_text(self, name: &str) -> Option<Verdict> {
        let fields = self.0?;
        let look = |name: &str| {
            let mut top = Position::TOP;
            fields.look(name, &mut top)
        };
        let whole = look(name);
        let masks = |at: usize| look(&name[at + 1..]) == Some(Rule::Mask);
        if whole == Some(Rule::Mask) || name.match_indices(' ').any(|(at, _)| masks(at)) {
            return Some(Verdict::Listed);
        }
        whole.map(|_| Verdict::Kept)
    }
}
