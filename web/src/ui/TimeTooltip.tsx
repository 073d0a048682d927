import { useEffect, useState } from "react";
import { type Clock, formatExact, formatRelative, formatUtc } from "./time/format";
import styles from "./TimeTooltip.module.css";

interface Position {
  instant: number;
  now: number;
  left: number;
  top: number;
  above: boolean;
}

/**
 * One tooltip for all times on the page, which it finds by their `data-instant`. A table shows hundreds of times,
 * and a tooltip component for each would cost more than the rows.
 */
export function TimeTooltip({ clock }: { clock: Clock }) {
  const [position, setPosition] = useState<Position | null>(null);

  useEffect(() => {
    const show = (event: Event) => {
      const target =
        event.target instanceof Element ? event.target.closest<HTMLElement>("[data-instant]") : null;
      if (!target) return setPosition(null);
      const box = target.getBoundingClientRect();
      const above = box.bottom > innerHeight - 110;
      setPosition({
        instant: Number(target.dataset.instant),
        now: Date.now(),
        left: Math.max(8, Math.min(box.left, innerWidth - 330)),
        top: above ? box.top - 6 : box.bottom + 6,
        above,
      });
    };
    const hide = () => setPosition(null);
    // WCAG 1.4.13: Escape dismisses what appears on hover, without moving the pointer.
    const onKey = (event: KeyboardEvent) => event.key === "Escape" && hide();
    document.addEventListener("pointerover", show);
    document.addEventListener("focusin", show);
    document.addEventListener("focusout", hide);
    document.addEventListener("scroll", hide, true);
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("pointerover", show);
      document.removeEventListener("focusin", show);
      document.removeEventListener("focusout", hide);
      document.removeEventListener("scroll", hide, true);
      document.removeEventListener("keydown", onKey);
    };
  }, []);

  if (!position) return null;
  const { instant, now, left, top, above } = position;
  return (
    <div
      className={styles.tooltip}
      role="tooltip"
      style={{ left, top, transform: above ? "translateY(-100%)" : undefined }}
    >
      <span>{clock.zone}</span>
      <span>{formatExact(instant, clock)}</span>
      <span>UTC</span>
      <span>{formatUtc(instant)}</span>
      <span>Relative</span>
      <span>{formatRelative(instant, now)}</span>
    </div>
  );
}
