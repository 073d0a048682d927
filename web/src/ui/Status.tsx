import { cx } from "./cx";
import styles from "./Status.module.css";

export type Tone = "good" | "bad" | "warn" | "info" | "neutral";
export type Shape = "disc" | "cross" | "ban" | "tick" | "plus" | "dot" | "minus";

// A tick, a square with a cross, a sign of no entry and so on: the shapes can be told apart without colour.
const SHAPES: Record<Shape, React.ReactNode> = {
  disc: (
    <>
      <circle cx="7" cy="7" r="6" fill="currentColor" />
      <path d="m4.4 7.2 1.8 1.8 3.4-4" stroke="var(--bg)" strokeWidth="1.5" fill="none" />
    </>
  ),
  cross: (
    <>
      <rect x="1" y="1" width="12" height="12" rx="2.5" fill="currentColor" />
      <path d="m4.7 4.7 4.6 4.6M9.3 4.7 4.7 9.3" stroke="var(--bg)" strokeWidth="1.5" fill="none" />
    </>
  ),
  ban: (
    <>
      <circle cx="7" cy="7" r="5.4" stroke="currentColor" strokeWidth="1.8" fill="none" />
      <path d="m3.4 3.4 7.2 7.2" stroke="currentColor" strokeWidth="1.8" fill="none" />
    </>
  ),
  tick: <path d="m3 7.4 2.7 2.8L11 4.4" stroke="currentColor" strokeWidth="1.6" fill="none" />,
  plus: <path d="M7 2.5v9M2.5 7h9" stroke="currentColor" strokeWidth="1.8" fill="none" />,
  minus: <path d="M2.5 7h9" stroke="currentColor" strokeWidth="1.8" fill="none" />,
  dot: <circle cx="7" cy="7" r="3.2" stroke="currentColor" strokeWidth="1.8" fill="none" />,
};

export function Status({ tone, shape, children }: { tone: Tone; shape: Shape; children: React.ReactNode }) {
  return (
    <span className={cx(styles.status, styles[tone])}>
      <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" strokeLinecap="round">
        {SHAPES[shape]}
      </svg>
      {children}
    </span>
  );
}
