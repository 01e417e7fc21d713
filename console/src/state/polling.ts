// Asks again and again while the page is seen. What was answered last stays, with its age.
import { useCallback, useEffect, useRef, useState } from "react";

import { ApiError, get, type GetPath, type Got, type Query } from "../api/client";

export interface Polled<Data> {
  /** The last answer; undefined before the first. */
  data: Data | undefined;
  /** Why the newest question was not answered; undefined if it was. */
  error: ApiError | undefined;
  /** When the last answer came, milliseconds since 1970; 0 for never. */
  atMs: number;
  /** Ask now. */
  again: () => void;
}

/** Poll `path` each `everyMs` milliseconds, and at once when the question changes; 0 asks once. */
export function usePolled<Path extends GetPath>(
  path: Path,
  query: Query,
  places: Record<string, string>,
  everyMs: number,
): Polled<Got<Path>> {
  const question = JSON.stringify([path, query, places]);
  const [held, setHeld] = useState<{ question: string; data?: Got<Path>; error?: ApiError; atMs: number }>({
    question,
    atMs: 0,
  });
  const [round, setRound] = useState(0);
  const asked = useRef({ path, query, places });
  asked.current = { path, query, places };

  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    let failures = 0;
    const ask = async (): Promise<void> => {
      const { path: where, query: with_, places: at } = asked.current;
      try {
        const data = await get(where, with_, at, AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]));
        failures = 0;
        setHeld({ question, data, atMs: Date.now() });
      } catch (error) {
        if (stop.signal.aborted) return;
        failures += 1;
        const known =
          error instanceof ApiError
            ? error
            : new ApiError("unreachable", "the control plane does not answer", "is it running?");
        setHeld((before) =>
          before.question === question ? { ...before, error: known } : { question, error: known, atMs: 0 },
        );
      }
      if (everyMs && !stop.signal.aborted) {
        const waitMs = Math.min(everyMs * 2 ** Math.min(failures, 3), 10_000);
        timer = window.setTimeout(() => void whenSeen(ask, stop.signal), waitMs);
      }
    };
    void ask();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [question, everyMs, round]);

  const again = useCallback(() => setRound((before) => before + 1), []);
  const isMine = held.question === question;
  return {
    data: isMine ? held.data : undefined,
    error: isMine ? held.error : undefined,
    atMs: isMine ? held.atMs : 0,
    again,
  };
}

async function whenSeen(ask: () => Promise<void>, signal: AbortSignal): Promise<void> {
  if (document.hidden)
    await new Promise<void>((resolve) => {
      const seen = (): void => {
        if (document.hidden && !signal.aborted) return;
        document.removeEventListener("visibilitychange", seen);
        resolve();
      };
      document.addEventListener("visibilitychange", seen);
      signal.addEventListener("abort", seen);
    });
  if (!signal.aborted) await ask();
}
