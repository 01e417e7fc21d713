// Is the promise being kept, now?
import { SegmentedControl } from "@mantine/core";

import type { Schemas } from "../api/client";
import { RungBar } from "../charts/RungBar";
import { TimeChart } from "../charts/TimeChart";
import { NOTHING, ago, count, milliseconds, percent } from "../format";
import { NotMeasured, NothingYet, SourceDown, Stale } from "../parts/Empty";
import { Link } from "../parts/Link";
import { Panel } from "../parts/Panel";
import { Share } from "../parts/Share";
import { Status, type Tone } from "../parts/Status";
import { useParameters } from "../state/address";
import { usePolled } from "../state/polling";

const WINDOWS = { "1m": 60, "5m": 300, "15m": 900, "1h": 3600 } as const;
type Overview = Schemas["OverviewView"];
type Route = Schemas["LiveRouteView"];

export function Overview() {
  const [parameters, change] = useParameters();
  const chosen = parameters.get("window") ?? "5m";
  const windowS = WINDOWS[chosen as keyof typeof WINDOWS] ?? WINDOWS["5m"];
  const route = parameters.get("route") ?? "";
  const { data, error, atMs, again } = usePolled("/api/v1/overview", { window_s: windowS, route }, {}, 1000);
  if (!data) return error ? <SourceDown error={error} onAgain={again} /> : <p className="muted">Asking…</p>;
  const now = data.at_us / 1000;
  const mine = route ? (data.routes.find((each) => each.route === route) ?? data.total) : data.total;
  return (
    <>
      {error && <Stale error={error} atMs={atMs} nowMs={Date.now()} />}
      <p className="sentence" data-testid="sentence">
        <Status tone={toneOf(data)}>{sentence(data, chosen)}</Status>
      </p>
      <div className="controls">
        <SegmentedControl
          size="xs"
          aria-label="Window"
          value={chosen in WINDOWS ? chosen : "5m"}
          onChange={(window) => change({ window: window === "5m" ? "" : window })}
          data={Object.keys(WINDOWS)}
        />
        <label className="select">
          Route{" "}
          <select value={route} onChange={(event) => change({ route: event.currentTarget.value })}>
            <option value="">all</option>
            {data.routes.map((each) => (
              <option key={each.route}>{each.route}</option>
            ))}
          </select>
        </label>
        <span className="caption">
          {data.newest_us ? `newest request ${ago(data.newest_us, now)}` : "no request yet"}
          {data.since_us > data.at_us - windowS * 1e6 ? ` · known since ${ago(data.since_us, now)}` : ""}
        </span>
      </div>
      {data.total.requests === 0 ? (
        <Panel title="Requests">
          <NothingYet command={FIRST}>
            Nothing was asked in this window. Send a request, and it is seen here a second later:
          </NothingYet>
        </Panel>
      ) : (
        <div className="grid">
          <Panel title="In time" caption={`${chosen} · n ${count(mine.measured)}`}>
            <p className="headline">
              <Share good={mine.in_time} n={mine.measured} low={mine.in_time_low} high={mine.in_time_high} />
            </p>
            <InTime data={data} />
          </Panel>
          <Panel title="Who answered" caption={`${chosen} · n ${count(mine.requests)}`}>
            <RungBar rungs={mine.rungs} />
            <Rungs data={data} />
          </Panel>
          <Panel title="Latency of whole answers" caption={quantiles(mine.whole)}>
            <Latency data={data} kind="whole" budgetMs={mine.whole_budget_ms} />
          </Panel>
          <Panel title="Latency to first content of streams" caption={quantiles(mine.first_content)}>
            <Latency data={data} kind="first_content" budgetMs={mine.first_content_budget_ms} />
          </Panel>
        </div>
      )}
      <Panel title="Upstreams" caption={`as the gateways see them · ${ago(data.at_us, now)}`} className="wide">
        <Upstreams upstreams={data.upstreams} />
      </Panel>
      <Panel title="Error budgets" caption="of the whole period" className="wide">
        <Budgets objectives={data.objectives} />
      </Panel>
      <Panel title="Routes" caption={chosen} className="wide">
        <Routes routes={data.routes} />
      </Panel>
    </>
  );
}

const FIRST =
  'curl -s http://127.0.0.1:8080/v1/chat/completions \\\n' +
  '  -H "Authorization: Bearer $(cat demo/.steadyhand/demo.key)" -H "Content-Type: application/json" \\\n' +
  '  -d \'{"model": "support", "messages": [{"role": "user", "content": "What does VACUUM do?"}]}\'';

