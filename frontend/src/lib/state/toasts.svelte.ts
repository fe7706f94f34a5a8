/** A short message over the page, with at most one thing to do about it. */
export interface Toast {
  readonly id: number;
  readonly tone: "info" | "success" | "warning" | "error";
  readonly message: string;
  readonly hint: string;
  readonly action: { label: string; run: () => void } | null;
}

const lifetime = 7000; // ms; errors stay until dismissed
const limit = 4; // older ones give way

/** The messages on screen. Timers stop while `hold` is on, that is while somebody reads or reaches for one. */
export class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  #next = 1;
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing on screen depends on it
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  /** Shows a message and returns its id. The same message twice is shown once. */
  show(tone: Toast["tone"], message: string, extra: { hint?: string; action?: Toast["action"] } = {}): number {
    const same = this.list.find((t) => t.message === message && t.tone === tone);
    if (same) this.dismiss(same.id);
    const toast: Toast = { id: this.#next++, tone, message, hint: extra.hint ?? "", action: extra.action ?? null };
    this.list = [...this.list, toast].slice(-limit);
    this.#arm(toast);
    return toast.id;
  }

  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.list = this.list.filter((t) => t.id !== id);
  }

  hold(on: boolean): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    if (!on) for (const toast of this.list) this.#arm(toast);
  }

  #arm(toast: Toast): void {
    if (toast.tone === "error") return;
    this.#timers.set(
      toast.id,
      setTimeout(() => {
        this.dismiss(toast.id);
      }, lifetime),
    );
  }
}
