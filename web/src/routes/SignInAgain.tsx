import { signOut } from "../api/auth";
import { Button } from "../ui/Button";
import styles from "./forms.module.css";

interface SignInAgainProps {
  /** What needs it, as the end of a sentence. */
  children: React.ReactNode;
  skipText: string;
  onSkip: () => void;
  /** The user wants to sign in again, and is signed out for it. */
  onSignedOut: () => void;
}

/** Shown in place of a form whose change needs a sign-in of just now. */
export function SignInAgain({ children, skipText, onSkip, onSignedOut }: SignInAgainProps) {
  return (
    <div className={styles.form}>
      <p className={styles.note} role="alert">
        {children}
      </p>
      <div className={styles.actions}>
        <Button variant="plain" onPress={onSkip}>
          {skipText}
        </Button>
        {/* An error is ignored: this browser is signed out in any case. */}
        <Button
          variant="primary"
          onPress={() =>
            void signOut()
              .catch(() => undefined)
              .then(onSignedOut)
          }
        >
          Sign in again
        </Button>
      </div>
    </div>
  );
}
