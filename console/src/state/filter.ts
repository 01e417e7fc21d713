// The filter of requests: one line of text, `route:support rung:cache`, and the same as parameters. Pure.

export const FIELDS = ["route", "rung", "outcome", "provider", "status", "tenant", "wire"] as const;
export type Field = (typeof FIELDS)[number];
export type Filter = Partial<Record<Field, string>>;

export interface Parsed {
  filter: Filter;
  problem: string;
}

/** Read a line; a word that is no `field:value` is a problem and filters nothing. */
export function parsed(text: string): Parsed {
  const filter: Filter = {};
  let problem = "";
  for (const word of text.trim().split(/\s+/).filter(Boolean)) {
    const [name = "", ...rest] = word.split(":");
    const value = rest.join(":");
    if (!(FIELDS as readonly string[]).includes(name) || !value)
      problem ||= `“${word}” is no filter; write ${FIELDS.map((field) => `${field}:…`).join(" ")}`;
    else filter[name as Field] = value;
  }
  return { filter, problem };
}

export function line(filter: Filter): string {
  return FIELDS.filter((field) => filter[field])
    .map((field) => `${field}:${filter[field] ?? ""}`)
    .join(" ");
}

export function fromAddress(parameters: URLSearchParams): Filter {
  const filter: Filter = {};
  for (const field of FIELDS) {
    const value = parameters.get(field);
    if (value) filter[field] = value;
  }
  return filter;
}
