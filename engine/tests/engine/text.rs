//! Text as search compares it.

use logbook_engine::text::{Needle, normalize};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_found_in_itself_and_in_what_contains_it(before in "[a-z ]{0,5}", text in any::<String>(), after in "[a-z ]{0,5}") {
        let needle = Needle::new(&text);
        prop_assert!(needle.is_in(&text));
        prop_assert!(needle.is_in(&format!("{before} {text} {after}")) || text.chars().any(is_combining), "{:?}", text);
        prop_assert!(Needle::new("").is_in(&text));
    }

    #[test]
    fn ascii_is_found_in_any_case(text in "[ -~]{0,12}", before in "[ -~]{0,4}", after in "[ -~]{0,4}") {
        let whole = format!("{before}{text}{after}");
        prop_assert!(Needle::new(&text.to_uppercase()).is_in(&whole));
        prop_assert!(Needle::new(&text.to_lowercase()).is_in(&whole.to_uppercase()));
        prop_assert_eq!(normalize(&whole), whole.to_lowercase());
    }

    #[test]
    fn the_parts_of_a_text_without_combining_signs_are_found(text in any::<String>(), from in 0..20usize, n in 1..20usize) {
        let text: String = text.chars().filter(|c| !is_combining(*c)).collect();
        let part: String = text.chars().skip(from).take(n).collect();
        prop_assert!(Needle::new(&part).is_in(&text), "{:?} in {:?}", part, text);
    }
}

/// Characters that combine with the one before them, so that a part of the text is another character. The properties do not
/// hold for them.
fn is_combining(c: char) -> bool {
    use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
    let composes_with_the_one_before = ('\u{1100}'..='\u{11ff}').contains(&c);
    let folded: Vec<char> = normalize(&c.to_string()).chars().collect();
    composes_with_the_one_before
        || folded.iter().any(|c| is_combining_mark(*c) || canonical_combining_class(*c) != 0)
}
