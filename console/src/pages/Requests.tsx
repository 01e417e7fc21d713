// Which requests there were, newest first, and one of them with its ladder.
import { useEffect, useState, type FormEvent } from "react";

import { Button, TextInput } from "@mantine/core";

import { ApiError, get, type Schemas } from "../api/client";
import { AttemptStrip } from "../charts/AttemptStrip";
import { rungLook } from "../charts/rungs";
import { NOTHING, clock, count, milliseconds, moment, plain } from "../format";
import { NothingMatches, NothingYet, SourceDown, Stale } from "../parts/Empty";
import { Link } from "../parts/Link";
import { Status, type Tone } from "../parts/Status";
import { go, useParameters } from "../state/address";
import { FIELDS, fromAddress, line, parsed, type Filter } from "../state/filter";
import { usePolled } from "../state/polling";
import { RequestDetail } from "./RequestDetail";

type Row = Schemas["RequestView"];
const LIMIT = 50;

export default function Requests({ id }: { id: string }) {
  return id ? <RequestDetail id={id} /> : <RequestList />;
}

function RequestList() {
  const [parameters, change] = useParameters();
  const filter = fromAddress(parameters);
  const { data, error, atMs, again } = usePolled("/api/v1/requests", { ...filter, limit: LIMIT }, {}, 2000);
  const [shown, setShown] = useState<{ key: string; items: Row[]; next: string | null }>();
  const [problem, setProblem] = useState<ApiError>();
  const key = line(filter);

  useEffect(() => {
    // What is read must not move: later answers are only offered.
    if (data && shown?.key !== key) setShown({ key, items: data.items, next: data.next_cursor });
    else if (data && shown && !shown.items.length && data.items.length)
      setShown({ key, items: data.items, next: data.next_cursor });
  }, [data, key, shown]);

  const rows = shown?.key === key ? shown.items : [];
  const newest = rows[0]?.request_id;
  const place = data && newest ? data.items.findIndex((each) => each.request_id === newest) : 0;
  const fresh = place < 0 ? data?.items.length : place;
  const older = async (): Promise<void> => {
    if (!shown?.next) return;
    try {
      const page = await get("/api/v1/requests", { ...filter, limit: LIMIT, cursor: shown.next });
      setShown({ key, items: [...shown.items, ...page.items], next: page.next_cursor });
      setProblem(undefined);
    } catch (caught) {
      setProblem(caught instanceof ApiError ? caught : new ApiError("unreachable", String(caught)));
    }
  };
  const clear = (): void => change(Object.fromEntries(FIELDS.map((field) => [field, ""])));
  return (
    <>
      {error && data && <Stale error={error} atMs={atMs} nowMs={Date.now()} />}
      <FilterBox filter={filter} onChange={change} onClear={clear} />
      {!data && error && <SourceDown error={error} onAgain={again} />}
      {!data && !error && <p className="muted">Asking…</p>}
      {data && !data.items.length && !key && (
        <NothingYet command="steadyhand requests tail --workspace demo">
          No request has been recorded yet. Send one, and it stands here a second later; or follow them:
        </NothingYet>
      )}
      {data && !data.items.length && key && <NothingMatches what="requests" onClear={clear} />}
      {rows.length > 0 && (
        <>
          <p className="offer" role="status">
            {fresh ? (
              <Button
                size="compact-xs"
                variant="default"
                onClick={() => data && setShown({ key, items: data.items, next: data.next_cursor })}
              >
                Show {fresh >= LIMIT ? `${LIMIT} or more` : count(fresh)} new
              </Button>
            ) : (
              <span className="muted">newest first · showing {count(rows.length)}</span>
            )}
          </p>
          <Table rows={rows} chosen={parameters.get("row") ?? ""} onChoose={(row) => change({ row })} />
          {shown?.next && (
            <p>
              <Button size="xs" variant="default" onClick={() => void older()}>
                Older
              </Button>{" "}
              {problem && <span role="alert">{problem.message}</span>}
            </p>
          )}
        </>
      )}
    </>
  );
}

