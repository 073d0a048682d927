// Drawn on a 16-pixel grid with one stroke width, to match text of 13 pixels.
const PATHS = {
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM10.6 10.6 14 14",
  close: "m4 4 8 8M12 4l-8 8",
  check: "m3.5 8.5 3 3 6-7",
  chevronDown: "m4 6 4 4 4-4",
  chevronUp: "m4 10 4-4 4 4",
  chevronRight: "m6 4 4 4-4 4",
  filter: "M2 4h12M4.5 8h7M7 12h2",
  refresh: "M13.5 8A5.5 5.5 0 1 1 11.6 3.8M13.5 1.8v3h-3",
  calendar: "M2.5 4h11v9.5h-11zM2.5 7h11M5.5 2v3M10.5 2v3",
  sortDesc: "M5 3v10M5 13l-2.5-2.5M5 13l2.5-2.5M10 4h4M10 8h3M10 12h2",
  sortAsc: "M5 13V3M5 3 2.5 5.5M5 3l2.5 2.5M10 4h2M10 8h3M10 12h4",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  pencil: "m3 13 .6-2.8 7-7 2.2 2.2-7 7L3 13Z",
  play: "M5 3.5v9l7-4.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  arrowRight: "M3 8h10M9 4l4 4-4 4",
  arrowUp: "M8 13V3M4 7l4-4 4 4",
  panel: "M2.5 3h11v10h-11zM6.5 3v10",
  bookmark: "M4 2.5h8v11L8 10.5l-4 3z",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  link: "M7 9.5a2.5 2.5 0 0 0 3.5 0l2-2A2.5 2.5 0 1 0 9 4l-.7.7M9 6.5a2.5 2.5 0 0 0-3.5 0l-2 2A2.5 2.5 0 1 0 7 12l.7-.7",
  user: "M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8ZM2.8 13.6c.6-2.6 2.7-4 5.2-4s4.6 1.4 5.2 4",
  signOut: "M6 2.5H3v11h3M10 5l3 3-3 3M13 8H6.5",
  alert: "M8 2 1.5 13.5h13L8 2ZM8 6.5v3.5M8 11.8v.1",
  inbox: "M2.5 9 4.5 3h7l2 6v4h-11zM2.5 9H6c0 1.2.8 2 2 2s2-.8 2-2h3.5",
  lock: "M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.6",
  ban: "M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM4.2 4.2l7.6 7.6",
  agent: "M3 6.5h10v6.5H3zM8 6.5v-3M6.2 9.2v1.1M9.8 9.2v1.1",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  bars: "M2.5 13.5v-4M6.2 13.5v-9M9.8 13.5V7M13.5 13.5V3",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      style={{ flex: "none" }}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
