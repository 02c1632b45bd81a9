/** The token of this tab. It is kept in memory and in the session storage of the tab, never in an address. */
import { useSyncExternalStore } from "react";

const KEY = "chartwell.token";

export type Session =
  /** `number` tells answers to this token from those to one before. */
  | { state: "open"; token: string; number: number }
  /** There is no token yet, the one there was has expired, or it was refused: `why` is what the server said. */
  | { state: "missing" | "expired" | "refused"; why?: string | undefined; number: number };

function stored(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    // Storage may be forbidden; memory is left.
    return null;
  }
}

function store(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {
    // As above.
  }
}

/** The token that the demo puts into its page; it is taken out of it. */
function takeGiven(): string | null {
  const place = document.querySelector<HTMLMetaElement>('meta[name="chartwell-token"]');
  place?.remove();
  return place?.content || null;
}

const listeners = new Set<() => void>();
let given: string | null = null;
let session: Session = { state: "missing", number: 0 };

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

/** Takes up the token that was pasted before, or else the one that is given. */
export function begin(): void {
  given = takeGiven();
  const token = stored() ?? given;
  if (token) use(token);
}

/** Works with this token from now on. */
export function use(token: string): void {
  store(token);
  become({ state: "open", token, number: session.number + 1 });
}

/** The token is not good any more. */
export function end(state: "missing" | "expired" | "refused", why?: string): void {
  if (session.state !== "open") return;
  const before = token();
  store(null);
  if (given && given !== before) use(given);
  else become({ state, why, number: session.number });
}

export function token(): string | null {
  return session.state === "open" ? session.token : null;
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}
