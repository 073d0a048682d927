import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { queryKeys } from "../../../api/query-keys";
import { changeSource } from "../../../api/sources";
import type { Source } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { Select } from "../../../ui/Select";
import { TextField } from "../../../ui/TextField";
import forms from "../../forms.module.css";
import settings from "../settings.module.css";
import { KINDS } from "./kinds";
import { OTHER, secondsOf, type Silence, silenceOf } from "./silence";
import { SilenceField } from "./SilenceField";
import styles from "./sources.module.css";

const REPLAYS: readonly { days: number | null; label: string }[] = [
  { days: 7, label: "7 days" },
  { days: 30, label: "30 days" },
  { days: 90, label: "90 days" },
  { days: 365, label: "1 year" },
  { days: null, label: "For ever" },
];

/** The choices, and the value that was set by other means. */
function withOwn<V>(choices: readonly { value: V; label: string }[], value: V, label: string) {
  return choices.some((choice) => choice.value === value) ? choices : [...choices, { value, label }];
}

export function SourceSettings({ slug, source }: { slug: string; source: Source }) {
  const queries = useQueryClient();
  const [secret, setSecret] = useState("");
  const change = useMutation({
    mutationFn: (changes: Parameters<typeof changeSource>[2]) => changeSource(slug, source.name, changes),
    // What was begun in another field stays.
    onSuccess: async (_, changes) => {
      if ("secret" in changes) setSecret("");
      await queries.invalidateQueries({ queryKey: queryKeys.sources(slug) });
      if ("silence_seconds" in changes) setChosen(null);
    },
  });
  const [chosen, setChosen] = useState<Silence | null>(null);
  const silence = chosen ?? silenceOf(source.silence_seconds);
  const seconds = secondsOf(silence);
  const replay = source.replay_days;
  const replays = withOwn(
    REPLAYS.map(({ days, label }) => ({ value: days, label })),
    replay,
    `${replay ?? 0} days`,
  );
  const { secret: secretText } = KINDS[source.kind];
  const labelOf = <V,>(choices: readonly { value: V; label: string }[], value: V) =>
    choices.find((choice) => choice.value === value)?.label ?? "";
  return (
    <section className={styles.parts} aria-labelledby="source-settings">
      <h3 id="source-settings" className={settings.heading}>
        Settings
      </h3>
      {change.error && (
        <p className={forms.error} role="alert">
          {change.error.message}
        </p>
      )}
      <div className={settings.narrow}>
        <div className={forms.form}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (seconds !== undefined) change.mutate({ silence_seconds: seconds });
            }}
          >
            <SilenceField
              value={silence}
              onChange={(next) => {
                setChosen(next);
                // A number is complete only when it is said so.
                if (next.choice !== OTHER) change.mutate({ silence_seconds: secondsOf(next) ?? null });
              }}
            >
              <Button
                type="submit"
                isDisabled={change.isPending || seconds === undefined || seconds === source.silence_seconds}
              >
                Set
              </Button>
            </SilenceField>
          </form>
          <div className={styles.part}>
            <Select
              label="It may send an event again for"
              options={replays.map(({ label }) => label)}
              value={labelOf(replays, replay)}
              onChange={(label) =>
                change.mutate({ replay_days: replays.find((one) => one.label === label)?.value ?? null })
              }
            />
            <p className={settings.sub}>So long Logbook knows that it is the same event.</p>
          </div>
          {secretText && (
            <form
              className={forms.form}
              onSubmit={(event) => {
                event.preventDefault();
                change.mutate({ secret });
              }}
            >
              <TextField
                large
                label={source.has_secret ? "New secret" : "Secret"}
                type="password"
                autoComplete="off"
                minLength={8}
                maxLength={16384}
                help={
                  source.has_secret
                    ? `${secretText}. Only what is signed is taken`
                    : `${secretText}. Once it is set, only what is signed is taken`
                }
                value={secret}
                onChange={setSecret}
              />
              <div className={styles.tools}>
                <Button type="submit" isDisabled={change.isPending || secret.length < 8}>
                  Set secret
                </Button>
                {source.has_secret && (
                  <Button variant="plain" onPress={() => change.mutate({ secret: null })}>
                    Remove secret
                  </Button>
                )}
              </div>
            </form>
          )}
        </div>
      </div>
      <span role="status" className={settings.saved}>
        {change.isSuccess ? "Saved" : ""}
      </span>
    </section>
  );
}
