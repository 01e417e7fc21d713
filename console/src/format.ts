// Numbers and moments as people read them, one way each. Nothing is ever "0" for want of an observation.

export const NOTHING = "–";

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  if (value >= 100) return `${value.toFixed(0)} ms`;
  return `${value.toFixed(value >= 10 ? 0 : 1)} ms`;
}

export function percent(ratio: number | null | undefined, digits = 1): string {
  if (ratio === null || ratio === undefined) return NOTHING;
  const value = ratio * 100;
  // What is not all must not be rounded to all, nor something to nothing.
  if (value < 100 && value > 100 - 0.5 * 10 ** -digits) return `${floored(value, digits + 1)} %`;
  if (value > 0 && value < 0.5 * 10 ** -digits) return `< ${(10 ** -digits).toFixed(digits)} %`;
  return `${value.toFixed(value === 100 || value === 0 ? 0 : digits)} %`;
}

function floored(value: number, digits: number): string {
  const scale = 10 ** digits;
  return (Math.floor(value * scale) / scale).toFixed(digits);
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

export function clock(us: number): string {
  return new Date(us / 1000).toISOString().slice(11, 23);
}

export function moment(us: number): string {
  return `${new Date(us / 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

export function ago(us: number, nowMs: number): string {
  const seconds = Math.max(0, nowMs / 1000 - us / 1e6);
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

/** An e-value or another number of many sizes, to three figures. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  if (value >= 1e6) return value.toExponential(1).replace("e+", "e");
  if (value >= 100) return count(Math.round(value));
  return value.toPrecision(3).replace(/\.?0+$/, "");
}

/** Text of somebody else: without what would turn or break a line of ours. */
export function plain(text: string): string {
  // eslint-disable-next-line no-control-regex -- that is what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, "\ufffd");
}
