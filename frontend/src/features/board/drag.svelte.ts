import type { WidgetId } from "../../lib/backend/types";
import { clamp, place, sameLayout, type Placed } from "./grid";

const threshold = 4; // px before a press becomes a drag
const edge = 56; // px from the border where the canvas scrolls by itself
const speed = 14; // px per frame at most

/** The size of the grid's cells on screen, in px, gap included. */
export interface Cells {
  readonly width: number;
  readonly height: number;
}

/**
 * One drag of a card by its header or its corner. Nothing is written before the drop; `preview` is where everything would
 * be, computed from the places before the drag, so that moving back undoes what was pushed aside.
 */
export class Drag {
  /** The widget under way, once it has moved. */
  id = $state.raw<WidgetId | null>(null);
  mode = $state.raw<"move" | "resize">("move");
  /** How far the card is from where it began, in px. */
  offset = $state.raw({ x: 0, y: 0 });
  preview = $state.raw<readonly Placed[] | null>(null);

  /** Begins at a press; `drop` gets the final places unless the drag was cancelled or went nowhere. */
  begin(
    event: PointerEvent,
    what: { id: WidgetId; mode: "move" | "resize"; items: readonly Placed[]; cells: Cells; scroller: HTMLElement },
    drop: (after: readonly Placed[]) => void,
  ): void {
    const from = what.items.find((i) => i.id === what.id)?.layout;
    const handle = event.currentTarget;
    if (!from || event.button !== 0 || !(handle instanceof HTMLElement)) return;
    handle.setPointerCapture(event.pointerId);
    const scrolled = what.scroller.scrollTop;
    let pointer = { x: event.clientX, y: event.clientY };
    let frame = 0;
    let target = from;

    const update = (): void => {
      const x = pointer.x - event.clientX;
      const y = pointer.y - event.clientY + what.scroller.scrollTop - scrolled;
      if (!this.id) {
        if (Math.hypot(x, y) < threshold) return;
        this.id = what.id;
        this.mode = what.mode;
        this.preview = what.items;
        frame = requestAnimationFrame(scroll);
      }
      this.offset = { x, y };
      const [dx, dy] = [Math.round(x / what.cells.width), Math.round(y / what.cells.height)];
      const next =
        what.mode === "move"
          ? clamp({ ...from, x: from.x + dx, y: from.y + dy })
          : clamp({ ...from, w: Math.min(from.w + dx, 12 - from.x), h: from.h + dy });
      if (sameLayout(next, target)) return;
      target = next;
      this.preview = place(what.items, what.id, next);
    };
    const scroll = (): void => {
      const box = what.scroller.getBoundingClientRect();
      const over = Math.max(pointer.y - (box.bottom - edge), 0) - Math.max(box.top + edge - pointer.y, 0);
      if (over !== 0) {
        what.scroller.scrollTop += Math.max(-speed, Math.min(speed, over / 3));
        update();
      }
      frame = requestAnimationFrame(scroll);
    };
    const moved = (e: PointerEvent): void => {
      pointer = { x: e.clientX, y: e.clientY };
      update();
    };
    const keyed = (e: KeyboardEvent): void => {
      if (e.key !== "Escape" || !this.id) return;
      e.preventDefault();
      e.stopPropagation();
      end(false);
    };
    const up = (): void => {
      end(true);
    };
    const cancelled = (): void => {
      end(false);
    };
    const end = (keep: boolean): void => {
      cancelAnimationFrame(frame);
      handle.removeEventListener("pointermove", moved);
      handle.removeEventListener("pointerup", up);
      handle.removeEventListener("pointercancel", cancelled);
      window.removeEventListener("keydown", keyed, true);
      const after = this.preview;
      const dragged = this.id !== null;
      if (keep && dragged && after && !sameLayout(target, from)) drop(after);
      this.preview = null;
      this.offset = { x: 0, y: 0 };
      if (dragged) {
        // The click that follows a drop means nothing.
        window.addEventListener("click", swallow, { capture: true, once: true });
        setTimeout(() => {
          window.removeEventListener("click", swallow, true);
        });
      }
      this.id = null;
    };
    handle.addEventListener("pointermove", moved);
    handle.addEventListener("pointerup", up);
    handle.addEventListener("pointercancel", cancelled);
    window.addEventListener("keydown", keyed, true);
  }
}

function swallow(event: Event): void {
  event.stopPropagation();
  event.preventDefault();
}
