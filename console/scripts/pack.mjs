// After a build: every file also as gzip and brotli, and the sizes held against their budgets.
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = new URL("../../src/steadyhand/console/static/", import.meta.url).pathname;
const FIRST_KB = 230; // what the first page needs, gzip
const OTHER_KB = 60; // what any other page adds
const ALL_KB = 800; // every shipped file as it is

const files = [];
const walk = (at) => {
  for (const name of readdirSync(at)) {
    const path = join(at, name);
    if (statSync(path).isDirectory()) walk(path);
    else files.push(path);
  }
};
walk(folder);

const size = new Map();
let whole = 0;
for (const path of files) {
  const bytes = readFileSync(path);
  const packed = gzipSync(bytes, { level: 9 });
  whole += bytes.length;
  size.set(path.slice(folder.length), packed.length);
  writeFileSync(`${path}.gz`, packed);
  writeFileSync(
    `${path}.br`,
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  );
}

const kb = (bytes) => Math.round((bytes / 1024) * 10) / 10;
const kinds = [...size].filter(([name]) => /\.(js|css)$/.test(name));
const pages = ["Requests", "Rollouts", "Break", "Login"];
const isOther = (name) => pages.some((page) => name.startsWith(`assets/${page}-`));
const first = kinds.filter(([name]) => !isOther(name)).reduce((sum, [, bytes]) => sum + bytes, 0);
const problems = [];
if (kb(first) > FIRST_KB) problems.push(`the first page has ${kb(first)} KB, above ${FIRST_KB}`);
console.log(`first page ${kb(first)} KB gzip (at most ${FIRST_KB})`);
for (const page of pages) {
  const own = kinds.filter(([name]) => name.startsWith(`assets/${page}-`));
  const bytes = own.reduce((sum, [, each]) => sum + each, 0);
  console.log(`${page} adds ${kb(bytes)} KB (at most ${OTHER_KB})`);
  if (!own.length) problems.push(`${page} is no file of its own`);
  if (kb(bytes) > OTHER_KB) problems.push(`${page} adds ${kb(bytes)} KB, above ${OTHER_KB}`);
}
if (kb(whole) > ALL_KB) problems.push(`all files have ${kb(whole)} KB, above ${ALL_KB}`);
for (const [name] of size) {
  if (name.endsWith(".html") && /<script(?![^>]*\bsrc=)|<style|style="/.test(readFileSync(join(folder, name), "utf8")))
    problems.push(`${name} has an inline script or style, which its policy forbids`);
}
if (problems.length) {
  console.error(problems.join("\n"));
  process.exit(1);
}