function toneOf(data: Overview): Tone {
  const { measured, in_time_ratio: ratio } = data.total;
  if (!measured || ratio === null) return "none";
  const isOut = data.upstreams.some((each) => each.health?.state === "open");
  if (ratio < 0.99) return "bad";
  if (ratio < 0.999 || isOut || spoken(data) < 1) return "warn";
  return "ok";
}

/** Part of the requests that a model answered. */
function spoken(data: Overview): number {
  return data.total.requests ? (data.total.rungs["live"] ?? 0) / data.total.requests : 1;
}

function sentence(data: Overview, window: string): string {
  const { total, upstreams } = data;
  if (!total.measured) return "Nothing was asked, so nothing is known of the promise.";
  const out = upstreams.filter((each) => each.health?.state === "open");
  const slow = upstreams.filter((each) => (each.health?.drift ?? 1) > 1.25 && each.health?.state !== "open");
  const share = `${count(total.in_time)} of ${count(total.measured)} requests of the last ${window} were answered in time`;
  const below = total.requests - (total.rungs["live"] ?? 0);
  const parts = [share];
  if (below) parts.push(`${count(below)} by a rung below the models`);
  if (out.length) parts.push(`${names(out)} ${out.length > 1 ? "are" : "is"} not asked, but probed`);
  if (slow.length) parts.push(`${names(slow)} ${slow.length > 1 ? "have" : "has"} become slower`);
  return `${parts.join("; ")}.`;
}

function names(upstreams: Schemas["LiveUpstreamView"][]): string {
  return upstreams.map((each) => `${each.provider}/${each.model}`).join(", ");
}

function quantiles(latency: Schemas["LiveLatencyView"] | null): string {
  if (!latency) return "none in this window";
  return `p50 ${milliseconds(latency.p50_ms)} · p95 ${milliseconds(latency.p95_ms)} · p99 ${milliseconds(latency.p99_ms)} · n ${count(latency.n)}`;
}

function InTime({ data }: { data: Overview }) {
  return (
    <TimeChart
      times={data.points.map((point) => point.at_us / 1e6)}
      lines={[{ name: "in time", colour: "--series-1", values: data.points.map((point) => point.in_time_ratio) }]}
      format={(value) => percent(value, 0)}
      range={[0, 1.02]}
      sentence="Share of requests answered in time"
    />
  );
}

function Rungs({ data }: { data: Overview }) {
  const live = data.points.map((point) => (point.requests ? (point.rungs["live"] ?? 0) : null));
  const below = data.points.map((point) => (point.requests ? point.requests - (point.rungs["live"] ?? 0) : null));
  return (
    <TimeChart
      times={data.points.map((point) => point.at_us / 1e6)}
      lines={[
        { name: "by a model", colour: "--series-1", values: live },
        { name: "below it", colour: "--series-2", dash: [6, 3], values: below },
      ]}
      format={(value) => (value === null ? NOTHING : count(Math.round(value)))}
      sentence={`Requests in each ${data.step_s} s by who answered`}
    />
  );
}

function Latency({
  data,
  kind,
  budgetMs,
}: {
  data: Overview;
  kind: "whole" | "first_content";
  budgetMs: number | null;
}) {
  const p50 = data.points.map((point) => (kind === "whole" ? point.whole_p50_ms : point.first_content_p50_ms));
  const p95 = data.points.map((point) => (kind === "whole" ? point.whole_p95_ms : point.first_content_p95_ms));
  if (p50.every((value) => value === null))
    return (
      <div className="empty" data-empty="nothing-yet">
        <p>None in this window.</p>
      </div>
    );
  const most = Math.max(...p95.map((value) => value ?? 0));
  return (
    <>
      <TimeChart
        times={data.points.map((point) => point.at_us / 1e6)}
        lines={[
          { name: "p50", colour: "--series-1", values: p50 },
          { name: "p95", colour: "--series-1", dash: [5, 3], values: p95 },
        ]}
        limit={budgetMs && budgetMs < most * 4 ? { value: budgetMs, name: "budget" } : undefined}
        format={milliseconds}
        sentence={kind === "whole" ? "Latency of whole answers" : "Latency to first content"}
      />
      <p className="muted">
        {budgetMs ? `Budget ${milliseconds(budgetMs)}.` : "Choose a route to see its budget."}
      </p>
    </>
  );
}

const STATES: Record<string, [Tone, string]> = {
  closed: ["ok", "in use"],
  half_open: ["wait", "being tried again"],
  open: ["bad", "not asked, but probed"],
};

