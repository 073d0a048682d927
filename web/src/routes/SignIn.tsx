import { useMutation, useQuery } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { signIn, signInMethodsQuery, signInWithLink } from "../api/auth";
import { ApiError } from "../api/errors";
import type { Session } from "../api/types";
import { Button, buttonClass } from "../ui/Button";
import { cx } from "../ui/cx";
import { TextField } from "../ui/TextField";
import { Logo } from "./AppShell";
import styles from "./forms.module.css";
import { PasswordForm } from "./PasswordForm";
import { useTitle } from "./use-log-page";

/** Taken out of the address at once: a link that works once must not stay in the history or in a bookmark. */
function takeLinkToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("link");
  if (token !== null) history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

/** Why the identity provider's way ended here, by the server's word for it. */
const FAILED: Record<string, string> = {
  expired: "That took too long, or was begun in another window. Try again.",
  refused: "You were not signed in there. Try again, or sign in with your password.",
  email_taken: "Your e-mail address belongs to somebody else here. Ask an administrator.",
  unavailable: "The sign-in service does not answer. Try again in a moment.",
};
const FAILED_OTHERWISE = "Signing in did not work. Try again, or ask an administrator.";

export function SignIn() {
  useTitle("Sign in");
  const router = useRouter();
  const { next, expired, failed } = useSearch({ from: "/sign-in" });
  const [step, setStep] = useState<"sign-in" | "password">("sign-in");
  const leave = () => router.history.replace(next ?? "/");

  const withLink = useMutation({
    mutationFn: signInWithLink,
    onSuccess: (session: Session) => (session.user.has_password ? leave() : setStep("password")),
  });

  // A ref, because an effect may run twice and the token may not.
  const taken = useRef(false);
  const exchange = withLink.mutate;
  useEffect(() => {
    if (taken.current) return;
    taken.current = true;
    const token = takeLinkToken();
    if (token) exchange(token);
  }, [exchange]);

  return (
    <main className={styles.page}>
      <div className={styles.box}>
        <div className={styles.brand}>
          <Logo size={26} />
          <h1 className={styles.title}>{step === "password" ? "Set a password" : "Sign in to Logbook"}</h1>
        </div>
        {step === "password" ? (
          <>
            <p className={styles.lead}>
              You are signed in. The link works only once, so set a password for next time. You will sign in
              as <strong>{withLink.data?.user.email}</strong>.
            </p>
            <PasswordForm hasPassword={false} onDone={leave} onSkip={leave} skipText="Not now" />
          </>
        ) : (
          <>
            {expired && !withLink.error && (
              <p className={styles.note} role="status">
                Your session ended. Sign in to go on where you were.
              </p>
            )}
            {failed !== undefined && !withLink.error && (
              <p className={styles.error} role="alert">
                {FAILED[failed] ?? FAILED_OTHERWISE}
              </p>
            )}
            {withLink.error && (
              <p className={styles.error} role="alert">
                {withLink.error instanceof ApiError && withLink.error.status === 401
                  ? "This link was used already or is too old. Sign in with your password, or ask for a new link."
                  : withLink.error.message}
              </p>
            )}
            <ProviderSignIn next={next} />
            <PasswordSignIn busy={withLink.isPending} onDone={leave} />
          </>
        )}
      </div>
    </main>
  );
}

/** Leaves the page: the server leads to the provider, and the provider back to the server. */
function ProviderSignIn({ next }: { next: string | undefined }) {
  // A page without this answer has the password, which is always there.
  const { data } = useQuery(signInMethodsQuery);
  if (!data?.provider) return null;
  const { name, start } = data.provider;
  return (
    <>
      <a
        className={cx(buttonClass({}), styles.provider)}
        href={next === undefined ? start : `${start}?${new URLSearchParams({ next })}`}
      >
        Sign in with {name}
      </a>
      <p className={styles.or}>or with a password</p>
    </>
  );
}

function PasswordSignIn({ busy, onDone }: { busy: boolean; onDone: () => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const submit = useMutation({ mutationFn: () => signIn(email.trim(), password), onSuccess: onDone });
  const wrong = submit.error instanceof ApiError && submit.error.status === 401;
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        submit.mutate();
      }}
    >
      {submit.error && (
        <p className={styles.error} role="alert">
          {wrong ? "The e-mail address or the password is wrong." : submit.error.message}
        </p>
      )}
      <TextField
        large
        label="E-mail"
        type="email"
        name="email"
        autoComplete="username"
        required
        value={email}
        onChange={setEmail}
      />
      <TextField
        large
        label="Password"
        type="password"
        name="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={setPassword}
      />
      <Button type="submit" variant="primary" isDisabled={busy || submit.isPending}>
        {busy || submit.isPending ? "Signing in…" : "Sign in"}
      </Button>
    </form>
  );
}
