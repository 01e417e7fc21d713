// Which rungs spoke: one bar, and the same as words with counts, which is what is read.
import { useId } from "react";

import { count, percent } from "../format";
import { Hatch } from "./Hatch";
import { inLadderOrder, rungLook } from "./rungs";

export function RungBar({ rungs }: { rungs: Record<string, number> }) {
  const id = useId();
  const whole = Object.values(rungs).reduce((sum, each) => sum + each, 0);
  const kinds = inLadderOrder(Object.keys(rungs));
  let left = 0;
  return (
    <div className="rungs">
      <svg viewBox="0 0 400 14" preserveAspectRatio="none" width="100%" height="14" aria-hidden="true">
        <Hatch id={id} />
        {kinds.map((kind) => {
          const { colour, hatch } = rungLook(kind);
          const width = whole ? ((rungs[kind] ?? 0) / whole) * 400 : 0;
          const at = left;
          left += width;
          return (
            <g key={kind}>
              <rect x={at} width={width} height={14} fill={colour} />
              {hatch && <rect x={at} width={width} height={14} fill={`url(#${id})`} />}
            </g>
          );
        })}
      </svg>
      <ul className="legend">
        {kinds.map((kind) => (
          <li key={kind}>
            <svg width="12" height="12" aria-hidden="true">
              <rect width="12" height="12" fill={rungLook(kind).colour} />
              {rungLook(kind).hatch && <rect width="12" height="12" fill={`url(#${id})`} />}
            </svg>
            {rungLook(kind).word}
            {kind && rungLook(kind).word !== kind ? ` (${kind})` : ""}
            <span className="number">
              {count(rungs[kind] ?? 0)} · {percent((rungs[kind] ?? 0) / whole, 1)}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