function Upstreams({ upstreams }: { upstreams: Schemas["LiveUpstreamView"][] }) {
  if (!upstreams.length)
    return <NotMeasured command="steadyhand validate">no route uses an upstream; a rung names one.</NotMeasured>;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="upstreams">
      <table>
        <thead>
          <tr>
            <th>deployment</th>
            <th>state</th>
            <th className="number">share</th>
            <th className="number">drift</th>
            <th className="number">in flight</th>
            <th className="number">p50</th>
            <th className="number">p99</th>
            <th>why</th>
          </tr>
        </thead>
        <tbody>
          {upstreams.map(({ provider, model, region, health }) => {
            const [tone, word] = health ? (STATES[health.state] ?? ["none", health.state]) : ["none" as const, "not asked yet"];
            const latency = health?.whole ?? health?.first_content;
            const isSlow = (health?.drift ?? 1) > 1.25;
            return (
              <tr key={`${provider}/${model}/${region}`}>
                <td className="mono">
                  {provider}/{model}
                  {region && ` (${region})`}
                </td>
                <td>
                  <Status tone={tone}>{word}</Status>
                </td>
                <td className="number">{health ? percent(health.share, 0) : NOTHING}</td>
                <td className="number">
                  {health?.drift ? (isSlow ? <Status tone="warn">× {health.drift.toFixed(2)}</Status> : `× ${health.drift.toFixed(2)}`) : NOTHING}
                </td>
                <td className="number">{health ? count(health.in_flight) : NOTHING}</td>
                <td className="number">{milliseconds(latency?.p50_ms)}</td>
                <td className="number">{milliseconds(latency?.p99_ms)}</td>
                <td>{health?.reason || NOTHING}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const BUDGETS: Record<string, [Tone, string]> = {
  ok: ["ok", "kept"],
  burning: ["warn", "burning"],
  exhausted: ["bad", "spent"],
  no_data: ["none", "nothing counted"],
};

function Budgets({ objectives }: { objectives: Schemas["ObjectiveView"][] }) {
  if (!objectives.length)
    return <NotMeasured command="steadyhand objectives list">no objective is in force here.</NotMeasured>;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="error budgets">
      <table>
        <thead>
          <tr>
            <th>route</th>
            <th>objective</th>
            <th>state</th>
            <th className="number">target</th>
            <th>budget left</th>
            <th className="number">bad / events</th>
            <th>alerts</th>
          </tr>
        </thead>
        <tbody>
          {objectives.map((each) => {
            const [tone, word] = BUDGETS[each.state] ?? ["none", each.state];
            return (
              <tr key={`${each.route}/${each.objective}`} data-objective={`${each.route}/${each.objective}`}>
                <td>{each.route}</td>
                <td>
                  {each.objective}
                  {each.threshold_ms ? ` < ${milliseconds(each.threshold_ms)}` : ""}
                </td>
                <td>
                  <Status tone={tone}>{word}</Status>
                </td>
                <td className="number">{percent(each.target_ratio, 1)}</td>
                <td>
                  <Left ratio={each.budget_left_ratio} tone={tone} />
                </td>
                <td className="number">{each.events ? `${count(each.bad)} / ${count(each.events)}` : NOTHING}</td>
                <td>{each.alerts.map((alert) => `${alert.name} (${alert.state})`).join(", ") || NOTHING}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Left({ ratio, tone }: { ratio: number | null; tone: Tone }) {
  if (ratio === null) return <>{NOTHING}</>;
  const shown = Math.max(0, Math.min(1, ratio));
  return (
    <span className="budget">
      <svg width="90" height="10" aria-hidden="true">
        <rect width="90" height="10" fill="var(--sunken)" stroke="var(--line)" />
        <rect width={90 * shown} height="10" fill={`var(--${tone})`} fillOpacity="0.5" />
      </svg>
      {ratio < 0 ? `overspent ${percent(-ratio, 0)}` : percent(ratio, 0)}
    </span>
  );
}

function Routes({ routes }: { routes: Route[] }) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="routes">
      <table>
        <thead>
          <tr>
            <th>route</th>
            <th>SLO class</th>
            <th className="number">requests</th>
            <th>in time</th>
            <th className="number">p95 whole / budget</th>
            <th className="number">p95 first / budget</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {routes.map((each) => (
            <tr key={each.route}>
              <td>{each.route}</td>
              <td>{each.slo || NOTHING}</td>
              <td className="number">{each.requests ? count(each.requests) : NOTHING}</td>
              <td>
                <Share good={each.in_time} n={each.measured} low={each.in_time_low} high={each.in_time_high} />
              </td>
              <td className="number">
                {milliseconds(each.whole?.p95_ms)} / {milliseconds(each.whole_budget_ms)}
              </td>
              <td className="number">
                {milliseconds(each.first_content?.p95_ms)} / {milliseconds(each.first_content_budget_ms)}
              </td>
              <td>
                <Link href={`/requests?route=${encodeURIComponent(each.route)}`}>requests</Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
