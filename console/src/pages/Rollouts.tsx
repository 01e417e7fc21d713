// Is the new version worse, better, or can nobody tell yet?
import { useState } from "react";

import { Button, Modal } from "@mantine/core";

import { ApiError, order, type Schemas } from "../api/client";
import { Evidence } from "../charts/Evidence";
import { NOTHING, ago, count, figure, moment, percent, plain } from "../format";
import { NothingYet, NotMeasured, SourceDown, Stale } from "../parts/Empty";
import { Link } from "../parts/Link";
import { Panel } from "../parts/Panel";
import { Status, type Tone } from "../parts/Status";
import { usePolled } from "../state/polling";

type Rollout = Schemas["RolloutView"];

export default function Rollouts({ id }: { id: string }) {
  return id ? <Detail id={id} /> : <List />;
}

const DECISIONS: Record<string, [Tone, string]> = {
  promote: ["ok", "goes on"],
  roll_back: ["bad", "is taken back"],
  hold: ["wait", "holds"],
  inconclusive: ["wait", "cannot tell yet"],
  error: ["warn", "could not be judged"],
};
const ENDS: Record<string, [Tone, string]> = {
  promoted: ["ok", "promoted"],
  rolled_back: ["bad", "rolled back"],
  aborted: ["none", "aborted"],
};

function Verdict({ rollout }: { rollout: Rollout }) {
  const [tone, word] =
    ENDS[rollout.outcome] ?? DECISIONS[rollout.verdict.decision] ?? (["none", rollout.verdict.decision] as [Tone, string]);
  return <Status tone={tone}>{word}</Status>;
}

