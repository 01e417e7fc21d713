// Lines over time, by uPlot, with a sentence for who does not see it and a table for who wants numbers.
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { NOTHING, clock } from "../format";

export interface Line {
  name: string;
  colour: string;
  dash?: number[];
  values: (number | null)[];
}

interface TimeChartProps {
  /** Seconds since 1970. */
  times: number[];
  lines: Line[];
  /** A level that matters, and what it is called. */
  limit?: { value: number; name: string } | undefined;
  format: (value: number | null) => string;
  sentence: string;
  range?: [number, number];
  height?: number;
}

export function TimeChart({ times, lines, limit, format, sentence, range, height = 150 }: TimeChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const drawn = limit ? [...lines, { name: limit.name, colour: "--text", values: times.map(() => limit.value) }] : lines;
  const shape = JSON.stringify([drawn.map(({ name, colour, dash }) => [name, colour, dash]), range, height]);
  const held = useRef({ format });
  held.current = { format };

  useEffect(() => {
    const box = place.current;
    if (!box) return undefined;
    const make = (): void => {
      chart.current?.destroy();
      const said = getComputedStyle(document.documentElement);
      const colour = (name: string): string => said.getPropertyValue(name).trim() || name;
      const [kinds] = JSON.parse(shape) as [[string, string, number[] | undefined][]];
      chart.current = new uPlot(
        {
          width: Math.max(200, box.clientWidth),
          height,
          cursor: { y: false },
          legend: { show: false },
          scales: { x: { time: true }, ...(range ? { y: { range } } : {}) },
          axes: [
            { stroke: colour("--muted"), grid: { show: false }, ticks: { stroke: colour("--line") }, font: "11px system-ui", values: (_, at) => at.map((each) => clock(each * 1e6).slice(0, 8)) , space: 80, size: 30 },
            {
              stroke: colour("--muted"),
              grid: { stroke: colour("--line") },
              ticks: { show: false },
              size: 58,
              font: "11px system-ui",
              values: (_, at) => at.map((each) => held.current.format(each)),
            },
          ],
          series: [
            {},
            ...kinds.map(([name, stroke, dash]) => ({
              label: name,
              stroke: colour(stroke),
              width: 1.5,
              ...(dash ? { dash } : {}),
              spanGaps: false,
              points: { show: true, size: 3 },
            })),
          ],
        },
        [times, ...drawn.map((line) => line.values)] as uPlot.AlignedData,
        box,
      );
    };
    make();
    const watcher = new ResizeObserver(() => chart.current?.setSize({ width: Math.max(200, box.clientWidth), height }));
    watcher.observe(box);
    const scheme = window.matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", make);
    return () => {
      watcher.disconnect();
      scheme.removeEventListener("change", make);
      chart.current?.destroy();
      chart.current = null;
    };
    // The values are given below: a new chart each second would lose the cursor.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shape]);

  useEffect(() => {
    chart.current?.setData([times, ...drawn.map((line) => line.values)] as uPlot.AlignedData);
  });

  return (
    <div className="timechart">
      <div ref={place} role="img" aria-label={sentence} />
      <ul className="legend">
        {drawn.map((line) => (
          <li key={line.name}>
            <svg width="22" height="8" aria-hidden="true">
              <line
                x1="0"
                x2="22"
                y1="4"
                y2="4"
                stroke={`var(${line.colour})`}
                strokeWidth="2"
                strokeDasharray={"dash" in line && line.dash ? line.dash.join(" ") : ""}
              />
            </svg>
            {line.name}
          </li>
        ))}
      </ul>
      <details>
        <summary>The same as a table</summary>
        <div className="scroll tall" tabIndex={0} role="region" aria-label={sentence}>
          <table className="dense">
            <thead>
              <tr>
                <th>UTC</th>
                {lines.map((line) => (
                  <th key={line.name} className="number">
                    {line.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times
                .map((at, row) => ({ at, cells: lines.map((line) => line.values[row] ?? null) }))
                .filter(({ cells }) => cells.some((cell) => cell !== null))
                .reverse()
                .map(({ at, cells }) => (
                  <tr key={at}>
                    <td>{clock(at * 1e6).slice(0, 8)}</td>
                    {cells.map((cell, column) => (
                      <td key={column} className="number">
                        {cell === null ? NOTHING : format(cell)}
                      </td>
                    ))}
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  );
}
