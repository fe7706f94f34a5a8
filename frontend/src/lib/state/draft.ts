/**
 * Values being typed, written a moment after the last keystroke, or at once by flush (on blur, on Enter, when the field
 * goes away, when the window is hidden). One draft a field: two fields never wait for each other.
 */
export class Draft<T> {
  #value: T | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly write: (value: T) => void,
    private readonly delay = 500,
  ) {}

  /** Whether something waits to be written. */
  get dirty(): boolean {
    return this.#timer !== undefined;
  }

  set(value: T): void {
    clearTimeout(this.#timer);
    this.#value = value;
    this.#timer = setTimeout(() => {
      this.flush();
    }, this.delay);
  }

  flush(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const value = this.#value as T;
    this.#value = undefined;
    this.write(value);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#value = undefined;
  }
}
