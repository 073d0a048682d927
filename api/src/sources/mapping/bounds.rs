//! What an expression may be, so that no expression on any element takes long or fills the memory.
//!
//! An expression has no loops, but its macros (`map`, `filter`, `exists` …) go through a list, and nested ones multiply. So a macro
//! stands in no other, reads only its own variable, a few times, and adds no texts; and an expression is short.

use cel::{
    IdedExpr,
    common::ast::{EntryExpr, Expr},
};

use super::functions;

/// Longest expression, in bytes.
const MAX_EXPRESSION: usize = 1024;
/// Uses of the variables in an expression, and of its own variable in a macro. Each may be a copy of the whole element.
const MAX_USES: usize = 20;
const MAX_MACRO_USES: usize = 10;
/// Deepest nesting of an expression: evaluating goes as deep.
const MAX_DEPTH: usize = 24;

pub(super) fn check_length(expression: &str) -> Result<(), String> {
    if expression.trim().is_empty() {
        return Err("must be an expression".to_owned());
    }
    if expression.len() > MAX_EXPRESSION {
        return Err(format!("an expression has at most {MAX_EXPRESSION} bytes"));
    }
    Ok(())
}

pub(super) fn check(expression: &IdedExpr) -> Result<(), String> {
    let mut walk = Walk { scope: Scope::Outside, uses: 0, depth: 0 };
    walk.go(expression)?;
    if walk.uses > MAX_USES {
        return Err(format!("an expression uses event and context at most {MAX_USES} times"));
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Scope<'a> {
    Outside,
    /// In a macro, with its variable and the one in which it collects.
    Macro(&'a str, &'a str),
}

struct Walk<'a> {
    scope: Scope<'a>,
    uses: usize,
    depth: usize,
}

impl<'a> Walk<'a> {
    fn all(&mut self, expressions: impl IntoIterator<Item = &'a IdedExpr>) -> Result<(), String> {
        expressions.into_iter().try_for_each(|expression| self.go(expression))
    }

    fn go(&mut self, expression: &'a IdedExpr) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("an expression is nested at most {MAX_DEPTH} deep"));
        }
        let gone = self.inside(expression);
        self.depth -= 1;
        gone
    }

    fn inside(&mut self, expression: &'a IdedExpr) -> Result<(), String> {
        match &expression.expr {
            Expr::Unspecified => Err("an expression is incomplete".to_owned()),
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => self.go(&select.operand),
            Expr::List(list) => self.all(&list.elements),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => self.all([&entry.key, &entry.value]),
                EntryExpr::StructField(_) => Err("an object is written {'name': value}".to_owned()),
            }),
            Expr::Struct(_) => Err("an object is written {'name': value}".to_owned()),
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                let is_operator = !name.starts_with(|first: char| first.is_ascii_alphabetic());
                if !is_operator && !functions::is_known(name) {
                    return Err(format!("there is no function {name}"));
                }
                if let Scope::Macro(_, collects) = self.scope
                    && (name == "_+_" || !is_operator)
                    && !matches!(call.args.first().map(|arg| &arg.expr), Some(Expr::Ident(first)) if first == collects)
                    && !functions::is_cheap(name)
                {
                    return Err(format!("{} cannot be used in a macro", name.trim_matches('_')));
                }
                self.all(call.target.as_deref())?;
                self.all(&call.args)
            }
            Expr::Comprehension(comprehension) => {
                if matches!(self.scope, Scope::Macro(..)) {
                    return Err("a macro such as map or filter cannot stand in another one".to_owned());
                }
                self.go(&comprehension.iter_range)?;
                if comprehension.iter_var2.is_some() {
                    return Err("a macro has one variable".to_owned());
                }
                let scope = Scope::Macro(&comprehension.iter_var, &comprehension.accu_var);
                let mut inner = Walk { scope, uses: 0, depth: self.depth };
                inner.all([
                    &comprehension.accu_init,
                    &comprehension.loop_cond,
                    &comprehension.loop_step,
                    &comprehension.result,
                ])?;
                if inner.uses > MAX_MACRO_USES {
                    return Err(format!("a macro uses its variable at most {MAX_MACRO_USES} times"));
                }
                Ok(())
            }
        }
    }

    fn variable(&mut self, name: &str) -> Result<(), String> {
        match self.scope {
            Scope::Macro(_, collects) if name == collects => Ok(()),
            Scope::Macro(own, _) if name == own => {
                self.uses += 1;
                Ok(())
            }
            Scope::Macro(own, _) => {
                Err(format!("a macro knows only its own variable, {own}, and not {name}"))
            }
            Scope::Outside if ["event", "context"].contains(&name) => {
                self.uses += 1;
                Ok(())
            }
            Scope::Outside => Err(format!("there is no variable {name}; there are event and context")),
        }
    }
}