function List() {
  const { data, error, atMs, again } = usePolled("/api/v1/rollouts", { limit: 50 }, {}, 3000);
  if (!data) return error ? <SourceDown error={error} onAgain={again} /> : <p className="muted">Asking…</p>;
  if (!data.items.length)
    return (
      <NothingYet command="steadyhand rollout start --help">
        No release has been tried on a part of the traffic yet. A rollout compares a candidate with what is served, and takes
        it back by evidence:
      </NothingYet>
    );
  return (
    <>
      {error && <Stale error={error} atMs={atMs} nowMs={Date.now()} />}
      <div className="scroll" tabIndex={0} role="region" aria-label="rollouts">
        <table>
          <thead>
            <tr>
              <th>verdict</th>
              <th>rollout</th>
              <th>route</th>
              <th>environment</th>
              <th>candidate</th>
              <th className="number">step</th>
              <th className="number">weight</th>
              <th>opened</th>
              <th>why</th>
            </tr>
          </thead>
          <tbody>
            {data.items.map((one) => (
              <tr key={one.id}>
                <td>
                  <Verdict rollout={one} />
                </td>
                <td className="mono">
                  <Link href={`/rollouts/${one.id}`}>{one.id}</Link>
                </td>
                <td>{one.route}</td>
                <td>{one.environment}</td>
                <td className="mono">{one.candidate.slice(0, 12)}</td>
                <td className="number">
                  {one.step + 1} of {one.steps}
                </td>
                <td className="number">{one.phase === "ended" ? NOTHING : percent(one.weight_percent / 100, 0)}</td>
                <td title={moment(one.opened_us)}>{ago(one.opened_us, Date.now())}</td>
                <td>{plain(one.reason || one.verdict.reason)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Detail({ id }: { id: string }) {
  const { data, error, atMs, again } = usePolled("/api/v1/rollouts/{id}", {}, { id }, 1000);
  const path = usePolled("/api/v1/rollouts/{id}/looks", {}, { id }, 2000);
  const back = (
    <p>
      <Link href="/rollouts">← Rollouts</Link>
    </p>
  );
  if (!data)
    return (
      <>
        {back}
        {error ? <SourceDown error={error} onAgain={again} /> : <p className="muted">Asking…</p>}
      </>
    );
  return (
    <>
      {back}
      {error && <Stale error={error} atMs={atMs} nowMs={Date.now()} />}
      <p className="sentence">
        <Verdict rollout={data} /> {plain(data.reason || data.verdict.message)}
      </p>
      <Steps rollout={data} />
      <Orders rollout={data} onDone={again} />
      <Panel title="Evidence" caption={data.look ? `seen ${ago(data.look.at_us, Date.now())}` : ""} className="wide">
        {path.data?.items.length ? (
          <Evidence path={path.data} />
        ) : (
          <NothingYet>The evidence has not been looked at yet; it is once requests of both arms are recorded.</NothingYet>
        )}
      </Panel>
      <div className="grid">
        <Panel title="Arms" caption="over the whole rollout">
          {data.look ? <Arms look={data.look} /> : <NotMeasured>nothing has been counted yet.</NotMeasured>}
        </Panel>
        <Panel title="By metric" caption="units that had it for the first time">
          {data.look ? <Metrics look={data.look} /> : <NotMeasured>nothing has been counted yet.</NotMeasured>}
        </Panel>
      </div>
    </>
  );
}

function Steps({ rollout }: { rollout: Rollout }) {
  const told = rollout.policy["steps_percent"];
  const steps = Array.isArray(told) ? told.filter((each): each is number => typeof each === "number") : [];
  return (
    <ol className="steps" aria-label="Steps of the weight">
      {steps.map((each, place) => (
        <li key={place} aria-current={place === rollout.step && rollout.phase !== "ended" ? "step" : undefined}>
          {place < rollout.step || rollout.outcome === "promoted" ? "✓ " : ""}
          {each} %
        </li>
      ))}
      <li className="muted">
        {rollout.route} in {rollout.environment}, candidate <span className="mono">{rollout.candidate.slice(0, 12)}</span> against{" "}
        <span className="mono">{rollout.stable.slice(0, 12) || "nothing"}</span>, begun {moment(rollout.opened_us)} by{" "}
        {plain(rollout.opened_by)}
        {rollout.is_paused ? ", paused" : ""}
      </li>
    </ol>
  );
}

const ACTS = {
  pause: "Hold it at its weight",
  resume: "Let it go on",
  abort: "Take it back",
} as const;

function Orders({ rollout, onDone }: { rollout: Rollout; onDone: () => void }) {
  const [asked, setAsked] = useState<keyof typeof ACTS>();
  const [problem, setProblem] = useState<ApiError>();
  if (rollout.phase === "ended") return null;
  const act = async (): Promise<void> => {
    if (!asked) return;
    try {
      await order("POST", `/api/v1/rollouts/${encodeURIComponent(rollout.id)}/${asked}`, { note: "from the console" });
      setProblem(undefined);
      setAsked(undefined);
      onDone();
    } catch (error) {
      setProblem(error instanceof ApiError ? error : new ApiError("unreachable", String(error)));
    }
  };
  const effects: Record<keyof typeof ACTS, string> = {
    pause: `It stays at ${rollout.weight_percent} % of the traffic until somebody resumes it; evidence may still take it back.`,
    resume: "It goes on by its steps as the evidence allows.",
    abort: `Its ${rollout.weight_percent} % of the traffic go back to the stable release at once, by a commit to the registry.`,
  };
  const possible: (keyof typeof ACTS)[] = [rollout.is_paused ? "resume" : "pause", "abort"];
  return (
    <p className="controls">
      {possible.map((each) => (
        <Button key={each} size="xs" variant="default" onClick={() => setAsked(each)}>
          {ACTS[each]}…
        </Button>
      ))}
      <Modal
        opened={asked !== undefined}
        onClose={() => setAsked(undefined)}
        title={asked ? ACTS[asked] : ""}
        lockScroll={false}
        transitionProps={{ duration: 0 }}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <p>{asked ? effects[asked] : ""}</p>
        {problem && (
          <p role="alert">
            ✕ {problem.message}. {problem.hint}
          </p>
        )}
        <Button size="xs" onClick={() => void act()}>
          {asked ? ACTS[asked] : ""}
        </Button>
      </Modal>
    </p>
  );
}

function Arms({ look }: { look: Schemas["LookView"] }) {
  return (
    <>
      <table className="dense">
        <thead>
          <tr>
            <th>arm</th>
            <th className="number">requests</th>
            <th className="number">bad</th>
            <th className="number">share</th>
          </tr>
        </thead>
        <tbody>
          {look.arms.map((arm) => (
            <tr key={arm.arm}>
              <td>{arm.arm}</td>
              <td className="number">{count(arm.requests)}</td>
              <td className="number">{count(arm.bad)}</td>
              <td className="number">{arm.requests ? percent(arm.bad / arm.requests, 2) : NOTHING}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="muted">
        Bad is an error, a missed deadline, a floor, or an answer that a fallback saved. Evidence that units are not spread as
        they should be: {figure(look.skewed)}.
      </p>
    </>
  );
}

function Metrics({ look }: { look: Schemas["LookView"] }) {
  return (
    <table className="dense">
      <thead>
        <tr>
          <th>metric</th>
          <th className="number">candidate</th>
          <th className="number">control</th>
          <th className="number">worse</th>
          <th className="number">no worse</th>
        </tr>
      </thead>
      <tbody>
        {look.metrics.map((metric) => (
          <tr key={metric.name}>
            <td>{metric.name.replaceAll("_", " ")}</td>
            <td className="number">{count(metric.candidate)}</td>
            <td className="number">{count(metric.control)}</td>
            <td className="number">{figure(metric.worse)}</td>
            <td className="number">{figure(metric.no_worse)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
