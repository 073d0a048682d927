//! The paths that a Rust file names: in `use` trees, in code and in the bodies of macros.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::UseTree;

/// A path, and where it stands. `crate`, `self` and `super` are resolved: it begins with `crate`, with the name of another
/// crate, or with something that the file has in scope.
#[derive(Clone, Debug)]
pub struct Named {
    pub segments: Vec<String>,
    pub line: usize,
}

/// All paths of a file that is this module of its crate.
pub fn paths(text: &str, module: &[&str]) -> Vec<Named> {
    let tokens: TokenStream = text.parse().expect("a file of tokens");
    let mut found = Vec::new();
    let module = module.iter().map(|name| (*name).to_owned()).collect();
    Walk { module, found: &mut found }.tokens(tokens);
    found
}

struct Walk<'a> {
    module: Vec<String>,
    found: &'a mut Vec<Named>,
}

impl Walk<'_> {
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at += self.one(&tokens[at..], at.checked_sub(1).map(|before| &tokens[before]));
        }
    }

    /// Looks at what begins here. Returns how many tokens it was.
    fn one(&mut self, tokens: &[TokenTree], before: Option<&TokenTree>) -> usize {
        match &tokens[0] {
            TokenTree::Group(group) => self.tokens(group.stream()),
            TokenTree::Ident(word) if word == "use" => {
                let end = tokens.iter().position(|token| is_punct(token, ';')).unwrap_or(tokens.len());
                // Where it does not parse it is none: a bound `use<'a>`, or a macro's pattern.
                if let Ok(tree) = syn::parse2::<UseTree>(tokens[1..end].iter().cloned().collect()) {
                    self.tree(&tree, &mut Vec::new(), word.span().start().line);
                    return end;
                }
            }
            TokenTree::Ident(word) if word == "mod" => {
                if let [TokenTree::Ident(name), TokenTree::Group(body), ..] = &tokens[1..]
                    && body.delimiter() == Delimiter::Brace
                {
                    let mut module = self.module.clone();
                    module.push(name.to_string());
                    Walk { module, found: self.found }.tokens(body.stream());
                    return 3;
                }
            }
            TokenTree::Ident(word) => {
                let segments = inline(tokens);
                let length = segments.len() * 3 - 2;
                // `$name::x` begins with whatever the macro is given; `$crate` is the crate.
                let is_variable = before.is_some_and(|before| is_punct(before, '$')) && word != "crate";
                if segments.len() > 1 && !is_variable {
                    self.add(segments, word.span().start().line);
                }
                return length;
            }
            _ => {}
        }
        1
    }

    fn tree(&mut self, tree: &UseTree, before: &mut Vec<String>, line: usize) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(&path.tree, before, line);
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, before, line);
                }
            }
            UseTree::Name(name) => {
                self.add(
                    [before.clone(), vec![name.ident.to_string()]].concat(),
                    name.ident.span().start().line,
                );
            }
            UseTree::Rename(name) => {
                self.add(
                    [before.clone(), vec![name.ident.to_string()]].concat(),
                    name.ident.span().start().line,
                );
            }
            UseTree::Glob(_) => self.add([before.clone(), vec!["*".into()]].concat(), line),
        }
    }

    fn add(&mut self, segments: Vec<String>, line: usize) {
        let mut module = self.module.clone();
        let mut rest = segments.as_slice();
        while let Some(first) = rest.first() {
            match first.as_str() {
                "self" => {}
                "super" => drop(module.pop()),
                _ => break,
            }
            rest = &rest[1..];
        }
        let is_relative = rest.len() < segments.len();
        let mut resolved = Vec::new();
        if is_relative {
            resolved.push("crate".to_owned());
            resolved.extend(module);
        }
        resolved.extend(rest.iter().cloned());
        self.found.push(Named { segments: resolved, line });
    }
}

/// `a::b::c` at the beginning of the tokens.
fn inline(tokens: &[TokenTree]) -> Vec<String> {
    let mut segments = Vec::new();
    let mut rest = tokens;
    while let [TokenTree::Ident(word), after @ ..] = rest {
        segments.push(word.to_string());
        match after {
            [one, other, next @ ..]
                if is_punct(one, ':')
                    && is_punct(other, ':')
                    && matches!(next.first(), Some(TokenTree::Ident(_))) =>
            {
                rest = next;
            }
            _ => break,
        }
    }
    segments
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

#[test]
fn every_way_to_name_something_is_seen() {
    let text = "
        use super::f;
        use crate::{a::b, c::{self, *, d as e}};
        pub(crate) use ::g::h;
        mod tests { use super::*; fn k() { use crate::l::m; super::super::n::o(); } }
        macro_rules! p { ($x:ident) => { $crate::q::r($x::s, crate::t::<u8>()) }; }
        fn u<'a>(x: &'a u8) -> impl Fn() + use<'a> { #[v(crate::w::x)] let y = self::z::z(); \"crate::not::this\" }
        // crate::nor::this
    ";
    let mut found: Vec<_> =
        paths(text, &["one", "two"]).iter().map(|named| named.segments.join("::")).collect();
    found.sort();
    let expected = [
        "crate::a::b",
        "crate::c::*",
        "crate::c::d",
        "crate::c::self",
        "crate::l::m",
        "crate::one::f",
        "crate::one::n::o",
        "crate::one::two::*",
        "crate::one::two::z::z",
        "crate::q::r",
        "crate::t",
        "crate::w::x",
        "g::h",
    ];
    assert_eq!(found, expected);
}
