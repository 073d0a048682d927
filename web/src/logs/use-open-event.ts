import { useKeyboardNavigation } from "./use-keyboard-navigation";

interface OpenEvent<E> {
  events: readonly E[];
  openId: string | undefined;
  table: HTMLElement | null;
  onOpen: (event: E) => void;
  onCursor: (index: number) => void;
}

/** Steps from the open event to its neighbours in the list, by the buttons of its drawer and by key. */
export function useOpenEvent<E extends { id: string }>(list: OpenEvent<E>) {
  const { events, openId, table, onOpen, onCursor } = list;
  const index = openId === undefined ? -1 : events.findIndex(({ id }) => id === openId);
  const openAt = (at: number) => {
    const event = events[at];
    if (!event) return undefined;
    return () => {
      onCursor(at);
      onOpen(event);
    };
  };
  const previous = index > 0 ? openAt(index - 1) : undefined;
  const next = index >= 0 ? openAt(index + 1) : undefined;
  useKeyboardNavigation({ drawerOpen: openId !== undefined, table, previous, next });
  return { event: events[index], previous, next };
}
