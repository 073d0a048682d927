import { useEffect, useRef } from "react";
import { createPortal } from "react-dom";
import { cx } from "./cx";
import styles from "./Drawer.module.css";
import { useDrawerWidth } from "./drawer-width";

interface DrawerProps {
  label: string;
  /** Covers the page and makes it inert, where both do not fit beside each other. */
  modal: boolean;
  onClose: () => void;
  /** What has the focus afterwards, if it is not what had it before. */
  returnTo?: () => HTMLElement | null;
  children: React.ReactNode;
}

/**
 * Beside the list on a wide screen, where the list stays usable, and over the page on a narrow one. It takes the focus
 * when it opens and returns it when it closes. Its width can be changed by pointer and by key.
 */
export function Drawer({ label, modal, onClose, returnTo, children }: DrawerProps) {
  const panel = useRef<HTMLDivElement>(null);
  const { width } = useDrawerWidth();
  const target = useRef(returnTo);
  useEffect(() => {
    target.current = returnTo;
  });

  // Before the focus returns to the page, which it cannot while the page is inert.
  useEffect(() => {
    const page = document.getElementById("root");
    if (!modal || !page) return;
    page.inert = true;
    return () => {
      page.inert = false;
    };
  }, [modal]);

  useEffect(() => {
    const previous = document.activeElement;
    panel.current?.focus();
    return () => {
      const next = target.current?.() ?? previous;
      if (next instanceof HTMLElement && next.isConnected) next.focus({ preventScroll: true });
    };
  }, []);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented) onClose();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [onClose]);

  return createPortal(
    <>
      {/* A click beside the drawer closes it, as Escape does. */}
      {modal && <div className={styles.scrim} onClick={onClose} aria-hidden="true" />}
      <div
        ref={panel}
        className={cx(styles.drawer, modal && styles.modal)}
        role="dialog"
        aria-label={label}
        aria-modal={modal}
        tabIndex={-1}
        style={modal ? undefined : { width }}
      >
        {!modal && <Handle />}
        {children}
      </div>
    </>,
    document.body,
  );
}

const STEP = 24;

/** The edge of the drawer (the separator of the ARIA practices). */
function Handle() {
  const { width, least, most, setWidth } = useDrawerWidth();
  return (
    // A separator that can have the focus is a control, which the rules do not know.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      className={styles.handle}
      role="separator"
      aria-label="Width of the details"
      aria-orientation="vertical"
      aria-valuenow={width}
      aria-valuemin={least}
      aria-valuemax={most}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") setWidth(width + STEP);
        else if (event.key === "ArrowRight") setWidth(width - STEP);
        else return;
        event.preventDefault();
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        event.preventDefault();
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) setWidth(innerWidth - event.clientX);
      }}
    />
  );
}
