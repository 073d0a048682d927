import styles from "./Skeleton.module.css";

export function SkeletonLine({ width }: { width: number | string }) {
  return <span className={styles.line} style={{ width }} aria-hidden="true" />;
}
