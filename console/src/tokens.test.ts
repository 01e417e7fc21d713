// Keeps the palette honest: contrast, and distance under normal and colour-blind sight.
import { describe, expect, it } from "vitest";

import css from "./tokens.css?raw";

type Rgb = [number, number, number];

const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");
const SCHEMES: [string, Map<string, string>][] = [
  ["light", read(light)],
  ["dark", read(dark)],
];
const STATUS = ["ok", "warn", "bad", "wait", "none"];
const SERIES = ["series-1", "series-2", "series-3", "series-4", "series-5"];

function read(text: string): Map<string, string> {
  return new Map([...text.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name = "", value = ""]) => [name, value]));
}

function linear(hex: string): Rgb {
  return [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
}

function luminance(hex: string): number {
  const [red, green, blue] = linear(hex);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG 2.2's contrast ratio. */
function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

// Machado, Oliveira and Fernandes (2009), IEEE TVCG 15(6), severity 1.0.
const SIGHTS: Record<string, number[][]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** Ottosson's OKLab (2020) of a linear colour as a sight sees it. */
function oklab(rgb: Rgb, sight: number[][]): Rgb {
  const [red, green, blue] = sight.map((row) =>
    Math.min(1, Math.max(0, row.reduce((sum, each, at) => sum + each * (rgb[at] ?? 0), 0))),
  ) as Rgb;
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function closest(colours: string[]): number {
  let least = Infinity;
  for (const sight of Object.values(SIGHTS))
    colours.forEach((one, at) =>
      colours.slice(at + 1).forEach((other) => {
        const [a, b] = [oklab(linear(one), sight), oklab(linear(other), sight)];
        least = Math.min(least, Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) * 100);
      }),
    );
  return least;
}

describe.each(SCHEMES)("the %s palette", (name, colours) => {
  const of = (role: string): string => {
    const found = colours.get(role);
    if (!found) throw new Error(`${name} has no ${role}`);
    return found;
  };

  it("has text that can be read on everything it stands on", () => {
    for (const ground of ["background", "panel", "sunken"]) {
      expect(contrast(of("text"), of(ground))).toBeGreaterThanOrEqual(7);
      expect(contrast(of("muted"), of(ground))).toBeGreaterThanOrEqual(4.5);
      expect(contrast(of("accent"), of(ground))).toBeGreaterThanOrEqual(4.5);
    }
    expect(contrast(of("on-accent"), of("accent"))).toBeGreaterThanOrEqual(4.5);
  });

  it("has states and series that stand out from a panel", () => {
    for (const role of STATUS) expect(contrast(of(role), of("panel"))).toBeGreaterThanOrEqual(4.5);
    for (const role of SERIES) expect(contrast(of(role), of("panel"))).toBeGreaterThanOrEqual(3);
    for (const role of ["baseline", "canary"]) expect(contrast(of(role), of("panel"))).toBeGreaterThanOrEqual(3);
  });

  it("has no two states, series or arms that anybody could take for each other", () => {
    expect(closest(STATUS.map(of))).toBeGreaterThanOrEqual(9);
    expect(closest(SERIES.map(of))).toBeGreaterThanOrEqual(12);
    expect(closest([of("baseline"), of("canary")])).toBeGreaterThanOrEqual(13);
  });
});
