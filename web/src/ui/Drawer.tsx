import { useEffect, useRef } from "react";
import { createPortal } from "react-dom";
import styles from "./Drawer.module.css";

interface DrawerProps {
  label: string;
  /** Fills the screen, and makes the page behind it inert until it closes. */
  modal: boolean;
  onClose: () => void;
  children: React.ReactNode;
}

/**
 * Beside the list on a wide screen, where the list stays usable, and over the whole page on a narrow one. It takes
 * the focus when it opens and returns it when it closes.
 */
export function Drawer({ label, modal, onClose, children }: DrawerProps) {
  const panel = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const previous = document.activeElement;
    panel.current?.focus();
    return () => {
      if (previous instanceof HTMLElement && previous.isConnected) previous.focus({ preventScroll: true });
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
