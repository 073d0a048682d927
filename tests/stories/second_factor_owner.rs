//! The second factor: what somebody who knows the password, or has an old token, cannot do to its owner.

use logbook::accounts::users;
use logbook_tests::{PASSWORD, on_both};
use serde_json::json;

use crate::second_factor::{EMAIL, asha, log_in};

on_both!(who_knows_the_password_does_not_keep_the_owner_from_changing_it, |server| {
    let (client, app) = asha(&server);
    while log_in(&server.nobody(), Some(&app.wrong_code())).status != 429 {}
    let body =
        json!({"password": "another long password", "current_password": PASSWORD, "code": app.code(0)});
    client.put("/auth/password", body).expect(204);
});

on_both!(an_admin_turns_their_own_off_only_just_after_signing_in, |server| {
    let (client, _) = asha(&server);
    let mut conn = server.db.conn().expect("a connection");
    let user = users::find_by_email(&mut conn, EMAIL).expect("an answer").expect("a user");
    users::set_platform_admin(&mut conn, user.id, true).expect("an admin");
    drop(conn);
    let own = format!("/users/{}", user.id);
    assert_eq!(client.patch(&own, json!({"second_factor": false})).expect(409).code(), "conflict");
    server.shift("sessions", "created_at", -16 * 60);
    assert_eq!(client.delete("/me/second_factor").expect(403).code(), "sign_in_again");
});
