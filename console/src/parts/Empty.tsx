// Why there is nothing to see: four reasons that must not look like one another, nor like zero.
import { Button } from "@mantine/core";

import type { ApiError } from "../api/client";
import { ago } from "../format";

export function NothingYet({ children, command }: { children: React.ReactNode; command?: string }) {
  return (
    <div className="empty" data-empty="nothing-yet">
      <p>{children}</p>
      {command && <Command text={command} />}
    </div>
  );
}

export function NothingMatches({ what, onClear }: { what: string; onClear: () => void }) {
  return (
    <div className="empty" data-empty="nothing-matches">
      <p>No {what} match this filter.</p>
      <Button size="xs" variant="default" onClick={onClear}>
        Clear the filter
      </Button>
    </div>
  );
}

export function NotMeasured({ children, command }: { children: React.ReactNode; command?: string }) {
  return (
    <div className="empty" data-empty="not-measured">
      <p>Not measured: {children}</p>
      {command && <Command text={command} />}
    </div>
  );
}

export function SourceDown({ error, onAgain }: { error: ApiError; onAgain: () => void }) {
  return (
    <div className="empty" data-empty="source-down" role="status">
      <p>
        <span aria-hidden="true">✕ </span>
        {error.isUnreachable ? "The control plane does not answer." : error.message}
      </p>
      {error.hint && <p className="muted">{error.hint}</p>}
      {error.requestId && <p className="muted">request {error.requestId}</p>}
      <Button size="xs" variant="default" onClick={onAgain}>
        Ask again
      </Button>
    </div>
  );
}

/** Says that what is shown is not of now. */
export function Stale({ error, atMs, nowMs }: { error: ApiError; atMs: number; nowMs: number }) {
  return (
    <p className="stale" role="status">
      <span aria-hidden="true">▲ </span>
      {error.isUnreachable ? "No answer" : error.message}; shown is what was known {ago(atMs * 1000, nowMs)}.
    </p>
  );
}

function Command({ text }: { text: string }) {
  return (
    <pre className="command" tabIndex={0}>
      <code>{text}</code>
    </pre>
  );
}
