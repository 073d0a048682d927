/** Seconds after which silence is reported. */
const PRESETS: readonly { seconds: number | null; label: string }[] = [
  { seconds: null, label: "Never" },
  { seconds: 900, label: "15 minutes" },
  { seconds: 3600, label: "1 hour" },
  { seconds: 21_600, label: "6 hours" },
  { seconds: 86_400, label: "1 day" },
  { seconds: 604_800, label: "1 week" },
];
export const OTHER = "Another time…";
export const SILENCES: readonly string[] = [...PRESETS.map(({ label }) => label), OTHER];

const SECONDS = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 } as const;
export type Unit = keyof typeof SECONDS;
export const UNITS = Object.keys(SECONDS) as Unit[];
/** The API's bound: 366 days. */
const LONGEST = 31_622_400;

/** What somebody has chosen. The number and its unit count for another time than the usual ones. */
export interface Silence {
  choice: string;
  count: string;
  unit: Unit;
}

export const NEVER: Silence = { choice: "Never", count: "", unit: "minutes" };

export function silenceOf(seconds: number | null): Silence {
  const preset = PRESETS.find((preset) => preset.seconds === seconds);
  if (preset || seconds === null) return { ...NEVER, choice: preset?.label ?? NEVER.choice };
  const unit = UNITS.findLast((unit) => seconds % SECONDS[unit] === 0) ?? "seconds";
  return { choice: OTHER, count: String(seconds / SECONDS[unit]), unit };
}

/** Undefined while no valid number is entered. */
export function secondsOf({ choice, count, unit }: Silence): number | null | undefined {
  if (choice !== OTHER) return PRESETS.find(({ label }) => label === choice)?.seconds ?? null;
  const seconds = Number(count) * SECONDS[unit];
  return /^\d+$/.test(count.trim()) && seconds >= 1 && seconds <= LONGEST ? seconds : undefined;
}

export function mostOf(unit: Unit): number {
  return Math.floor(LONGEST / SECONDS[unit]);
}
