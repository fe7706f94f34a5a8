/** Whether keys belong to a text being edited there. */
export function inText(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest("input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable]") !== null
  );
}
