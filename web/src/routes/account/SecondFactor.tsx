import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { describeError } from "../../api/errors";
import { removeSecondFactor } from "../../api/second-factor";
import type { Me } from "../../api/types";
import { meQuery } from "../../api/workspaces";
import { Button } from "../../ui/Button";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { SkeletonLine } from "../../ui/Skeleton";
import { Status } from "../../ui/Status";
import styles from "../settings/settings.module.css";
import { useTitle } from "../use-log-page";
import { useRefreshMe } from "../use-refresh-me";
import { JustNowDialog } from "./JustNowDialog";
import own from "./SecondFactor.module.css";
import { SetUpDialog } from "./SetUpDialog";

/** With so few recovery codes left, somebody should get new ones. */
const FEW_CODES = 3;

/** Turns the second factor of the user on and off. */
export function SecondFactor() {
  useTitle("Second factor");
  const me = useQuery(meQuery);
  return (
    <section className={styles.page} aria-labelledby="second-factor">
      <div>
        <h1 id="second-factor" className={styles.title}>
          Second factor
        </h1>
        <p className={styles.lead}>
          With a second factor, signing in also takes a code of an authenticator app: a stolen password alone
          opens nothing.
        </p>
      </div>
      {me.error ? (
        <ErrorNotice {...describeError(me.error)} onRetry={() => void me.refetch()} />
      ) : !me.data ? (
        <SkeletonLine width="40%" />
      ) : (
        <State me={me.data} />
      )}
    </section>
  );
}

function State({ me }: { me: Me }) {
  const refreshMe = useRefreshMe();
  const [open, setOpen] = useState<"set-up" | "turn-off" | null>(null);
  const close = () => setOpen(null);
  return (
    <>
      <div className={own.state}>
        <div className={own.about}>
          {me.second_factor ? (
            <Status tone="good" shape="disc">
              On
            </Status>
          ) : (
            <Status tone="neutral" shape="dot">
              Off
            </Status>
          )}
          <span>{describe(me)}</span>
        </div>
        {me.second_factor ? (
          <Button variant="danger" onPress={() => setOpen("turn-off")}>
            Turn off
          </Button>
        ) : (
          <Button variant="primary" isDisabled={!me.user.has_password} onPress={() => setOpen("set-up")}>
            Set up
          </Button>
        )}
      </div>
      {open === "set-up" && <SetUpDialog onClose={close} />}
      {open === "turn-off" && (
        <JustNowDialog
          title="Turn off the second factor"
          action="Turn off"
          onConfirm={async () => {
            await removeSecondFactor();
            await refreshMe();
          }}
          onClose={close}
        >
          Your password alone will sign in, and the recovery codes will be void.
        </JustNowDialog>
      )}
    </>
  );
}

function describe({ user, second_factor, recovery_codes_left }: Me): string {
  if (!second_factor) {
    return user.has_password
      ? "Your password alone signs in."
      : "Set a password first: the second factor is asked for after it.";
  }
  const left = recovery_codes_left === 1 ? "1 recovery code" : `${recovery_codes_left} recovery codes`;
  const hint = recovery_codes_left <= FEW_CODES ? " To get new ones, turn it off and set it up again." : "";
  return `${left} left.${hint}`;
}
