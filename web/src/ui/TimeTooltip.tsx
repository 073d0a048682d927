import { useEffect, useState } from "react";
import { type Clock, formatExact, formatRelative, formatUtc } from "./time/format";
import styles from "./TimeTooltip.module.css";

interface Tip {
  instant: number;
  now: number;
  left: number;
  top: number;
  above: boolean;
}

/**
 * One tooltip for every time on the page, found by its attribute. A table shows hundreds of times; a tooltip
 * component for each would cost more than the rows themselves.
 */
export function TimeTooltip({ clock }: { clock: Clock }) {
  const [tip, setTip] = useState<Tip | null>(null);

  useEffect(() => {
    const show = (event: Event) => {
      const target =
        event.target instanceof Element ? event.target.closest<HTMLElement>("[data-instant]") : null;
      if (!target) return setTip(null);
      const box = target.getBoundingClientRect();
      const above = box.bottom > innerHeight - 110;
      setTip({
        instant: Number(target.dataset.instant),
        now: Date.now(),
        left: Math.max(8, Math.min(box.left, innerWidth - 330)),
        top: above ? box.top - 6 : box.bottom + 6,
        above,
      });
    };
    const hide = () => setTip(null);
    // WCAG 1.4.13: what appears on hover goes away on Escape without moving the pointer.
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

  if (!tip) return null;
  return (
    <div
      className={styles.tip}
      role="tooltip"
      style={{ left: tip.left, top: tip.top, transform: tip.above ? "translateY(-100%)" : undefined }}
    >
      <span>{clock.zone}</span>
      <span>{formatExact(tip.instant, clock)}</span>
      <span>UTC</span>
      <span>{formatUtc(tip.instant)}</span>
      <span>Relative</span>
      <span>{formatRelative(tip.instant, tip.now)}</span>
    </div>
  );
}
