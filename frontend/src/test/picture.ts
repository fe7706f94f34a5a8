/** Something that looks like a code to be scanned, where the program would draw one: an SVG. */
export function picture(text: string): string {
  const size = 25;
  const finder = (x: number, y: number): boolean | null => {
    const far = Math.max(Math.abs(x - 3), Math.abs(y - 3));
    return far > 4 ? null : far !== 4 && far !== 2;
  };
  let dots = "";
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const corner = finder(x, y) ?? finder(size - 1 - x, y) ?? finder(x, size - 1 - y);
      const letter = text.charCodeAt((x * 7 + y * 13) % text.length);
      if (corner ?? (letter * (x + 3) + x * y * 5) % 7 < 3) dots += `M${String(x + 2)} ${String(y + 2)}h1v1h-1z`;
    }
  const box = String(size + 4);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${box} ${box}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${box}v${box}H0z"/><path d="${dots}"/></svg>`;
}
