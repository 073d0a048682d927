import { useState } from "react";
import { RangePicker } from "../../logs/RangePicker";
import { SuggestField } from "../../logs/SuggestField";
import { actorSuggestions } from "../../logs/shared";
import { Button, IconButton } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { TextField } from "../../ui/TextField";
import type { Clock } from "../../ui/time/format";
import type { SessionSearch } from "./session-search";
import styles from "./SessionsPage.module.css";

interface SessionFiltersProps {
  search: SessionSearch;
  /** The name of the user that is chosen. */
  userName: string | null;
  clock: Clock;
  wrongAddress: string | null;
  onSearch: (search: SessionSearch) => void;
  onRefresh: () => void;
}

const without = (search: SessionSearch, ...names: (keyof SessionSearch)[]): SessionSearch =>
  Object.fromEntries(Object.entries(search).filter(([name]) => !names.some((other) => other === name)));

/** By user, by address and by time. A session by its id comes only from a link. */
export function SessionFilters(props: SessionFiltersProps) {
  const { search, userName, clock, wrongAddress, onSearch, onRefresh } = props;
  const [user, setUser] = useState("");
  const [address, setAddress] = useState(search.ip_address ?? "");
  const choose = (id: string) => onSearch({ ...search, user_id: id });
  const { user_id, session_id } = search;
  return (
    <div className={styles.filters}>
      <form
        className={styles.fields}
        role="search"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const ip = address.trim();
          onSearch({
            ...without(search, "ip_address"),
            ...(user.trim() && { user_id: user.trim() }),
            ...(ip && { ip_address: ip }),
          });
        }}
      >
        {user_id === undefined ? (
          <SuggestField
            hideLabel
            label="User"
            placeholder="User’s name or ID"
            value={user}
            onChange={setUser}
            suggest={actorSuggestions}
            onChoose={choose}
            autoCapitalize="none"
            spellCheck={false}
          />
        ) : (
          <Chip
            text={userName ? `${userName} (${user_id})` : `User ${user_id}`}
            label="Remove the user"
            onRemove={() => onSearch(without(search, "user_id"))}
          />
        )}
        <TextField
          hideLabel
          label="IP address or network"
          placeholder="IP address or network"
          value={address}
          onChange={setAddress}
          error={wrongAddress}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
        />
        <Button type="submit">Filter</Button>
        {session_id !== undefined && (
          <Chip
            text={`Session ${session_id}`}
            label="Remove the session"
            onRemove={() => onSearch(without(search, "session_id"))}
          />
        )}
      </form>
      <div className={styles.tools}>
        <RangePicker
          value={{
            ...(search.range && { range: search.range }),
            ...(search.since && { since: search.since }),
            ...(search.until && { until: search.until }),
          }}
          clock={clock}
          onChange={(range) => onSearch({ ...without(search, "range", "since", "until"), ...range })}
        />
        <IconButton variant="secondary" icon="refresh" label="Refresh" onPress={onRefresh} />
      </div>
    </div>
  );
}

function Chip({ text, label, onRemove }: { text: string; label: string; onRemove: () => void }) {
  return (
    <span className={styles.chip}>
      <span className={styles.chipText} title={text}>
        {text}
      </span>
      <button type="button" className={styles.remove} aria-label={label} onClick={onRemove}>
        <Icon name="close" size={12} />
      </button>
    </span>
  );
}