function FilterBox({
  filter,
  onChange,
  onClear,
}: {
  filter: Filter;
  onChange: (changes: Record<string, string>) => void;
  onClear: () => void;
}) {
  const current = line(filter);
  const [text, setText] = useState(current);
  const [problem, setProblem] = useState("");
  useEffect(() => setText(current), [current]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const read = parsed(text);
    setProblem(read.problem);
    if (!read.problem) onChange(Object.fromEntries(FIELDS.map((field) => [field, read.filter[field] ?? ""])));
  };
  const chips = FIELDS.filter((field) => filter[field]);
  return (
    <form className="filter" onSubmit={submit}>
      <TextInput
        size="xs"
        aria-label="Filter"
        placeholder="route:support outcome:floor rung:cache status:200"
        value={text}
        error={problem || undefined}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button size="xs" type="submit" variant="default">
        Filter
      </Button>
      {chips.length > 0 && (
        <ul className="chips">
          {chips.map((field) => (
            <li key={field}>
              <button type="button" className="chip" onClick={() => onChange({ [field]: "" })}>
                {field}:{filter[field]} <span aria-hidden="true">✕</span>
                <span className="hidden"> take out</span>
              </button>
            </li>
          ))}
          <li>
            <button type="button" className="plain" onClick={onClear}>
              Clear
            </button>
          </li>
        </ul>
      )}
    </form>
  );
}

const OUTCOMES: Record<Row["outcome"], Tone> = {
  answered: "ok",
  floor: "warn",
  failed: "bad",
  rejected: "none",
  truncated: "bad",
  client_gone: "none",
  interrupted: "bad",
};

export function Outcome({ row, children }: { row: Row; children?: string }) {
  const isSaved = row.outcome === "answered" && row.attempts.some((each) => each.role && each.reason !== "ok");
  const tone = row.budget_us && !row.in_time && row.outcome === "answered" ? "warn" : OUTCOMES[row.outcome];
  const word = isSaved ? "saved" : row.outcome.replace("_", " ");
  return <Status tone={tone}>{children ?? word}</Status>;
}

function Table({ rows, chosen, onChoose }: { rows: Row[]; chosen: string; onChoose: (id: string) => void }) {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement | null;
      if (target?.closest("input, textarea, select, dialog, [role=dialog]") || event.ctrlKey || event.metaKey) return;
      const at = rows.findIndex((row) => row.request_id === chosen);
      const next = event.key === "j" ? rows[at + 1] : event.key === "k" ? rows[Math.max(0, at - 1)] : undefined;
      if (next) {
        onChoose(next.request_id);
        document.getElementById(next.request_id)?.scrollIntoView({ block: "nearest" });
      } else if (event.key === "Enter" && at >= 0 && target === document.body) go(`/requests/${chosen}`);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [rows, chosen, onChoose]);
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="requests">
      <table className="requests">
        <thead>
          <tr>
            <th>outcome</th>
            <th>time, UTC</th>
            <th>route</th>
            <th>ladder, to the deadline</th>
            <th>rung</th>
            <th className="number">total</th>
            <th className="number">first content</th>
            <th className="number">tokens in / out</th>
            <th>key</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.request_id} id={row.request_id} data-chosen={row.request_id === chosen || undefined}>
              <td>
                <Outcome row={row} />
              </td>
              <td className="mono">
                <Link href={`/requests/${row.request_id}`} title={moment(row.received_us)}>
                  {clock(row.received_us)}
                </Link>
              </td>
              <td>{plain(row.route) || NOTHING}</td>
              <td>
                <AttemptStrip request={row} />
              </td>
              <td>
                {row.rung ? rungLook(row.rung).word : NOTHING}
                {row.arm === "candidate" && <span className="arm"> candidate</span>}
              </td>
              <td className="number">{milliseconds(row.total_us / 1000)}</td>
              <td className="number">{row.first_content_us ? milliseconds(row.first_content_us / 1000) : NOTHING}</td>
              <td className="number">
                {row.input_tokens || row.output_tokens ? `${count(row.input_tokens)} / ${count(row.output_tokens)}` : NOTHING}
              </td>
              <td>{plain(row.key) || NOTHING}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
