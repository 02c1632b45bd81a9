/** The token of this tab. It is kept in memory and in the session storage of the tab, never in an address. */
import { useSyncExternalStore } from "react";

const KEY = "chartwell.token";

export type Session =
  | { state: "open"; token: string }
  /** There is no token yet, the one there was has expired, or it was refused: `why` is what the server said. */
  | { state: "missing" | "expired" | "refused"; why?: string };

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
function given(): string | null {
  const place = document.querySelector<HTMLMetaElement>('meta[name="chartwell-token"]');
  place?.remove();
  return place?.content || null;
}

const listeners = new Set<() => void>();
let session: Session = { state: "missing" };

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

/** Takes up the token that is given or stored. */
export function begin(): void {
  const token = given() ?? stored();
  if (token) use(token);
}

/** Works with this token from now on. */
export function use(token: string): void {
  store(token);
  become({ state: "open", token });
}

/** Works with none any more. */
export function end(state: "missing" | "expired" | "refused", why?: string): void {
  store(null);
  become({ state, why });
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
