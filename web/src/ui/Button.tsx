import { Button as AriaButton, type ButtonProps as AriaProps } from "react-aria-components/Button";
import styles from "./Button.module.css";
import { cx } from "./cx";
import { Icon, type IconName } from "./Icon";

interface ButtonStyle {
  variant?: "secondary" | "primary" | "plain" | "danger";
  small?: boolean;
}

type ButtonProps = Omit<AriaProps, "className" | "children"> &
  ButtonStyle & { icon?: IconName; children: React.ReactNode };

export function buttonClass({ variant = "secondary", small = false }: ButtonStyle, icon = false): string {
  return cx(
    styles.button,
    variant === "primary" && styles.primary,
    variant === "plain" && styles.plain,
    variant === "danger" && styles.danger,
    small && styles.small,
    icon && styles.icon,
  );
}

export function Button({ variant, small, icon, children, ...props }: ButtonProps) {
  return (
    <AriaButton {...props} className={buttonClass({ variant, small })}>
      {icon && <Icon name={icon} />}
      {children}
    </AriaButton>
  );
}

type IconButtonProps = Omit<AriaProps, "className" | "children"> &
  ButtonStyle & { icon: IconName; label: string };

/** A button with an icon alone. Its label is read by screen readers and shown on hover. */
export function IconButton({ variant = "plain", small, icon, label, ...props }: IconButtonProps) {
  return (
    <AriaButton
      {...props}
      aria-label={label}
      className={buttonClass({ variant, small }, true)}
      render={(dom) => <button {...dom} title={label} />}
    >
      <Icon name={icon} />
    </AriaButton>
  );
}
