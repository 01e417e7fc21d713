// Break a simulated provider: what is expected first, then what happens.
import { useState } from "react";

import { Button, TextInput } from "@mantine/core";

import { ApiError, order, type Schemas } from "../api/client";
import { RungBar } from "../charts/RungBar";
import { count, plain } from "../format";
import { NotMeasured, NothingYet, SourceDown, Stale } from "../parts/Empty";
import { Link } from "../parts/Link";
import { Panel } from "../parts/Panel";
import { Status } from "../parts/Status";
import { useParameters } from "../state/address";
import { usePolled } from "../state/polling";

export default function Break() {
  const [parameters, change] = useParameters();
  const { data, error, atMs, again } = usePolled("/api/v1/breaking", {}, {}, 2000);
  const [problem, setProblem] = useState<ApiError>();
  const [busy, setBusy] = useState("");
  const wanted = parameters.get("q") ?? "";
  if (!data) return error ? <SourceDown error={error} onAgain={again} /> : <p className="muted">Asking…</p>;
  const provider = data.providers.find((each) => each.name === parameters.get("provider")) ?? data.providers[0];
  if (!provider)
    return (
      <NotMeasured command="steadyhand simulate --help">
        this workspace has no provider of kind “simulated”, and others fail by themselves. Point the base_url of one at a
        simulator to break it across a socket:
      </NotMeasured>
    );
  const act = async (what: string, how: () => Promise<unknown>): Promise<void> => {
    setBusy(what);
    try {
      await how();
      setProblem(undefined);
    } catch (caught) {
      setProblem(caught instanceof ApiError ? caught : new ApiError("unreachable", String(caught)));
    } finally {
      setBusy("");
      again();
    }
  };
  const path = `/api/v1/breaking/${encodeURIComponent(provider.name)}`;
  const faults = data.faults.filter((fault) => `${fault.family} ${fault.name} ${fault.does}`.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <>
      {error && <Stale error={error} atMs={atMs} nowMs={Date.now()} />}
      <p className="sentence" data-testid="broken">
        {provider.is_broken ? (
          <Status tone="bad">
            {provider.name} is broken:{" "}
            {plain([provider.behaviour, ...Object.entries(provider.models).map(([model, how]) => `${model} ${how}`)].filter(Boolean).join(", "))}
          </Status>
        ) : (
          <Status tone="ok">{provider.name} behaves as its models are named.</Status>
        )}
      </p>
      <div className="controls">
        {data.providers.length > 1 && (
          <label className="select">
            Provider{" "}
            <select value={provider.name} onChange={(event) => change({ provider: event.currentTarget.value })}>
              {data.providers.map((each) => (
                <option key={each.name}>{each.name}</option>
              ))}
            </select>
          </label>
        )}
        <Button
          size="xs"
          disabled={!provider.is_broken}
          loading={busy === "mend"}
          onClick={() => void act("mend", () => order("DELETE", path))}
        >
          Mend {provider.name}
        </Button>
      </div>
      {problem && (
        <p className="problem" role="alert">
          <span aria-hidden="true">✕ </span>
          {problem.message}. {problem.hint}
        </p>
      )}
      <div className="grid">
        <Panel title="Expected while it fails">
          <Expected provider={provider.name} />
        </Panel>
        <Panel title="What happens now" caption="the last minute, each second">
          <Now />
        </Panel>
      </div>
      <Panel title="Ways to fail" caption={`${count(faults.length)} of ${count(data.faults.length)}`} className="wide">
        <TextInput
          size="xs"
          aria-label="Find a way to fail"
          placeholder="silent, 429, cut …"
          value={wanted}
          onChange={(event) => change({ q: event.currentTarget.value })}
        />
        {!faults.length && (
          <div className="empty" data-empty="nothing-matches">
            <p>No way to fail has these letters.</p>
          </div>
        )}
        <Faults
          faults={faults}
          current={provider.behaviour}
          busy={busy}
          onBreak={(behaviour) => void act(behaviour, () => order("PUT", path, { behaviour, model: "" }))}
        />
      </Panel>
    </>
  );
}

function Expected({ provider }: { provider: string }) {
  const { data, error, again } = usePolled("/api/v1/breaking/{provider}/prediction", {}, { provider }, 5000);
  if (!data) return error ? <SourceDown error={error} onAgain={again} /> : <p className="muted">Asking…</p>;
  const touched = data.items.filter((each) => each.is_touched);
  if (!touched.length) return <NothingYet>No route uses {provider}: nothing would change.</NothingYet>;
  return (
    <ul className="lines">
      {touched.map((each) => (
        <li key={each.route}>
          <b>{each.route}</b>: {each.sentence}.
          {each.floor_at_ms !== null && <span className="muted"> The floor speaks at {Math.round(each.floor_at_ms)} ms at the latest.</span>}
        </li>
      ))}
    </ul>
  );
}

function Now() {
  const { data, error, again } = usePolled("/api/v1/overview", { window_s: 60 }, {}, 1000);
  if (!data) return error ? <SourceDown error={error} onAgain={again} /> : <p className="muted">Asking…</p>;
  if (!data.total.requests)
    return (
      <NothingYet command="steadyhand traffic --help">
        Nobody asked anything in the last minute. Send a request, or traffic, and see which rung speaks:
      </NothingYet>
    );
  return (
    <>
      <p>
        {count(data.total.in_time)} of {count(data.total.measured)} in time. <Link href="/">Overview</Link> ·{" "}
        <Link href="/requests">requests</Link>
      </p>
      <RungBar rungs={data.total.rungs} />
    </>
  );
}

function Faults({
  faults,
  current,
  busy,
  onBreak,
}: {
  faults: Schemas["FaultView"][];
  current: string;
  busy: string;
  onBreak: (behaviour: string) => void;
}) {
  const families = [...new Set(faults.map((fault) => fault.family))];
  return (
    <>
      {families.map((family) => (
        <section key={family} aria-label={family}>
          <h3>{family}</h3>
          <ul className="faults">
            {faults
              .filter((fault) => fault.family === family)
              .map((fault) => (
                <li key={fault.name}>
                  <Button
                    size="compact-xs"
                    variant="default"
                    aria-pressed={current === fault.name}
                    aria-label={`Break with ${fault.name}`}
                    disabled={busy !== ""}
                    onClick={() => onBreak(fault.name)}
                  >
                    {fault.name}
                  </Button>{" "}
                  <span className="muted">{fault.does}</span>
                </li>
              ))}
          </ul>
        </section>
      ))}
    </>
  );
}
