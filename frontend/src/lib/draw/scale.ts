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

/** The round range that holds `lo` to `hi` in about `count` steps of 1, 2, 2.5 or 5 times a power of ten. */
export function niceScale(lo: number, hi: number, count: number): Scale {
  let a = Math.min(huge, Math.max(-huge, Math.min(lo, hi)));
  let b = Math.min(huge, Math.max(-huge, Math.max(lo, hi)));
  if (b - a <= Math.abs(b) * 1e-9) {
    const pad = a === 0 ? 0.5 : Math.abs(a) * 0.1;
    [a, b] = a === 0 ? [0, 1] : [a - pad, b + pad];
  }
  const rough = (b - a) / Math.max(1, count);
  const exponent = Math.floor(Math.log10(rough));
  const power = 10 ** exponent;
  const lead = rough / power;
  const factor =
    lead <= 1.0001 ? 1 : lead <= 2.0001 ? 2 : lead <= 2.5001 && exponent !== 0 ? 2.5 : lead <= 5.0001 ? 5 : 10;
  const step = factor * power;
  const first = Math.floor(a / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(b / step - 1e-9));
  const decimals = Math.min(100, Math.max(0, -exponent - (factor === 10 ? 1 : 0) + (factor === 2.5 ? 1 : 0)));
  const at = (i: number): number => (decimals < 20 ? Number((i * step).toFixed(decimals)) : i * step);
  const ticks: number[] = [];
  for (let i = first; i <= last; i++) ticks.push(at(i));
  return { lo: at(first), hi: at(last), step, ticks, decimals };
}
