/** A range between two round numbers with ticks at equal steps, the first tick at `lo` and the last at `hi`. */
export interface Scale {
  readonly lo: number;
  readonly hi: number;
  readonly step: number;
  readonly ticks: readonly number[];
  /** Digits after the point that tell the ticks apart. */
  readonly decimals: number;
}

/** The largest magnitude that is drawn; beyond it arithmetic on ranges would overflow. */
export const huge = 1e300;

/**
 * The round range that holds `lo` to `hi` in about `count` equal steps of 1, 2, 2.5 or 5 times a power of ten: of the
 * steps near that, the one that leaves the least of the range empty.
 */
export function niceScale(lo: number, hi: number, count: number): Scale {
  let a = Math.min(huge, Math.max(-huge, Math.min(lo, hi)));
  let b = Math.min(huge, Math.max(-huge, Math.max(lo, hi)));
  if (b - a <= Math.max(Math.abs(a), Math.abs(b)) * 1e-9 || b - a < 1e-280) {
    const flat = Math.abs(a) < 1e-280;
    const pad = Math.abs(a) * 0.1;
    [a, b] = flat ? [0, 1] : [a - pad, b + pad];
  }
  const power = Math.floor(Math.log10((b - a) / count));
  let best: Fit | null = null;
  for (const e of [power - 1, power, power + 1]) {
    for (const factor of [1, 2, 2.5, 5]) {
      if (factor === 2.5 && e === 0) continue; // Halves among whole numbers look like an error.
      const fit = fitTo(a, b, factor, e, count);
      if (fit && (!best || fit.cost < best.cost)) best = fit;
    }
  }
  const { first, last, step, decimals } = best ?? { first: 0, last: 1, step: 1, decimals: 0 };
  const at = (i: number): number => (decimals < 20 ? Number((i * step).toFixed(decimals)) : i * step);
  const ticks: number[] = [];
  for (let i = first; i <= last; i++) ticks.push(at(i));
  return { lo: at(first), hi: at(last), step, ticks, decimals };
}

interface Fit {
  readonly first: number;
  readonly last: number;
  readonly step: number;
  readonly decimals: number;
  readonly cost: number;
}

function fitTo(a: number, b: number, factor: number, exponent: number, count: number): Fit | null {
  const step = factor * 10 ** exponent;
  const first = Math.floor(a / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(b / step - 1e-9));
  const steps = last - first;
  if (steps > count * 1.6 + 1) return null;
  const empty = 1 - (b - a) / (steps * step);
  const decimals = Math.min(100, Math.max(0, -exponent + (factor === 2.5 ? 1 : 0)));
  return {
    first,
    last,
    step,
    decimals,
    cost: empty + Math.abs(steps - count) * (0.22 / count) + (factor === 2.5 ? 0.02 : 0),
  };
}
