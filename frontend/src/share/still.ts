/**
 * Rule E3: without interaction links are text. What scrolls can still be reached by keyboard, or those without a pointer
 * could not read it all.
 */
export function still(fresh: ParentNode): void {
  for (const a of fresh.querySelectorAll("a")) {
    for (const name of ["href", "target", "rel", "tabindex", "title"]) a.removeAttribute(name);
  }
}
