//! The commands with parts of their own.

pub mod index;
pub mod keys;
pub mod tell;
pub mod token;
pub mod user;
