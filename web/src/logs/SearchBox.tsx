import { useEffect, useRef, useState } from "react";
import { IconButton } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { isTyping } from "../ui/is-typing";
import { useDebouncedCallback } from "../ui/use-debounced-callback";
import styles from "./Toolbar.module.css";

interface SearchBoxProps {
  value: string;
  onChange: (value: string) => void;
}

export function SearchBox({ value, onChange }: SearchBoxProps) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const [shown, setShown] = useState(value);
  const send = useDebouncedCallback(onChange, 250);

  // The URL changed from outside (Back, "Clear all"): its text replaces what was typed here.
  if (shown !== value) {
    setShown(value);
    if (text.trim() !== value) setText(value);
  }

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
        return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  const set = (next: string) => {
    setText(next);
    send.schedule(next.trim());
  };
  return (
    <div className={styles.search} role="search">
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        className={styles.input}
        aria-label="Search"
        aria-keyshortcuts="/"
        placeholder="Search names, IDs, values, addresses"
        maxLength={200}
        value={text}
        onChange={(event) => set(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            send.cancel();
            onChange(text.trim());
          }
          if (event.key === "Escape") {
            // Otherwise the same key would also close the drawer.
            event.preventDefault();
            if (text === "") input.current?.blur();
            else set("");
          }
        }}
      />
      <span className={styles.end}>
        {text === "" ? (
          <kbd className={styles.slash} aria-hidden="true">
            /
          </kbd>
        ) : (
          <IconButton small icon="close" label="Clear search" onPress={() => set("")} />
        )}
      </span>
    </div>
  );
}
