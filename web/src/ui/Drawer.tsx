import { useEffect, useRef } from "react";
import { createPortal } from "react-dom";
import styles from "./Drawer.module.css";

interface DrawerProps {
  label: string;
  /** It fills the screen: what lies behind is out of reach until it closes. */
  modal: boolean;
  onClose: () => void;
  children: React.ReactNode;
}

/**
 * Beside the list on a wide screen, so that the list stays in use; over everything on a narrow one. It takes the
 * focus when it opens and hands it back when it closes.
 */
export function Drawer({ label, modal, onClose, children }: DrawerProps) {
  const panel = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const before = document.activeElement;
    panel.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);

  useEffect(() => {
    const page = document.getElementById("root");
    if (!modal || !page) return;
    page.inert = true;
    return () => {
      page.inert = false;
    };
  }, [modal]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented) onClose();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [onClose]);

  return createPortal(
    <div
      ref={panel}
      className={styles.drawer}
      role="dialog"
      aria-label={label}
      aria-modal={modal}
      tabIndex={-1}
    >
      {children}
    </div>,
    document.body,
  );
}
