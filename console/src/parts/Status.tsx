// A state is a glyph, a word and a colour, in that order.
import "./status.css";

export type Tone = "ok" | "warn" | "bad" | "wait" | "none";

const GLYPHS: Record<Tone, string> = { ok: "✓", warn: "▲", bad: "✕", wait: "◔", none: "–" };

export function Status({ tone, children }: { tone: Tone; children: React.ReactNode }) {
  return (
    <span className={`status status-${tone}`}>
      <span aria-hidden="true" className="glyph">
        {GLYPHS[tone]}
      </span>
      <span>{children}</span>
    </span>
  );
}

export function glyph(tone: Tone): string {
  return GLYPHS[tone];
}
