// A request's ladder in one row of a list: segments on the way to the deadline.
import { useId } from "react";

import { Hatch } from "./Hatch";
import { type RequestRow, axisEndMs, barsOf } from "./ladder";
import { rungLook } from "./rungs";

const WIDTH = 180;

export function AttemptStrip({ request }: { request: RequestRow }) {
  const id = useId();
  const end = axisEndMs(request);
  const at = (ms: number): number => (ms / end) * WIDTH;
  const bars = barsOf(request).filter((bar) => !bar.isGhost);
  const said = bars.map((bar) => `${bar.label} ${bar.outcome}`).join(", then ") || "no rung was asked";
  const deadline = request.budget_us / 1000;
  return (
    <svg className="strip" viewBox={`0 0 ${WIDTH} 16`} width={WIDTH} height={16} role="img" aria-label={said}>
      <title>{said}</title>
      <Hatch id={id} />
      <line x1={0} x2={WIDTH} y1={8} y2={8} stroke="var(--line)" />
      {bars.map((bar, place) => {
        const width = Math.max(3, at(bar.endMs - bar.startMs) - 1);
        const { colour, hatch } = rungLook(bar.rung);
        return (
          <g key={place}>
            <rect x={at(bar.startMs)} y={3} width={width} height={10} fill={bar.isGood ? colour : "var(--bad)"} rx={1} />
            {(!bar.isGood || hatch) && <rect x={at(bar.startMs)} y={3} width={width} height={10} fill={`url(#${id})`} />}
          </g>
        );
      })}
      {deadline > 0 && deadline <= end && (
        <line x1={at(deadline)} x2={at(deadline)} y1={0} y2={16} stroke="var(--text)" strokeWidth={1.5} />
      )}
    </svg>
  );
}
