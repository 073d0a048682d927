import styles from "./Checkbox.module.css";
import { Icon } from "./Icon";

interface CheckboxProps {
  checked: boolean;
  onChange: () => void;
  label: string;
  count?: string | undefined;
}

/** A native checkbox, invisible over a drawn one, so that keyboards and screen readers work as usual. */
export function Checkbox({ checked, onChange, label, count }: CheckboxProps) {
  return (
    <label className={styles.row}>
      <input type="checkbox" className={styles.native} checked={checked} onChange={onChange} />
      <span className={styles.box}>
        <Icon name="check" size={12} />
      </span>
      <span className={styles.text} title={label}>
        {label}
      </span>
      {count !== undefined && (
        <span className={styles.count}>
          {count}
          <span className="visually-hidden"> events</span>
        </span>
      )}
    </label>
  );
}
