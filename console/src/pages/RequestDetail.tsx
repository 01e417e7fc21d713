// Why did this one go this way?
import type { Schemas } from "../api/client";
import { Waterfall } from "../charts/Waterfall";
import { sentenceOf } from "../charts/ladder";
import { NOTHING, count, milliseconds, moment, plain } from "../format";
import { SourceDown } from "../parts/Empty";
import { Link } from "../parts/Link";
import { Panel } from "../parts/Panel";
import { usePolled } from "../state/polling";
import { Outcome } from "./Requests";

export function RequestDetail({ id }: { id: string }) {
  const request = usePolled("/api/v1/requests/{request_id}", {}, { request_id: id }, 0);
  const replay = usePolled("/api/v1/requests/{request_id}/replay", {}, { request_id: id }, 0);
  const back = (
    <p>
      <Link href="/requests">← Requests</Link>
    </p>
  );
  if (!request.data)
    return (
      <>
        {back}
        {request.error ? <SourceDown error={request.error} onAgain={request.again} /> : <p className="muted">Asking…</p>}
      </>
    );
  const row = request.data;
  const skipped = replay.data?.passed_over ?? [];
  return (
    <>
      {back}
      <p className="sentence">
        <Outcome row={row}>{plain(sentenceOf(row))}</Outcome>
      </p>
      <Panel title="The ladder" caption={row.request_id} className="wide">
        {row.attempts.length || skipped.length ? (
          <Waterfall request={row} skipped={skipped} />
        ) : (
          <div className="empty" data-empty="nothing-yet">
            <p>No rung was asked: {plain(row.reason)}.</p>
          </div>
        )}
      </Panel>
      <div className="grid">
        <Panel title="What was asked">
          <Facts
            facts={[
              ["received", moment(row.received_us)],
              ["route", row.route],
              ["model asked for", row.requested_model],
              ["tenant / key", `${row.tenant || NOTHING} / ${row.key || NOTHING}`],
              ["streamed", row.stream ? "yes" : "no"],
              ["SLO class", row.slo],
              ["budget", row.budget_us ? milliseconds(row.budget_us / 1000) : "none"],
              ["size", `${count(row.request_bytes)} bytes`],
              ["client's id", row.client_request_id],
            ]}
          />
        </Panel>
        <Panel title="What was answered">
          <Facts
            facts={[
              ["status", String(row.status)],
              ["reason", row.reason],
              ["rung", row.rung],
              ["model", row.provider ? `${row.provider}/${row.model}` : ""],
              ["served model", row.served_model],
              ["finish reason", row.finish_reason],
              ["tokens in / out", `${count(row.input_tokens)} / ${count(row.output_tokens)}`],
              ["source", row.source],
              ["age", row.age_ms >= 0 ? milliseconds(row.age_ms) : ""],
              ["confidence", row.confidence >= 0 ? row.confidence.toFixed(2) : ""],
            ]}
          />
        </Panel>
        <Panel title="From what">
          <Facts
            facts={[
              ["snapshot", row.release.slice(0, 19)],
              ["release", row.route_release.slice(0, 19)],
              ["arm", row.arm],
              ["candidate's weight", row.rollout ? `${row.candidate_bp / 100} %` : ""],
              ["gateway process", String(row.process)],
            ]}
          />
        </Panel>
        <Panel title="The decision, made again">
          {replay.data ? (
            <>
              <p>
                {replay.data.is_same
                  ? "✓ The planner decides as it did, from the recorded inputs alone."
                  : `▲ Other than then: ${replay.data.differences.join("; ")}`}
              </p>
              <ol className="climb">
                {replay.data.climb.map((event, place) => (
                  <li key={place}>
                    <span className="mono">{milliseconds(event.at_us / 1000)}</span> {plain(event.who)} {event.kind.replace("_", " ")}
                    {event.meaning ? `: ${event.meaning}` : event.detail ? ` (${plain(event.detail)})` : ""}
                  </li>
                ))}
              </ol>
            </>
          ) : (
            <p className="muted">{replay.error ? replay.error.message : "Asking…"}</p>
          )}
        </Panel>
      </div>
      <Notes notes={row.annotations} />
      <Panel title="The same as text" className="wide">
        <pre className="command" tabIndex={0}>
          <code>{row.explanation}</code>
        </pre>
        <p className="muted">steadyhand requests explain {row.request_id}</p>
      </Panel>
    </>
  );
}

function Facts({ facts }: { facts: [string, string][] }) {
  return (
    <dl className="facts">
      {facts
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{plain(value)}</dd>
          </div>
        ))}
    </dl>
  );
}

function Notes({ notes }: { notes: Schemas["AnnotationView"][] }) {
  if (!notes.length) return null;
  return (
    <Panel title="What became known later" className="wide">
      <ul>
        {notes.map((note, place) => (
          <li key={place}>
            {moment(note.made_us)}: {note.kind.replace("_", " ")}
            {note.feedback &&
              ` by ${plain(note.feedback.key)}: ${[note.feedback.thumbs, note.feedback.rating ? `${note.feedback.rating} of 5` : "", plain(note.feedback.correction)].filter(Boolean).join(", ")}`}
            {note.late_usage &&
              `: ${note.late_usage.provider}/${note.late_usage.model}, ${count(note.late_usage.input_tokens)} / ${count(note.late_usage.output_tokens)} tokens (${note.late_usage.role})`}
            {note.grounding && `: ${found(note.grounding)}`}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** A verdict on grounding in words: what was found, of how much, by whom. */
function found(said: NonNullable<Schemas["AnnotationView"]["grounding"]>): string {
  const verdict = said.reason ? `not measured (${said.reason.replace("_", " ")})` : said.verdict;
  const claims = said.claims ? `, ${count(said.ungrounded)} of ${count(said.claims)} claims ungrounded` : "";
  return `${verdict}${claims}, by ${plain(said.by)}`;
}
