import { Sheet } from "../ui/Sheet";
import styles from "./KeyboardHelp.module.css";

const KEYS: readonly [string, readonly [string, string][]][] = [
  [
    "Everywhere",
    [
      ["Ctrl K", "Go to a page or a workspace, or search"],
      ["?", "This list"],
      ["Esc", "Close what is open"],
    ],
  ],
  [
    "In a log",
    [
      ["/", "Search"],
      ["p", "Follow new events, or pause them"],
      ["j k", "Next or previous event"],
      ["o Enter", "Open the event"],
      ["s", "Everything in the session of the event"],
      ["→ ←", "Next or previous value of the event"],
      ["Home End", "First or last event"],
      ["Space", "Select the event, or take it out"],
      ["Shift j", "Select up to the next event: also with k, arrows or a click"],
    ],
  ],
  [
    "On a value or a filter's box",
    [
      ["Enter", "Filter by it"],
      ["e", "Exclude it"],
      ["x", "Filter by it alone"],
    ],
  ],
];

export default function KeyboardHelp({ onClose }: { onClose: () => void }) {
  return (
    <Sheet title="Keyboard shortcuts" open centred onOpenChange={(open) => !open && onClose()}>
      {KEYS.map(([title, keys]) => (
        <section key={title} className={styles.part}>
          <h3>{title}</h3>
          <dl>
            {keys.map(([names, what]) => (
              <div key={names} className={styles.line}>
                <dt>
                  {names.split(" ").map((name) => (
                    <kbd key={name} className={styles.key}>
                      {name}
                    </kbd>
                  ))}
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Sheet>
  );
}
