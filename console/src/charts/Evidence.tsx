// The e-values of a rollout over time on a log axis, with the thresholds that decide.
import { clock, figure } from "../format";
import type { Schemas } from "../api/client";

const WIDTH = 820;
const HEIGHT = 260;
const LEFT = 56;
const RIGHT = 130;
const TOP = 14;
const BOTTOM = 28;

type Point = Schemas["LookPointView"];

export function Evidence({ path }: { path: Schemas["LookList"] }) {
  const points = path.items;
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return null;
  const promotesAt = path.promotes_at ?? 20;
  const rollsBackAt = path.rolls_back_at ?? 100;
  const values = points.flatMap((point) => [point.against, point.for_candidate ?? 1]);
  const high = Math.max(3, Math.ceil(log(Math.max(rollsBackAt * 3, Math.min(1e12, ...[Math.max(...values)])))));
  const low = Math.min(-2, Math.floor(log(Math.max(1e-6, Math.min(...values)))));
  const x = (us: number): number =>
    LEFT + (last.at_us === first.at_us ? 1 : (us - first.at_us) / (last.at_us - first.at_us)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number =>
    TOP + ((high - clamp(log(value), low, high)) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const line = (of: (point: Point) => number | null): string =>
    points
      .map((point) => ({ at: point.at_us, value: of(point) }))
      .filter((point): point is { at: number; value: number } => point.value !== null)
      .map((point, place) => `${place ? "L" : "M"}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`)
      .join("");
  const decades = Array.from({ length: high - low + 1 }, (_, place) => low + place).filter(
    (power) => high - low < 9 || power % 2 === 0,
  );
  const said =
    `Evidence against the candidate is ${figure(last.against)}, it is taken back at ${figure(rollsBackAt)}; ` +
    `for it ${figure(last.for_candidate)}, it goes on at ${figure(promotesAt)}.`;
  return (
    <figure className="evidence">
      <div className="scroll" tabIndex={0} role="region" aria-label="evidence over time">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={said}>
          {decades.map((power) => (
            <g key={power}>
              <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(10 ** power)} y2={y(10 ** power)} stroke="var(--line)" />
              <text x={LEFT - 8} y={y(10 ** power) + 4} textAnchor="end" className="axis">
                {power === 0 ? "1" : power < 0 ? (10 ** power).toString() : figure(10 ** power)}
              </text>
            </g>
          ))}
          <Threshold at={y(rollsBackAt)} word={`taken back ${figure(rollsBackAt)}`} colour="var(--bad)" dash="" />
          <Threshold at={y(promotesAt)} word={`goes on ${figure(promotesAt)}`} colour="var(--ok)" dash="6 4" />
          <path d={line((point) => point.against)} fill="none" stroke="var(--canary)" strokeWidth={2} />
          <path
            d={line((point) => point.for_candidate)}
            fill="none"
            stroke="var(--baseline)"
            strokeWidth={2}
            strokeDasharray="5 3"
          />
          <text x={LEFT} y={HEIGHT - 8} className="axis">
            {clock(first.at_us).slice(0, 8)}
          </text>
          <text x={WIDTH - RIGHT} y={HEIGHT - 8} textAnchor="end" className="axis">
            {clock(last.at_us).slice(0, 8)} UTC
          </text>
        </svg>
      </div>
      <figcaption>
        <span className="key solid" aria-hidden="true" /> that it is worse: <b>{figure(last.against)}</b>
        <span className="key dashed" aria-hidden="true" /> that it is no worse: <b>{figure(last.for_candidate)}</b>
        <span className="muted"> E-values: you may look at any time. {path.looks} looks.</span>
      </figcaption>
    </figure>
  );
}

function Threshold({ at, word, colour, dash }: { at: number; word: string; colour: string; dash: string }) {
  return (
    <g>
      <line x1={LEFT} x2={WIDTH - RIGHT} y1={at} y2={at} stroke={colour} strokeWidth={1.5} strokeDasharray={dash} />
      <text x={WIDTH - RIGHT + 6} y={at + 4} className="axis strong">
        {word}
      </text>
    </g>
  );
}

function log(value: number): number {
  return Math.log10(Math.max(value, 1e-12));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
