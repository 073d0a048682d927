import styles from "./Skeleton.module.css";

export function Bone({ width }: { width: number | string }) {
  return <span className={styles.bone} style={{ width }} aria-hidden="true" />;
}
