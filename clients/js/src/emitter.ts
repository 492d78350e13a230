// Listeners by event name.

type Listener<Arguments extends unknown[]> = (...given: Arguments) => void;

/** `Events` maps names to the arguments that listeners are given. */
export class Emitter<Events extends { [Name in keyof Events]: unknown[] }> {
  readonly #listeners: { [Name in keyof Events]?: Set<Listener<Events[Name]>> } = {};

  /** Calls the listener from now on; the returned function takes it out again. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const those = (this.#listeners[name] ??= new Set());
    those.add(listener);
    return () => void those.delete(listener);
  }

  /** Calls every listener; one that throws keeps neither the others nor the caller from going on. */
  protected tell<Name extends keyof Events>(name: Name, ...given: Events[Name]): void {
    for (const listener of [...(this.#listeners[name] ?? [])]) {
      try {
        listener(...given);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
