/** One point of a line in whole units of its view box; y null is a gap. */
export interface Point {
  readonly x: number;
  readonly y: number | null;
}

/**
 * The path of a line, in relative whole numbers: the fewest bytes, and exact, so that a reader of the path gets back the
 * values that were drawn. A point alone between gaps becomes a line of no length, which round caps show as a dot.
 */
export function linePath(points: readonly Point[]): string {
  let d = "";
  let run = 0;
  let px = 0;
  let py = 0;
  for (const p of points) {
    if (p.y === null) {
      if (run === 1) d += "h0";
      run = 0;
      continue;
    }
    if (run === 0) d += `M${pair(p.x, p.y)}`;
    else d += (run === 1 ? "l" : glue(p.x - px)) + pair(p.x - px, p.y - py);
    run++;
    px = p.x;
    py = p.y;
  }
  return run === 1 ? d + "h0" : d;
}

/** The area between a line and `base`, or between a line and the line under it where one is given for the same x. */
export function areaPath(points: readonly Point[], base: number, under?: readonly Point[]): string {
  let d = "";
  for (let from = 0; from < points.length;) {
    let to = from;
    while (to < points.length && points[to]?.y !== null) to++;
    const run = points.slice(from, to);
    const first = run[0];
    const last = run[run.length - 1];
    if (first && last && run.length > 1) {
      if (under) d += linePath([...run, ...under.slice(from, to).reverse()]) + "z";
      else d += `${linePath(run)}V${String(base)}H${String(first.x)}z`;
    }
    from = to + 1;
  }
  return d;
}

function pair(x: number, y: number): string {
  return `${String(x)}${glue(y)}${String(y)}`;
}

function glue(n: number): string {
  return n < 0 ? "" : " ";
}

/**
 * Which of many values are drawn: all when there are few, otherwise the first, the last, and of each of `buckets` equal
 * stretches the smallest and the largest value, so that no peak is lost. Indexes in rising order; gaps stay gaps.
 */
export function thin(list: readonly (number | null)[], buckets: number): number[] {
  const n = list.length;
  if (n <= buckets * 2) return list.map((_, i) => i);
  const keep: number[] = [0];
  for (let b = 0; b < buckets; b++) {
    const from = Math.floor((b * n) / buckets);
    const to = Math.floor(((b + 1) * n) / buckets);
    let lo = -1;
    let hi = -1;
    let gap = -1;
    for (let i = from; i < to; i++) {
      const v = list[i];
      if (v === null || v === undefined) {
        gap = i;
        continue;
      }
      if (lo < 0 || v < (list[lo] ?? 0)) lo = i;
      if (hi < 0 || v > (list[hi] ?? 0)) hi = i;
    }
    for (const i of [lo, hi, gap].filter((k) => k >= 0).sort((a, c) => a - c)) {
      if (i > (keep[keep.length - 1] ?? -1)) keep.push(i);
    }
  }
  if (keep[keep.length - 1] !== n - 1) keep.push(n - 1);
  return keep;
}
