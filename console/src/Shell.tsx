// The frame: where one can go, who is logged in, and what is wrong with the page itself.
import { useEffect, useState, useSyncExternalStore, type ReactNode } from "react";

import { Button } from "@mantine/core";

import { isUpgraded, onUpgrade, order } from "./api/client";
import { Palette } from "./parts/Palette";
import { Link } from "./parts/Link";
import { go, usePath } from "./state/address";
import { PAGES } from "./places";

export function Shell({ title, children }: { title: string; children: ReactNode }) {
  const path = usePath();
  const [isOpen, setIsOpen] = useState(false);
  useKeys(() => setIsOpen(true), isOpen);
  const leave = async (): Promise<void> => {
    await order("DELETE", "/api/v1/session").catch(() => undefined);
    go("/login");
  };
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <nav aria-label="Pages">
        <span className="brand">Steadyhand</span>
        <ul>
          {PAGES.map((page) => {
            const isHere = page.href === "/" ? path === "/" : path.startsWith(page.href);
            return (
              <li key={page.href}>
                <Link href={page.href} aria-current={isHere ? "page" : undefined}>
                  {page.name}
                </Link>
              </li>
            );
          })}
        </ul>
        <div className="ends">
          <button type="button" className="plain" onClick={() => setIsOpen(true)}>
            Go to… <kbd>Ctrl K</kbd>
          </button>
          <button type="button" className="plain" onClick={() => void leave()}>
            Log out
          </button>
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        <h1>{title}</h1>
        <Upgraded />
        {children}
      </main>
      {isOpen && <Palette onClose={() => setIsOpen(false)} onLeave={leave} />}
    </div>
  );
}

/** Offers to load the page again once the server serves another build of it. */
function Upgraded() {
  const is = useSyncExternalStore(onUpgrade, isUpgraded);
  if (!is) return null;
  return (
    <p className="banner" role="status">
      <span aria-hidden="true">▲ </span>The control plane was upgraded while this page was open.{" "}
      <Button size="compact-xs" variant="default" onClick={() => window.location.reload()}>
        Load it again
      </Button>
    </p>
  );
}

function useKeys(onPalette: () => void, isOpen: boolean): void {
  useEffect(() => {
    let isGoing = false;
    const pressed = (event: KeyboardEvent): void => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        onPalette();
        return;
      }
      const target = event.target as HTMLElement | null;
      const isTyping = target?.closest("input, textarea, select, [contenteditable]") != null;
      if (isTyping || isOpen || event.metaKey || event.ctrlKey || event.altKey) return;
      if (isGoing) {
        const page = PAGES.find((each) => each.key === event.key);
        if (page) go(page.href);
      }
      isGoing = event.key === "g" && !isGoing;
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [onPalette, isOpen]);
}
