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
import { asksForCode, CodeField } from "./CodeField";
import styles from "./forms.module.css";
import { PasswordForm } from "./PasswordForm";
import { useTitle } from "./use-log-page";

/** Removes the token from the address at once, so that it stays neither in the history nor in a bookmark. */
function takeLinkToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("link");
  if (token !== null) history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

/** Messages for the reasons why sign-in with the identity provider failed. */
const FAILED: Record<string, string> = {
  expired: "Sign-in took too long or was started in another window. Try again.",
  refused: "The identity provider did not sign you in. Try again, or sign in with your password.",
  email_taken: "Another account already uses your e-mail address. Ask an administrator.",
  disabled: "This account is disabled. Ask a platform admin.",
  unavailable: "The identity provider is not responding. Try again in a moment.",
};
const FAILED_OTHERWISE = "Sign-in failed. Try again, or ask an administrator.";

interface LinkAttempt {
  token: string;
  code?: string;
}

export function SignIn() {
  useTitle("Sign in");
  const router = useRouter();
  const { next, expired, failed } = useSearch({ from: "/sign-in" });
  const [step, setStep] = useState<"sign-in" | "password">("sign-in");
  const leave = () => router.history.replace(next ?? "/");

  const withLink = useMutation({
    mutationFn: ({ token, code }: LinkAttempt) => signInWithLink(token, code),
    onSuccess: (session: Session) => (session.user.has_password ? leave() : setStep("password")),
  });

  // An effect may run twice, but the token works only once.
  const taken = useRef(false);
  const exchange = withLink.mutate;
  useEffect(() => {
    if (taken.current) return;
    taken.current = true;
    const token = takeLinkToken();
    if (token) exchange({ token });
  }, [exchange]);

  const linkAsksForCode = asksForCode(withLink.error) && withLink.variables !== undefined;
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
              You are signed in as <strong>{withLink.data?.user.email}</strong>. The link works only once. Set
              a password to sign in next time.
            </p>
            <PasswordForm
              hasPassword={false}
              onDone={leave}
              onSkip={leave}
              skipText="Not now"
              onSignedOut={() => setStep("sign-in")}
            />
          </>
        ) : linkAsksForCode ? (
          <CodeForm
            error={withLink.error}
            isPending={withLink.isPending}
            onSubmit={(code) => withLink.mutate({ token: withLink.variables.token, code })}
            onCancel={withLink.reset}
          />
        ) : (
          <>
            {expired && !withLink.error && (
              <p className={styles.note} role="status">
                Your session has expired. Sign in to continue where you left off.
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
                  ? "This link has already been used or has expired. Sign in with your password, or ask for a new link."
                  : withLink.error.message}
              </p>
            )}
            <PasswordSignIn busy={withLink.isPending} onDone={leave}>
              <ProviderSignIn next={next} />
            </PasswordSignIn>
          </>
        )}
      </div>
    </main>
  );
}

/** A link that leaves the page: the server redirects to the provider, which redirects back to the server. */
function ProviderSignIn({ next }: { next: string | undefined }) {
  // While this loads or if it fails, the password form is still there.
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

interface PasswordSignInProps {
  busy: boolean;
  onDone: () => void;
  /** Other ways to sign in, until the password was right. */
  children: React.ReactNode;
}

function PasswordSignIn({ busy, onDone, children }: PasswordSignInProps) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const submit = useMutation({
    mutationFn: (code?: string) => signIn(email.trim(), password, code),
    onSuccess: onDone,
  });
  const [step, setStep] = useState<"password" | "code">("password");
  if (step === "password" && asksForCode(submit.error)) setStep("code");
  if (step === "code") {
    return (
      <CodeForm
        error={submit.error}
        isPending={submit.isPending}
        onSubmit={(code) => submit.mutate(code)}
        onCancel={() => {
          submit.reset();
          setPassword("");
          setStep("password");
        }}
      />
    );
  }
  const wrong = submit.error instanceof ApiError && submit.error.status === 401;
  return (
    <>
      {children}
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          submit.mutate(undefined);
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
    </>
  );
}

interface CodeFormProps {
  error: Error | null;
  isPending: boolean;
  onSubmit: (code: string) => void;
  onCancel: () => void;
}

/** Asks for the code of the second factor, after the password or the link was right. */
function CodeForm({ error, isPending, onSubmit, onCancel }: CodeFormProps) {
  const [code, setCode] = useState("");
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(code.trim());
      }}
    >
      {error && !asksForCode(error) && (
        <p className={styles.error} role="alert">
          {error.message}
        </p>
      )}
      <p className={styles.lead}>Your account has a second factor. Enter its code to sign in.</p>
      <CodeField takesFocus value={code} onChange={setCode} error={error} />
      <div className={styles.actions}>
        <Button variant="plain" onPress={onCancel}>
          Cancel
        </Button>
        <Button type="submit" variant="primary" isDisabled={isPending}>
          {isPending ? "Signing in…" : "Sign in"}
        </Button>
      </div>
    </form>
  );
}
