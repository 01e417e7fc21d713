// A panel asks one question, fails alone, and says how old and out of how much its answer is.
import { Component, useId, type ReactNode } from "react";

import { Button } from "@mantine/core";

interface PanelProps {
  title: string;
  caption?: ReactNode;
  children: ReactNode;
  className?: string;
}

export function Panel({ title, caption, children, className = "" }: PanelProps) {
  const id = useId();
  return (
    <section className={`panel ${className}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {caption && <span className="caption">{caption}</span>}
      </header>
      <Boundary>{children}</Boundary>
    </section>
  );
}

export class Boundary extends Component<{ children: ReactNode }, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children;
    return (
      <div className="empty" data-empty="broken" role="alert">
        <p>
          <span aria-hidden="true">✕ </span>This panel could not be drawn; the rest of the page is right.
        </p>
        <p className="muted">{this.state.error.message}</p>
        <Button size="xs" variant="default" onClick={() => this.setState({ error: undefined })}>
          Draw it again
        </Button>
      </div>
    );
  }
}
