import { Button as AriaButton, type ButtonProps as AriaProps } from "react-aria-components/Button";
import styles from "./Button.module.css";
import { cx } from "./cx";
import { Icon, type IconName } from "./Icon";

interface Look {
  look?: "normal" | "primary" | "plain" | "danger";
  small?: boolean;
}

type ButtonProps = Omit<AriaProps, "className" | "children"> &
  Look & { icon?: IconName; children: React.ReactNode };

export function buttonClass({ look = "normal", small = false }: Look, icon = false): string {
  return cx(
    styles.button,
    look === "primary" && styles.primary,
    look === "plain" && styles.plain,
    look === "danger" && styles.danger,
    small && styles.small,
    icon && styles.icon,
  );
}

export function Button({ look, small, icon, children, ...props }: ButtonProps) {
  return (
    <AriaButton {...props} className={buttonClass({ look, small })}>
      {icon && <Icon name={icon} />}
      {children}
    </AriaButton>
  );
}

type IconButtonProps = Omit<AriaProps, "className" | "children"> & Look & { icon: IconName; label: string };

/** A button that shows only a picture still says what it does, to a screen reader and on hover. */
export function IconButton({ look = "plain", small, icon, label, ...props }: IconButtonProps) {
  return (
    <AriaButton
      {...props}
      aria-label={label}
      className={buttonClass({ look, small }, true)}
      render={(dom) => <button {...dom} title={label} />}
    >
      <Icon name={icon} />
    </AriaButton>
  );
}
