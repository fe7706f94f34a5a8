/** Numbers and times in sentences. English only, like the rest of the product. */

/** "1 change", "3 changes". */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${thousands(n)} ${n === 1 ? one : many}`;
}

/** 20000 as "20,000". */
export function thousands(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** How long ago something was, in words. */
export function ago(then: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 45) return "just now";
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${count(minutes, "minute")} ago`;
  const hours = Math.round(minutes / 60);
  if (hours < 24) return `${count(hours, "hour")} ago`;
  const days = Math.round(hours / 24);
  return days < 31 ? `${count(days, "day")} ago` : new Date(then).toISOString().slice(0, 10);
}

/** One or two letters that stand for a name, or for an address where there is no name. */
export function initials(name: string): string {
  const words = name
    .trim()
    .split(/[\s@]+/)
    .filter(Boolean);
  const letters = name.includes("@") ? words.slice(0, 1) : [words[0], words.length > 1 ? words.at(-1) : undefined];
  return (
    letters
      .map((w) => Array.from(w ?? "")[0] ?? "")
      .join("")
      .toUpperCase() || "?"
  );
}

/** "Ann", "Ann and Bob", "Ann, Bob and Cy". */
export function listing(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${last}` : last;
}
