// The ladder of one request on a time axis, with the deadline as a wall, and the same as a table.
import { useId } from "react";

import { milliseconds, plain } from "../format";
import { Hatch } from "./Hatch";
import { type RequestRow, barsOf, closeEndMs, ticks } from "./ladder";
import { rungLook } from "./rungs";

const LEFT = 190;
const PLOT = 430;
const RIGHT = 220;
const ROW = 26;
const TOP = 26;

export interface Skipped {
  who: string;
  meaning: string;
}

export function Waterfall({ request, skipped }: { request: RequestRow; skipped: readonly Skipped[] }) {
  const id = useId();
  const bars = barsOf(request).filter((bar) => !bar.isGhost);
  const end = closeEndMs(request);
  const x = (ms: number): number => LEFT + (ms / end) * PLOT;
  const rows = bars.length + skipped.length;
  const bottom = TOP + rows * ROW;
  const deadlineMs = request.budget_us / 1000;
  const firstMs = request.stream ? request.first_content_us / 1000 : 0;
  return (
    <div className="waterfall">
      <svg
        viewBox={`0 0 ${LEFT + PLOT + RIGHT} ${bottom + 24}`}
        role="img"
        aria-label={`${bars.length} attempts and ${skipped.length} rungs planned around; a table follows`}
      >
        <Hatch id={id} />
        {ticks(end).map((tick) => (
          <g key={tick}>
            <line x1={x(tick)} x2={x(tick)} y1={TOP} y2={bottom} stroke="var(--line)" />
            <text x={x(tick)} y={bottom + 16} textAnchor="middle" className="axis">
              {milliseconds(tick)}
            </text>
          </g>
        ))}
        {bars.map((bar, place) => {
          const y = TOP + place * ROW;
          const width = Math.max(2, x(bar.endMs) - x(bar.startMs));
          return (
            <g key={place}>
              <text x={0} y={y + 17} className="label">
                {short(bar.label, 26)}
              </text>
              <rect
                x={x(bar.startMs)}
                y={y + 5}
                width={width}
                height={ROW - 11}
                fill={bar.isGood ? rungLook(bar.rung).colour : "var(--bad)"}
                rx={2}
              />
              {(!bar.isGood || rungLook(bar.rung).hatch) && <rect x={x(bar.startMs)} y={y + 5} width={width} height={ROW - 11} fill={`url(#${id})`} />}
              <text x={LEFT + PLOT + 12} y={y + 17} className="label">
                {bar.isGood ? "✓" : "✕"} {short(bar.outcome, 18)} · {milliseconds(bar.endMs - bar.startMs)}
              </text>
            </g>
          );
        })}
        {skipped.map((one, place) => {
          const y = TOP + (bars.length + place) * ROW;
          return (
            <g key={`skipped-${place}`}>
              <text x={0} y={y + 17} className="label ghost">
                {short(one.who, 26)}
              </text>
              <line x1={LEFT} x2={LEFT + PLOT} y1={y + 13} y2={y + 13} stroke="var(--muted)" strokeDasharray="2 5" />
              <text x={LEFT + PLOT + 12} y={y + 17} className="label ghost">
                – {short(one.meaning, 30)}
              </text>
            </g>
          );
        })}
        {firstMs > 0 && (
          <g>
            <line x1={x(firstMs)} x2={x(firstMs)} y1={TOP} y2={bottom} stroke="var(--ok)" strokeDasharray="4 3" />
            <text x={x(firstMs) + 4} y={TOP - 2} className="axis">
              first content
            </text>
          </g>
        )}
        {deadlineMs > 0 && deadlineMs <= end && (
          <g>
            <line x1={x(deadlineMs)} x2={x(deadlineMs)} y1={TOP - 4} y2={bottom} stroke="var(--text)" strokeWidth={2} />
            <text x={x(deadlineMs) - 4} y={12} textAnchor="end" className="axis strong">
              deadline {milliseconds(deadlineMs)}
            </text>
          </g>
        )}
      </svg>
      {deadlineMs > end && (
        <p className="muted">The deadline, {milliseconds(deadlineMs)}, lies far to the right of this axis.</p>
      )}
      <details>
        <summary>The same as a table</summary>
        <div className="scroll" tabIndex={0} role="region" aria-label="attempts">
          <table className="dense">
            <thead>
              <tr>
                <th>rung</th>
                <th className="number">begun</th>
                <th className="number">ended</th>
                <th>outcome</th>
              </tr>
            </thead>
            <tbody>
              {bars.map((bar, place) => (
                <tr key={place}>
                  <td>{plain(bar.label)}</td>
                  <td className="number">{milliseconds(bar.startMs)}</td>
                  <td className="number">{milliseconds(bar.endMs)}</td>
                  <td>{plain(bar.outcome)}</td>
                </tr>
              ))}
              {skipped.map((one, place) => (
                <tr key={`skipped-${place}`}>
                  <td>{plain(one.who)}</td>
                  <td className="number">–</td>
                  <td className="number">–</td>
                  <td>{plain(one.meaning)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  );
}

function short(text: string, most: number): string {
  const clean = plain(text);
  return clean.length > most ? `${clean.slice(0, most - 1)}…` : clean;
}
