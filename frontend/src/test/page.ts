// What the simulated page of the tests lacks and the application uses: dialogs, popovers, sizes, animations.
import { cleanup } from "@testing-library/svelte";
import { afterEach, vi } from "vitest";

Object.assign(HTMLDialogElement.prototype, {
  showModal(this: HTMLDialogElement) {
    this.open = true;
    this.querySelector<HTMLElement>("button, input")?.focus();
  },
  close(this: HTMLDialogElement) {
    this.open = false;
  },
});

const opened = new WeakSet<Element>();
Object.assign(HTMLElement.prototype, {
  showPopover(this: HTMLElement) {
    opened.add(this);
  },
  hidePopover(this: HTMLElement) {
    opened.delete(this);
  },
  scrollIntoView: () => undefined,
  animate: () => ({
    cancel: () => undefined,
    finished: Promise.resolve(),
    onfinish: null,
    currentTime: 0,
    effect: null,
  }),
  getAnimations: () => [],
});
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with the element below
const matches = Element.prototype.matches;
Object.assign(Element.prototype, {
  matches(this: Element, selector: string): boolean {
    return selector === ":popover-open" ? opened.has(this) : matches.call(this, selector);
  },
});

class Sizes {
  observe(): void {
    return undefined;
  }
  unobserve(): void {
    return undefined;
  }
  disconnect(): void {
    return undefined;
  }
}
Object.assign(globalThis, {
  ResizeObserver: Sizes,
  // A wide page of somebody who wants little movement.
  matchMedia: (query: string) => ({
    matches: !query.includes("max-width"),
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }),
});

Object.assign(URL, { createObjectURL: () => "blob:picture", revokeObjectURL: () => undefined });

// Finding by role asks the simulated page for many styles, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

afterEach(() => {
  cleanup();
  location.hash = "";
});
