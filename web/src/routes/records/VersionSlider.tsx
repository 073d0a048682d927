import { useState } from "react";
import type { RecordVersion } from "../../api/types";
import { actorText } from "../../logs/cells";
import { useLog } from "../../logs/context";
import { humanize } from "../../logs/definition";
import { IconButton } from "../../ui/Button";
import { formatDateTime } from "../../ui/time/format";
import { useDebouncedCallback } from "../../ui/use-debounced-callback";
import styles from "./records.module.css";

/** How long the slider has to rest before the record is read. */
const REST_MS = 150;

interface VersionSliderProps {
  /** Newest first. */
  versions: readonly RecordVersion[];
  chosen: string | undefined;
  onChoose: (id: string) => void;
}

/** Goes through the versions that are loaded, oldest on the left. */
export function VersionSlider({ versions, chosen, onChoose }: VersionSliderProps) {
  const { clock } = useLog();
  // Where the slider is while it moves.
  const [moving, setMoving] = useState<number | null>(null);
  const choose = (index: number) => {
    setMoving(null);
    const version = versions[versions.length - 1 - index];
    if (version) onChoose(version.id);
  };
  const { schedule } = useDebouncedCallback(choose, REST_MS);
  const last = versions.length - 1;
  if (last < 1) return null;
  const place = versions.findIndex((version) => version.id === chosen);
  const index = moving ?? (place === -1 ? last : last - place);
  const version = versions[last - index];
  if (!version) return null;
  const text = [
    `Version ${version.version ?? ""}`.trim(),
    formatDateTime(Date.parse(version.occurred_at), clock),
    `${humanize(version.action)} by ${actorText(version.actor, version.on_behalf_of)}`,
  ].join(", ");
  return (
    <div className={styles.slider}>
      <IconButton
        icon="minus"
        label="Previous version"
        isDisabled={index === 0}
        onPress={() => choose(index - 1)}
      />
      <input
        type="range"
        aria-label="Version"
        aria-valuetext={text}
        min={0}
        max={last}
        step={1}
        value={index}
        onChange={(event) => {
          setMoving(event.target.valueAsNumber);
          schedule(event.target.valueAsNumber);
        }}
      />
      <IconButton
        icon="plus"
        label="Next version"
        isDisabled={index === last}
        onPress={() => choose(index + 1)}
      />
      <output className={styles.sliderText}>{text}</output>
    </div>
  );
}
