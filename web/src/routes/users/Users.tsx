import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { describeError } from "../../api/errors";
import type { Account } from "../../api/types";
import { usersQuery } from "../../api/users";
import { Button } from "../../ui/Button";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { Notice } from "../../ui/Notice";
import { SkeletonLine } from "../../ui/Skeleton";
import { TextField } from "../../ui/TextField";
import { useDebouncedCallback } from "../../ui/use-debounced-callback";
import { browserClock } from "../account/SessionText";
import styles from "../settings/settings.module.css";
import { useTitle } from "../use-log-page";
import { UserRow } from "./UserRow";
import { useMe } from "../use-me";

/** For platform admins. Anybody else who opens the address sees a notice. */
export function Users() {
  useTitle("Users");
  const me = useMe();
  if (me.platform_admin) return <UserList myId={me.user.id} />;
  return (
    <Notice icon="lock" fullPage title="Only platform admins can see all users">
      <p>The members of a workspace are in its settings.</p>
    </Notice>
  );
}

function UserList({ myId }: { myId: string }) {
  const [clock] = useState(browserClock);
  const [text, setText] = useState("");
  const [q, setQ] = useState("");
  const search = useDebouncedCallback(setQ, 250);
  const users = useInfiniteQuery(usersQuery(q));
  const accounts = once(users.data?.pages.flatMap(({ data }) => data) ?? []);
  return (
    <section className={styles.page} aria-labelledby="users">
      <div>
        <h1 id="users" className={styles.title}>
          Users
        </h1>
        <p className={styles.lead}>Everybody with an account, in whichever workspace.</p>
      </div>
      <TextField
        hideLabel
        label="Search users"
        type="search"
        placeholder="Search addresses and names"
        autoComplete="off"
        maxLength={200}
        value={text}
        onChange={(next) => {
          setText(next);
          search.schedule(next.trim());
        }}
      />
      {users.error ? (
        <ErrorNotice {...describeError(users.error)} onRetry={() => void users.refetch()} />
      ) : !users.data ? (
        <SkeletonLine width="40%" />
      ) : accounts.length === 0 ? (
        <p className={styles.none}>No users match</p>
      ) : (
        <ul className={styles.list}>
          {accounts.map((account) => (
            <UserRow key={account.id} account={account} isMe={account.id === myId} clock={clock} />
          ))}
        </ul>
      )}
      {users.hasNextPage && (
        <div>
          <Button isDisabled={users.isFetchingNextPage} onPress={() => void users.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </section>
  );
}

/** A page begins again with the accounts without an address that ended the one before. */
function once(accounts: Account[]): Account[] {
  return [...new Map(accounts.map((account) => [account.id, account])).values()];
}
