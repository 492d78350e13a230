// Up to where a client has been shown each of its logs. Pure.

/** Log name (a room, or `state`) to [epoch, seq] of the last entry that was shown. */
export type Position = Readonly<Record<string, readonly [epoch: number, seq: number]>>;

/** The place of one notification in its room. */
export interface Place {
  readonly room: string;
  readonly epoch: number;
  readonly seq: number;
}

/** The position in a payload: one entry of a room as `{room, epoch, seq}`, or `{log: [epoch, seq], …}`; null without. */
export function positionIn(payload: unknown): Position | null {
  const at = isObject(payload) ? payload.position : undefined;
  if (!isObject(at)) return null;
  if (isPlace(at)) return { [at.room]: [at.epoch, at.seq] };
  return Object.values(at).every(isHead) ? (at as Position) : null;
}

/** Whether everything that `step` names has been shown at `position`. */
export function isShown(position: Position, step: Position): boolean {
  return Object.entries(step).every(([log, [epoch, seq]]) => {
    const at = position[log];
    return at !== undefined && at[0] === epoch && seq <= at[1];
  });
}

/** `step` laid over `position`. */
export function moved(position: Position, step: Position): Position {
  return { ...position, ...step };
}

/**
 * The position when a session stands and says where its logs go on.
 *
 * Logs that are new begin there, and those that the reader has left are forgotten. Where both know a log ours stays:
 * if the server cannot go on from it, `resync` follows, and what it says counts only once it has come. Who has no
 * position at all has none until then, so that a connection that breaks before `resync` leaves no gap.
 */
export function begun(position: Position, ready: Position): Position {
  if (isEmpty(position)) return position;
  return Object.fromEntries(Object.entries(ready).map(([log, head]) => [log, position[log] ?? head]));
}

/** Whether there is nothing in it. */
export function isEmpty(position: Position): boolean {
  return Object.keys(position).length === 0;
}

/** A position from JSON text; empty when the text is none. */
export function parsed(text: string | null): Position {
  try {
    return positionIn({ position: JSON.parse(text ?? "{}") as unknown }) ?? {};
  } catch {
    return {};
  }
}

/** Whether a value is an object with members, not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is the place of a notification. */
export function isPlace(at: unknown): at is Place {
  return isObject(at) && typeof at.room === "string" && isHead([at.epoch, at.seq]);
}

function isHead(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isSafeInteger);
}
