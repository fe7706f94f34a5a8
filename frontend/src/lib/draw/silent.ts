/** Stands in for the package "debug", which micromark logs to: says nothing. See vite.parts.mjs. */
export default function silent(): () => void {
  return () => undefined;
}
