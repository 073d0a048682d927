import { ToggleButton } from "react-aria-components/ToggleButton";
import { buttonClass } from "../ui/Button";
import { cx } from "../ui/cx";
import styles from "./LiveToggle.module.css";

interface LiveToggleProps {
  live: boolean;
  /** The range reaches to now. */
  canFollow: boolean;
  /** There is room for a mark alone. */
  brief?: boolean;
  onLive: (live: boolean) => void;
}

export function LiveToggle({ live, canFollow, brief = false, onLive }: LiveToggleProps) {
  return (
    <ToggleButton
      className={cx(buttonClass({}), live && styles.live)}
      isSelected={live}
      isDisabled={!canFollow}
      onChange={onLive}
      render={(dom) => (
        <button
          {...dom}
          title={
            !canFollow
              ? "The time range ends before now"
              : live
                ? "Stop following new events"
                : "Follow new events (p)"
          }
        />
      )}
    >
      <span className={styles.pulse} />
      <span className={brief ? "visually-hidden" : undefined}>Live</span>
    </ToggleButton>
  );
}
