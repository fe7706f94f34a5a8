import type { Attachment } from "svelte/attachments";

const gap = 6; // px between opener and popover
const edge = 8; // px kept free at the window's edges

/**
 * Shows an element of popover="manual" in the top layer beside its opener, keeps it inside the window, and asks to close
 * it when something else is pressed, the focus leaves it, or the window changes size.
 */
export function anchor(opener: () => HTMLElement, align: "start" | "end", close: () => void): Attachment<HTMLElement> {
  return (node) => {
    node.showPopover();
    settle();

    function settle(): void {
      const at = opener().getBoundingClientRect();
      const size = node.getBoundingClientRect();
      const left = align === "start" ? at.left : at.right - size.width;
      const below = at.bottom + gap;
      const above = at.top - gap - size.height;
      const top = below + size.height > window.innerHeight - edge && above >= edge ? above : below;
      node.style.left = `${String(Math.max(edge, Math.min(left, window.innerWidth - size.width - edge)))}px`;
      node.style.top = `${String(Math.max(edge, Math.min(top, window.innerHeight - size.height - edge)))}px`;
    }

    function pressed(event: PointerEvent): void {
      const on = event.target;
      if (on instanceof Node && !node.contains(on) && !opener().contains(on)) close();
    }
    function focused(event: FocusEvent): void {
      const on = event.target;
      if (on instanceof Node && on !== document && !node.contains(on) && !opener().contains(on)) close();
    }
    function resized(): void {
      close();
    }
    const observer = new ResizeObserver(settle);
    observer.observe(node);
    document.addEventListener("pointerdown", pressed, true);
    document.addEventListener("focusin", focused, true);
    window.addEventListener("resize", resized);
    return () => {
      observer.disconnect();
      document.removeEventListener("pointerdown", pressed, true);
      document.removeEventListener("focusin", focused, true);
      window.removeEventListener("resize", resized);
    };
  };
}
