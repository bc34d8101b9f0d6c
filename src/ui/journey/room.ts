/** Whether an element is wide enough for what is to be drawn in it. */
import { type RefObject, useLayoutEffect, useRef, useState } from 'react';

/** Below this the page is a telephone's, and shows lists. */
const wide = matchMedia('(min-width: 760px)');

export function useRoom(rem: number): { readonly ref: RefObject<HTMLDivElement | null>; readonly hasRoom: boolean } {
  const ref = useRef<HTMLDivElement>(null);
  const [hasRoom, setHasRoom] = useState(false);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const measure = (): void => {
      const size = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      setHasRoom(wide.matches && element.clientWidth >= rem * size);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [rem]);
  return { ref, hasRoom };
}
