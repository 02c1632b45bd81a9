/** How long ago an instant was; it grows while one looks. */
import { useSyncExternalStore } from "react";
import { ago, moment } from "../format/times";

const EVERY = 15_000;

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const told of listeners) told();
  }, EVERY);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

export function Ago({ instant, zone }: { instant: string; zone: string }) {
  const time = useSyncExternalStore(subscribe, () => now);
  // What came in since the last tick is not of the future.
  return <span title={moment(instant, zone)}>{ago(instant, Math.max(time, new Date(instant).getTime()))}</span>;
}
