// What a request's attempts come to on a time axis. Pure.
import type { Schemas } from "../api/client";
import { milliseconds } from "../format";

export type Attempt = Schemas["AttemptView"];
export type RequestRow = Schemas["RequestView"];

export interface Bar {
  label: string;
  /** Kind of its rung. */
  rung: string;
  startMs: number;
  endMs: number;
  isGood: boolean;
  /** Planned around: it was never asked. */
  isGhost: boolean;
  outcome: string;
}

const OVERTAKEN = new Set(["overtaken", "client_gone"]);

export function whoOf(attempt: Pick<Attempt, "rung" | "provider" | "model" | "region">): string {
  if (!attempt.provider) return attempt.rung;
  return `${attempt.provider}/${attempt.model}${attempt.region ? ` (${attempt.region})` : ""}`;
}

/** Return one bar for each attempt, in order, and one for the rung that spoke if that asked nobody. */
export function barsOf(request: Laddered): Bar[] {
  const bars: Bar[] = request.attempts.map((attempt) => ({
    label: whoOf(attempt),
    rung: attempt.rung,
    startMs: attempt.started_us / 1000,
    endMs: Math.max(attempt.ended_us, attempt.started_us) / 1000,
    isGood: attempt.reason === "ok",
    isGhost: request.has_decision && !attempt.role && attempt.provider !== "",
    outcome: attempt.reason,
  }));
  if (request.rung && !bars.some((bar) => bar.isGood && !bar.isGhost)) {
    const startMs = Math.max(0, ...bars.map((bar) => bar.endMs));
    const endMs = Math.max(startMs, request.total_us / 1000);
    bars.push({ label: request.rung, rung: request.rung, startMs, endMs, isGood: true, isGhost: false, outcome: "spoke" });
  }
  return bars;
}

type Laddered = Pick<RequestRow, "attempts" | "has_decision" | "rung" | "total_us">;

/** Return the end of the axis: the deadline or the end, whichever is later, with some room. */
export function axisEndMs(request: Timed): number {
  return Math.max(latestMs(request), request.budget_us / 1000) * 1.04;
}

/** The same for a look at one request: a deadline that is far away is left out, so that all else is seen. */
export function closeEndMs(request: Timed): number {
  const latest = latestMs(request);
  return request.budget_us / 1000 > latest * FAR ? latest * 1.04 : axisEndMs(request);
}

const FAR = 12;
type Timed = Pick<RequestRow, "attempts" | "budget_us" | "total_us">;

function latestMs(request: Timed): number {
  return Math.max(request.total_us / 1000, ...request.attempts.map((attempt) => attempt.ended_us / 1000), 0.1);
}

/** Return round places for ticks between 0 and `end`. */
export function ticks(end: number, most = 6): number[] {
  const rough = end / most;
  const scale = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((each) => each * scale >= rough) ?? 10) * scale;
  const found: number[] = [];
  for (let at = 0; at <= end; at += step) found.push(at);
  return found;
}

/** Say who answered: a cached answer names the model that gave it, and did not ask it again. */
function speakerOf(request: RequestRow): string {
  const model = request.provider ? `${request.provider}/${request.model}` : "";
  if (request.rung === "cache") return `the cache${model && `, as ${model} did ${milliseconds(request.age_ms)} before`}`;
  if (request.rung === "knowledge") return "a curated answer";
  return model || request.rung;
}

/** Say how a request went, in one sentence. */
export function sentenceOf(request: RequestRow): string {
  const took = Math.round(request.total_us / 1000);
  const budget = Math.round(request.budget_us / 1000);
  const within = budget
    ? request.in_time
      ? ` within its ${budget} ms`
      : `, past its ${budget} ms`
    : "";
  const first = request.stream && request.first_content_us ? `, first content after ${Math.round(request.first_content_us / 1000)} ms` : "";
  const asked = request.attempts.filter((attempt) => attempt.role || !request.has_decision);
  const failed = asked.filter((attempt) => attempt.reason !== "ok" && !OVERTAKEN.has(attempt.reason));
  const why = failed.length
    ? ` ${failed.map((attempt) => `${whoOf(attempt)} said ${attempt.reason} at ${Math.round(attempt.ended_us / 1000)} ms`).join("; ")}.`
    : "";
  switch (request.outcome) {
    case "answered":
      return `Answered in ${took} ms${within}${first} by ${speakerOf(request)}.${why}`;
    case "floor":
      return `The floor (${request.rung}) answered in ${took} ms${within}.${why}`;
    case "rejected":
      return `Refused with status ${request.status}: ${request.reason}.`;
    case "truncated":
      return `The answer was cut after ${took} ms, and said so: ${request.reason}.${why}`;
    case "client_gone":
      return `The client left after ${took} ms.${why}`;
    case "interrupted":
      return "The gateway process died before the answer was whole.";
    default:
      return `Failed with status ${request.status} after ${took} ms: ${request.reason}.${why}`;
  }
}
