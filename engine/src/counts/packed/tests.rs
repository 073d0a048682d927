use super::*;

fn key<'a>(action: &'a str, role: Option<&'a str>) -> Key<'a> {
    Key { action, outcome: Outcome::Failure, role, target_type: Some("patient"), source: "clinic" }
}

fn unpacked(packed: &PackedCells) -> Vec<(i64, Key<'_>, u64)> {
    let keys: Vec<_> = packed.keys().collect();
    let cells = |slot: &Slot| packed.cells(slot).map(|(key, n)| (slot.at, keys[key], n)).collect::<Vec<_>>();
    packed.slots().iter().flat_map(cells).collect()
}

#[test]
fn what_is_packed_comes_back_and_grows() {
    let mut draft = CellsBuilder::default();
    draft.add(7, key("login", None), 1);
    draft.add(-3, key("logout", Some("")), 300);
    draft.add(7, key("login", None), 2);
    let first = PackedCells::parse(draft.pack()).expect("whole");
    assert_eq!(unpacked(&first), [(-3, key("logout", Some("")), 300), (7, key("login", None), 3)]);

    let mut draft = CellsBuilder::over(first);
    draft.add(7, key("logout", Some("")), 1);
    draft.add(2, key("李雷", Some("Nurse")), u64::MAX);
    assert_eq!(draft.len(), 2);
    let second = PackedCells::parse(draft.pack()).expect("whole");
    assert_eq!(
        unpacked(&second),
        [
            (-3, key("logout", Some("")), 300),
            (2, key("李雷", Some("Nurse")), u64::MAX),
            (7, key("login", None), 3),
            (7, key("logout", Some("")), 1),
        ]
    );
    assert_eq!(second.slots_within(-3, 7).len(), 2);
    assert!(second.slots_within(9, 3).is_empty());
}

#[test]
fn damaged_bytes_are_refused_and_nothing_panics() {
    let mut draft = CellsBuilder::default();
    for n in 0..40 {
        draft.add(i64::from(n) / 7 * 100, key(["login", "logout", "x"][n as usize % 3], None), 1 << n);
    }
    let bytes = draft.pack();
    for length in 0..bytes.len() {
        assert!(PackedCells::parse(bytes[..length].to_vec()).is_none(), "cut at {length}");
    }
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1 << bit;
            if let Some(packed) = PackedCells::parse(bytes.clone()) {
                assert!(packed.slots().iter().all(|slot| packed.cells(slot).count() <= bytes.len()));
            }
        }
    }
}
