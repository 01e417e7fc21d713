// How a rung is called and told apart: a pattern and a word beside each colour.
import { plain } from "../format";

export interface RungLook {
  word: string;
  colour: string;
  hatch: boolean;
}

const KNOWN: Record<string, RungLook> = {
  live: { word: "live", colour: "var(--series-1)", hatch: false },
  cache: { word: "cache", colour: "var(--series-3)", hatch: false },
  knowledge: { word: "knowledge", colour: "var(--series-5)", hatch: false },
  template: { word: "floor", colour: "var(--series-2)", hatch: true },
  schema: { word: "floor", colour: "var(--series-2)", hatch: true },
  error: { word: "error floor", colour: "var(--series-4)", hatch: true },
  "": { word: "none", colour: "var(--none)", hatch: true },
};
const ORDER = ["live", "cache", "knowledge", "template", "schema", "error", ""];

export function rungLook(kind: string): RungLook {
  return KNOWN[kind] ?? { word: plain(kind), colour: "var(--none)", hatch: false };
}

export function inLadderOrder(kinds: Iterable<string>): string[] {
  const place = (kind: string): number => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
  return [...kinds].sort((one, other) => place(one) - place(other) || one.localeCompare(other));
}
