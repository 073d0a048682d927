import { useEffect, useState } from "react";

/** Whether an element is narrower than this, in pixels. Null until it is mounted. */
export function useNarrowerThan(element: HTMLElement | null, width: number): boolean {
  const [narrower, setNarrower] = useState(false);
  useEffect(() => {
    if (!element) return;
    const observer = new ResizeObserver(() => setNarrower(element.clientWidth < width));
    observer.observe(element);
    return () => observer.disconnect();
  }, [element, width]);
  return narrower;
}
