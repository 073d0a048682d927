use std::fs;

use logbook_engine::db::{migrations, schema::events};

use super::*;

#[test]
fn it_is_filled_once() {
    let folder = std::env::temp_dir().join(format!("logbook-demo-{}", uuid::Uuid::new_v4()));
    let db = Db::open(&format!("sqlite://{}/logbook.db", folder.display()), 2).expect("a database");
    migrations::run(&mut db.conn().expect("a connection")).expect("migrations");
    assert!(trickle(&db).expect("a query").is_none());

    let filled = fill(&db, &folder, false).expect("filled");
    assert_eq!(filled.peerapp, 380);
    assert!((44_000..56_000).contains(&filled.clinic), "{filled:?}");
    let count =
        events::table.count().get_result::<i64>(&mut *db.conn().expect("a connection")).expect("a count");
    assert_eq!(count as u64, filled.peerapp + filled.clinic);
    assert_eq!(fill(&db, &folder, false).expect("filled"), Filled::default());

    let (workspace, mut living) = trickle(&db).expect("a query").expect("a clinic");
    assert_eq!((workspace.slug.as_str(), workspace.timezone.as_str()), ("clinic", "Asia/Kolkata"));
    let later = Timestamp::now().plus_seconds(5);
    assert!((0..20).any(|_| !living.batch(later).is_empty()));
    fs::remove_dir_all(&folder).expect("removable");
}
