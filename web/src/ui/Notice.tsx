import { cx } from "./cx";
import { Icon, type IconName } from "./Icon";
import styles from "./Notice.module.css";

interface NoticeProps {
  icon: IconName;
  title: string;
  bad?: boolean;
  /** The notice is the whole page, so its title is the page's heading. */
  fullPage?: boolean;
  children?: React.ReactNode;
  actions?: React.ReactNode;
}

/** Shown in place of content: nothing here, nothing found, or an error. */
export function Notice({ icon, title, bad = false, fullPage = false, children, actions }: NoticeProps) {
  const Title = fullPage ? "h1" : "h2";
  return (
    <div className={cx(styles.notice, bad && styles.bad)} role={bad ? "alert" : "status"}>
      <span className={styles.icon}>
        <Icon name={icon} size={20} />
      </span>
      <Title className={styles.title}>{title}</Title>
      {children && <div className={styles.body}>{children}</div>}
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}
