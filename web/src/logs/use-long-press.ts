import { useEffect, useRef } from "react";

const LONG_MS = 500;
/** A finger that moves further scrolls. */
const STILL_PX = 10;

/** The handlers of an element on which a finger may stay. What the browser makes of it, a click or a menu, is left out. */
export function useLongPress(onPress: (at: HTMLElement) => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const start = useRef({ x: 0, y: 0 });
  const pressed = useRef(false);
  const stop = () => clearTimeout(timer.current);
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    onPointerDown: ({ pointerType, isPrimary, clientX, clientY, target }: React.PointerEvent) => {
      stop();
      pressed.current = false;
      if (pointerType !== "touch" || !isPrimary) return;
      start.current = { x: clientX, y: clientY };
      timer.current = setTimeout(() => {
        pressed.current = true;
        onPress(target as HTMLElement);
      }, LONG_MS);
    },
    onPointerMove: ({ clientX, clientY }: React.PointerEvent) => {
      if (Math.hypot(clientX - start.current.x, clientY - start.current.y) > STILL_PX) stop();
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onContextMenu: (event: React.MouseEvent) => {
      if ((event.nativeEvent as PointerEvent).pointerType === "touch") event.preventDefault();
    },
    onClickCapture: (event: React.MouseEvent) => {
      if (!pressed.current) return;
      pressed.current = false;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}
