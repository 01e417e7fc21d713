// What both programs share: whom to ask what, and how to say what came of it. As speaking.py does for Python.

import { readFileSync, rmSync, writeFileSync } from "node:fs";

export const BASE_URL = process.env.STEADYHAND_URL;
export const KEY = process.env.STEADYHAND_KEY;
export const WRONG_KEY = "sk-wrong-0000000000";
const WORD = process.env.STEADYHAND_WORD;
export const ASK = `How warm is it in ${WORD}?`;
export const FACT = "31 degrees";

export const STEADY = "up/steady";
export const ROUTE = "answers";
export const FLOORED = "floored";
// Calls every tool that it is offered, at once.
export const PARALLEL = "up/steady:parallel=1";
// Ends the names of models that fail: whoever shared one would find its breaker open.
const OWN = `period_s=${WORD.replace(/[^0-9]/g, "")}`;
export const CUT = `up/cut-mid-word:${OWN}`;
export const CUT_CALL = `up/cut-mid-tool-call:${OWN}`;

// Simulated models whose streams are odd but whole.
const ODD_STREAMS = [
  ...["usage-on-last-choice", "usage-every-chunk", "choices-null-usage", "crlf", "comments"],
  ...["no-space", "multi-line-data", "fragments", "unicode-separators", "reasoning"],
];
const GUIDE = new URL("../../../../docs/guides/clients.md", import.meta.url);

// What a caller can know of an error: its type, and what hangs on it and its causes.
export function raised(error) {
  const found = { types: [], text: String(error.message) };
  for (let type = error.constructor; type?.name; type = Object.getPrototypeOf(type)) found.types.push(type.name);
  for (let link = error; link instanceof Error; link = link.cause ?? link.lastError) {
    found.status_code ??= link.status ?? link.statusCode;
    found.code ??= link.code ?? link.data?.error?.code;
    found.retry_after ??= link.headers?.get?.("retry-after") ?? link.responseHeaders?.["retry-after"];
  }
  return found;
}

export async function caught(call) {
  try {
    return { types: [], answer: await call() };
  } catch (error) {
    return raised(error);
  }
}

// The scenarios that only need ask(model, {key, maxRetries}).
export const asking = (ask) => ({
  floor: () => ask(FLOORED),
  wrong_key: () => caught(() => ask(STEADY, { key: WRONG_KEY })),
  unknown_model: () => caught(() => ask("nowhere")),
  refused: () => caught(() => ask("up/context-length")),
  rate_limit: () => caught(() => ask(`up/rate-limit:retry_after_s=3,${OWN}`)),
  retries: () => caught(() => ask(`up/rate-limit:retry_after_s=0.2,${OWN}`, { maxRetries: 1 })),
  no_answer: () => caught(() => ask(`up/error-500:${OWN}`)),
});

// The scenarios that only need read(model), which reads a stream to its end.
export const reading = (read) => ({
  floor_streamed: () => read(FLOORED),
  async odd_streams() {
    const found = {};
    for (const name of ODD_STREAMS) found[name] = await read(`up/${name}`);
    return found;
  },
  cut: () => caught(() => read(CUT)),
});

export async function collect(chunks) {
  const found = [];
  for await (const chunk of chunks) found.push(chunk);
  return found;
}

export function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// Runs what the guide prints under a title, at this gateway's address, and returns its words. The file stands
// among the modules, where imports find them.
async function page(title) {
  const guide = readFileSync(GUIDE, "utf8").split(`\n## ${title}\n`)[1];
  const block = guide.match(/^```js\n(.*?)^```$/ms)[1];
  const text = block.replace("http://127.0.0.1:8080/v1", BASE_URL).replaceAll('support"', 'answers"');
  const file = new URL(`./node_modules/.page-${process.pid}.mjs`, import.meta.url);
  writeFileSync(file, text);
  const printed = [];
  const log = console.log;
  console.log = (...words) => printed.push(...words);
  try {
    await import(file);
  } finally {
    console.log = log;
    rmSync(file);
  }
  return { printed: printed.join("\n") };
}

// Runs the scenarios and the guide's lines, and prints what each found or how it broke.
export async function main(title, name, scenarios) {
  const about = new URL(`./node_modules/${name}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(about, "utf8"));
  say({ scenario: "version", found: { package: name, version } });
  for (const [scenario, run] of Object.entries({ page: () => page(title), ...scenarios })) {
    const began = performance.now();
    const line = { scenario };
    try {
      line.found = await run();
    } catch (error) {
      line.broke = error.stack ?? String(error);
    }
    line.took_s = Math.round(performance.now() - began) / 1000;
    say(line);
  }
}
