/** Sequence sets of annotations: `3:7,9`. */

export interface Ranges {
  has(uid: number): boolean;
  /** The position of a UID in the order of the set; -1: it is not in it. */
  indexOf(uid: number): number;
  /** The UID at a position. */
  at(index: number): number | undefined;
}

export function rangesIn(uids: string): Ranges {
  const ranges = [...uids.matchAll(/(\d+)(?::(\d+))?/g)].map(([, first, last]): readonly [number, number] => {
    const [from, to] = [Number(first), Number(last ?? first)];
    return from <= to ? [from, to] : [to, from];
  });
  const indexOf = (uid: number): number => {
    let before = 0;
    for (const [first, last] of ranges) {
      if (uid >= first && uid <= last) return before + uid - first;
      before += last - first + 1;
    }
    return -1;
  };
  return {
    indexOf,
    has: (uid) => indexOf(uid) !== -1,
    at(index) {
      let left = index;
      for (const [first, last] of ranges) {
        if (left <= last - first) return first + left;
        left -= last - first + 1;
      }
      return undefined;
    },
  };
}
