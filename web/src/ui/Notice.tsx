import { cx } from "./cx";
import { Icon, type IconName } from "./Icon";
import styles from "./Notice.module.css";

interface NoticeProps {
  icon: IconName;
  title: string;
  bad?: boolean;
  children?: React.ReactNode;
  actions?: React.ReactNode;
}

/** What stands where content would: nothing here, nothing found, something broke. */
export function Notice({ icon, title, bad = false, children, actions }: NoticeProps) {
  return (
    <div className={cx(styles.notice, bad && styles.bad)} role={bad ? "alert" : "status"}>
      <span className={styles.icon}>
        <Icon name={icon} size={20} />
      </span>
      <h2 className={styles.title}>{title}</h2>
      {children && <div className={styles.body}>{children}</div>}
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}
