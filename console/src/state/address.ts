// The address holds all state: where one is, which window, filter and row. No other router is needed.
import { useMemo, useSyncExternalStore } from "react";

const CHANGED = "steadyhand:address";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(CHANGED, listener);
  };
}

/** Go to an address of the console; `replace` leaves no step to go back to. */
export function go(address: string, replace = false): void {
  if (address === window.location.pathname + window.location.search) return;
  if (replace) window.history.replaceState(null, "", address);
  else window.history.pushState(null, "", address);
  window.dispatchEvent(new Event(CHANGED));
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => window.location.pathname);
}

/** Return the parameters of the address, and a function that changes some: empty ones are taken out. */
export function useParameters(): [URLSearchParams, (changes: Record<string, string>) => void] {
  const text = useSyncExternalStore(subscribe, () => window.location.search);
  const parameters = useMemo(() => new URLSearchParams(text), [text]);
  return [parameters, change];
}

function change(changes: Record<string, string>): void {
  const parameters = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") parameters.delete(name);
    else parameters.set(name, value);
  }
  const text = parameters.toString();
  go(window.location.pathname + (text ? `?${text}` : ""), true);
}
